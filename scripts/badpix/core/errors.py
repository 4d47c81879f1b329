"""The exceptions of the library."""

from collections.abc import Mapping


class BadExposure(Exception):
    """The data of an exposure cannot be used; the message is the reason that the user reads.

    The exposure is rejected and the run continues with the remaining exposures. Never raised for a fault of the machine
    (no memory, full disk, no reference files), which must fail the job so that the next run repeats it.
    """


class TooFewExposures(Exception):
    """Fewer usable exposures remain than the configuration requires, so no mask can be made.

    `rejected` maps the rejected exposures to the reasons.
    """

    def __init__(self, message: str, rejected: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.rejected = dict(rejected or {})


class ProductError(Exception):
    """A file of the workflow is damaged or was made with other settings: it must be made again, not left out."""
