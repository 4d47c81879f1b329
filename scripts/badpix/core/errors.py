"""The exceptions of the library."""


class BadExposure(Exception):
    """The data of an exposure cannot be used; the message is the reason that the user reads.

    The exposure is rejected and the run continues with the remaining exposures. Never raised for a fault of the machine
    (no memory, full disk, no reference files), which must fail the job so that the next run repeats it.
    """


class TooFewExposures(Exception):
    """Fewer usable exposures remain than the configuration requires, so no mask can be made."""


class StatisticsError(Exception):
    """A cached statistics file is damaged. The workflow made the file and must make it again, not leave it out."""
