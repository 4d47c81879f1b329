"""The count of votes, and the function that decides every vote."""

from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from badpix.vote.kernels import count_votes, reach


@overload
def votes_needed(n_valid: int, fraction: float) -> np.int64: ...
@overload
def votes_needed(n_valid: np.ndarray, fraction: float) -> np.ndarray: ...
def votes_needed(n_valid: int | np.ndarray, fraction: float) -> np.int64 | np.ndarray:
    """Smallest number of votes that is at least `fraction` of `n_valid` votes, and at least 1.

    `n_valid` is an integer or an integer array; the result has its shape, int64. The product is rounded to nine
    digits first, because 0.55 * 100 is 55.00000000000001 in floating point and must need 55 votes, not 56.
    """
    product = np.round(np.float64(fraction) * np.asarray(n_valid), 9)
    return np.maximum(1, np.ceil(product).astype(np.int64))


def decide(k: ArrayLike, n_valid: ArrayLike, fraction: float, min_valid: int = 1) -> np.ndarray:
    """True where `k` is at least `fraction` of `n_valid` votes, and `n_valid` at least `min_valid`.

    `k` and `n_valid` are integers or integer arrays of one shape; the result is boolean, of that shape.
    """
    k, n_valid = np.asarray(k), np.asarray(n_valid)
    # An image of millions of pixels has few different values of n_valid: one threshold for each of them.
    needed = votes_needed(np.arange(int(n_valid.max(initial=0)) + 1), fraction)
    needed[: max(1, min_valid)] = np.iinfo(np.int64).max
    decided = np.empty(k.shape, bool)
    reach(np.ravel(k), np.ravel(n_valid), needed, decided.reshape(-1))
    return decided


MAX_VOTES = np.iinfo(np.int16).max
# Images of votes take most of the memory of a vote, so they have the smallest type.
FEW_VOTES = np.iinfo(np.uint8).max


def check_n_votes(n_votes: int) -> None:
    """Raise ValueError if `n_votes` votes per pixel are more than an image of votes can hold."""
    if n_votes > MAX_VOTES:
        raise ValueError(
            f"{n_votes} votes per pixel (exposures or integrations), but at most {MAX_VOTES} can be counted"
        )


def widened(image: np.ndarray, n_votes: int) -> np.ndarray:
    """The image of counts, or a copy of it of 16 bits if it cannot hold `n_votes` votes."""
    return image.astype(np.int16) if n_votes > FEW_VOTES and image.dtype == np.uint8 else image


class Tally:
    """Running count of votes per pixel, images (y, x): `k` with a yes of `n_valid` valid votes.

    The counts are uint8 up to FEW_VOTES votes, then int16.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.n_added = 0
        self.k = np.zeros(shape, dtype=np.uint8)
        self.n_valid = np.zeros(shape, dtype=np.uint8)

    def add(self, yes: np.ndarray, valid: np.ndarray, rows: slice = slice(None)) -> None:
        """Count one vote per pixel: `yes` and `valid` are boolean images; a yes that is not valid does not count.

        The images may be blocks of `rows`; the first of them begins at row 0. Raises ValueError when there are more
        than MAX_VOTES, and for images of another shape.
        """
        if not np.shape(yes) == np.shape(valid) == self.k[rows].shape:
            raise ValueError(f"votes of shapes {np.shape(yes)} and {np.shape(valid)}, counted in {self.k[rows].shape}")
        if not rows.start:
            self.n_added += 1
            check_n_votes(self.n_added)
            self.k, self.n_valid = widened(self.k, self.n_added), widened(self.n_valid, self.n_added)
        k, n_valid = self.k[rows], self.n_valid[rows]
        # The images of a Tally are contiguous, so `reshape` gives views.
        count_votes(np.ravel(yes), np.ravel(valid), k.reshape(-1), n_valid.reshape(-1))
