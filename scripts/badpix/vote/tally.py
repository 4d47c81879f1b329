"""The one function that decides every vote, and the count of votes."""

import numpy as np

from badpix.vote.kernels import count_votes, reach


def votes_needed(n_valid, fraction):
    """Smallest number of votes that is at least `fraction` of `n_valid` votes, and at least one.

    `n_valid` is an integer or an integer array; the result has its shape, int64. The product is rounded to nine
    digits first, because 0.55 * 100 is 55.00000000000001 in floating point and must need 55 votes, not 56.
    """
    product = np.round(np.float64(fraction) * np.asarray(n_valid), 9)
    return np.maximum(1, np.ceil(product).astype(np.int64))


def decide(k, n_valid, fraction, min_valid=1):
    """True where `k` of `n_valid` votes said yes in at least `fraction` of them, given at least `min_valid` votes.

    `k` and `n_valid` are integers or integer arrays of one shape; the result is boolean, of that shape.
    """
    k, n_valid = np.asarray(k), np.asarray(n_valid)
    # Few numbers of votes occur in an image of millions of pixels: each is worked out once.
    needed = votes_needed(np.arange(int(n_valid.max(initial=0)) + 1), fraction)
    needed[: max(1, min_valid)] = np.iinfo(np.int64).max
    decided = np.empty(k.shape, bool)
    reach(np.ravel(k), np.ravel(n_valid), needed, decided.reshape(-1))
    return decided


MAX_VOTES = np.iinfo(np.int16).max  # images of them are most of a vote's memory


def check_n_votes(number):
    """Raise ValueError if `number` of votes are too many to be counted."""
    if number > MAX_VOTES:
        raise ValueError(f"{number} exposures or integrations to vote, and at most {MAX_VOTES} can be counted")


class Tally:
    """Running count of votes per pixel: `k` who said yes and `n_valid` who could judge, int16 images (y, x)."""

    def __init__(self, shape):
        self.number = 0
        self.k = np.zeros(shape, dtype=np.int16)
        self.n_valid = np.zeros(shape, dtype=np.int16)

    def add(self, yes, valid):
        """Count one ballot per pixel: `yes` and `valid` are boolean images; a yes that is not valid does not count.

        Raises ValueError when there are more than MAX_VOTES, and for images of another shape.
        """
        if not np.shape(yes) == np.shape(valid) == self.k.shape:
            raise ValueError(f"votes of shapes {np.shape(yes)} and {np.shape(valid)}, counted in {self.k.shape}")
        self.number += 1
        check_n_votes(self.number)
        # Images of Tally are contiguous, so that flat they are views.
        count_votes(np.ravel(yes), np.ravel(valid), self.k.reshape(-1), self.n_valid.reshape(-1))
