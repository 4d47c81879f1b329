"""A vote of each dark on whether a pixel has a jump, up or down."""

import numpy as np

from badpix.instrument.depth import MIN_GROUPS_FOR_TELEGRAPH
from badpix.numerics.row_blocks import cached_blocks
from badpix.vote.significance import subsample
from badpix.vote.tally import Tally


class JumpVotes:
    """Counts the darks in which each pixel has a jump.

    Cosmic rays make such jumps too. Their share of the pixels is measured in each dark, so a dark with many cosmic rays
    gives little evidence. A dark counts once, whatever the number of its jumps.

    `science` is the boolean image (y, x) of the pixels that may be flagged. `votes` are the votes of the added darks,
    `shares` has the share of pixels with a jump in each.
    """

    def __init__(self, science: np.ndarray) -> None:
        self.sample = subsample(science)
        self.votes = Tally(science.shape)
        self.shares: list[float] = []
        self.jumped, self.valid = (np.zeros(science.shape, bool) for _ in range(2))

    def add(self, n_good: np.ndarray, n_up: np.ndarray, n_down: np.ndarray) -> None:
        """Add an integration: its planes NGOOD, N_JUMP_UP and N_JUMP_DOWN (images (y, x))."""
        if n_good.max(initial=0) >= MIN_GROUPS_FOR_TELEGRAPH:
            for rows in cached_blocks(n_good):
                self.valid[rows] |= n_good[rows] > 0
                self.jumped[rows] |= (n_up[rows] > 0) | (n_down[rows] > 0)

    def end_exposure(self) -> None:
        """Count the vote of the dark whose integrations were added."""
        self.votes.add(self.jumped, self.valid)
        valid = self.valid.ravel()[self.sample]
        self.shares.append(float(self.jumped.ravel()[self.sample][valid].mean()) if valid.any() else 1.0)
        self.jumped.fill(False)
        self.valid.fill(False)
