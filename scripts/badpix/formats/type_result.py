"""The result of a vote for a type of bad pixel."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from badpix.formats.thresholds import Threshold


@dataclass
class TypeResult:
    """Images (y, x) of a type of bad pixel.

    `found` and `insufficient` (could not be classified) are boolean. `votes` maps the name of each test to its counts
    of positive and valid votes, (k, n_valid), uint8, int16 or int32. `intermittent` (boolean) are pixels that were bad
    beyond doubt in some exposures but not in enough; None if no search looked for such pixels. `thresholds` are the
    limits of the tests and of the vote. `untested` (boolean or None) are pixels whose noise does not allow the test of
    a search; they stay insufficient, also if another search for the type could classify them.
    """

    found: np.ndarray
    insufficient: np.ndarray
    votes: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    intermittent: np.ndarray | None = None
    thresholds: tuple[Threshold, ...] = ()
    untested: np.ndarray | None = None

    def either(self, second: "TypeResult") -> "TypeResult":
        """The result of two searches for the same type: found by either, insufficient in both or untested by one."""
        found = self.found | second.found
        insufficient, untested = self.insufficient & second.insufficient, None
        if both := [result.untested for result in (self, second) if result.untested is not None]:
            untested = np.logical_or.reduce(both) & ~found
            insufficient = insufficient | untested
        intermittent = [result.intermittent for result in (self, second) if result.intermittent is not None]
        return TypeResult(
            found,
            insufficient & ~found,
            {**self.votes, **second.votes},
            np.logical_or.reduce(intermittent) & ~found if intermittent else None,
            self.thresholds + second.thresholds,
            untested,
        )
