"""What a vote found of one type of bad pixel."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from badpix.formats.thresholds import Threshold


@dataclass
class TypeResult:
    """Images (y, x) of one type.

    `found` and `insufficient` (could not be judged) are boolean; `votes` maps the name of each ballot count to
    (k, n_valid), int16 or int32; `intermittent` (boolean, or None where nobody looked) are pixels that were certainly
    bad in some exposures but not in enough. `thresholds` are the Thresholds that the votes and the vote were held
    against.
    """

    found: np.ndarray
    insufficient: np.ndarray
    votes: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    intermittent: np.ndarray | None = None
    thresholds: tuple[Threshold, ...] = ()

    def either(self, second: "TypeResult") -> "TypeResult":
        """The result of two searches for the same type: found by one of them, insufficient only in both."""
        found = self.found | second.found
        seen = [result.intermittent for result in (self, second) if result.intermittent is not None]
        return TypeResult(
            found,
            self.insufficient & second.insufficient & ~found,
            {**self.votes, **second.votes},
            np.logical_or.reduce(seen) & ~found if seen else None,
            self.thresholds + second.thresholds,
        )
