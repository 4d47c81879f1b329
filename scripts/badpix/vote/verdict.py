"""What was decided about one type of bad pixel."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Verdict:
    """Images (y, x) of one type.

    `found` and `insufficient` (could not be judged) are boolean; `ballots` maps the name of each ballot count to
    (k, n_valid), int16 or int32; `intermittent` (boolean, or None where nobody looked) are pixels that were certainly
    bad in some exposures but not in enough. `thresholds` are the Thresholds that the ballots and the vote were held
    against.
    """

    found: np.ndarray
    insufficient: np.ndarray
    ballots: dict
    intermittent: np.ndarray | None = None
    thresholds: tuple = ()

    def either(self, other):
        """The verdict of two searches for the same type: found by one of them, unjudged only by both."""
        found = self.found | other.found
        seen = [verdict.intermittent for verdict in (self, other) if verdict.intermittent is not None]
        return Verdict(
            found,
            self.insufficient & other.insufficient & ~found,
            self.ballots | other.ballots,
            np.logical_or.reduce(seen) & ~found if seen else None,
            self.thresholds + other.thresholds,
        )
