"""The exceptions of the library."""


class BadExposure(Exception):
    """The data of one exposure cannot be used; the message is the reason that the user reads.

    The exposure is rejected and the others go on. Never raised for a fault of the machine (no memory, full
    disk, no reference files), which must fail the job so that the next run tries again.
    """


class TooFewExposures(Exception):
    """Fewer usable exposures remain than the configuration asks for, so no mask can be made."""


class StatisticsError(Exception):
    """A cached statistics file is damaged: it is one of the workflow's own, so it must be made again, not left out."""
