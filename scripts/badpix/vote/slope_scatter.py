"""Scatter of the jump-free slopes of each pixel, for the official search of noisy pixels."""

import numpy as np

from badpix.vote.kernels import add_clean_slopes


def _typical(std: np.ndarray, n: np.ndarray) -> float:
    """Median scatter (DN/s) of the pixels with at least two slopes and any scatter; 0 without."""
    values = std[(n > 1) & (std > 0)]
    return float(np.median(values)) if values.size else 0.0


class SlopeScatter:
    """Running mean and scatter of the jump-free slopes per pixel (Welford 1962), float64 images (y, x).

    Slopes of fewer groups have more noise: in one scatter of all slopes they would hide the noise of the rest, and few
    values would decide. Slopes of one number of groups are compared with each other only. Their squared deviations are
    divided by the squared typical scatter of their number of groups, summed over the numbers of groups, and multiplied
    by the squared typical scatter of the first. With a single number of groups that is the plain scatter.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.n_groups: int | None = None
        self._begin()
        # Of the numbers of groups that are complete: slopes of pixels with at least two, and their scaled squares.
        self.n_before: np.ndarray | None = None
        self.scaled_squares = np.zeros((0, 0))
        self.unit = 0.0

    def _begin(self) -> None:
        self.n = np.zeros(self.shape, dtype=np.int32)
        self.mean = np.zeros(self.shape)
        self.sum_squares = np.zeros(self.shape)

    def add(self, slope: np.ndarray, clean: np.ndarray, n_groups: int, rows: slice = slice(None)) -> None:
        """Add image `slope` (DN/s), measured from `n_groups` groups, where boolean image `clean` is True.

        The images may be blocks of `rows`.
        """
        if self.n_groups not in (None, n_groups):
            self.n_before, self.scaled_squares, self.unit = self._with_current()
            self._begin()
        self.n_groups = n_groups
        slope = slope.astype(np.float32, copy=False)
        add_clean_slopes(slope, clean, self.n[rows], self.mean[rows], self.sum_squares[rows])

    def _std(self) -> np.ndarray:
        return np.sqrt(self.sum_squares / np.maximum(self.n, 1))

    def _with_current(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Numbers of slopes, scaled squares and unit, with those of the current number of groups."""
        typical = _typical(self._std(), self.n)
        # A single slope has no scatter within its number of groups.
        n = np.where(self.n > 1, self.n, 0) if typical > 0 else np.zeros_like(self.n)
        squares = self.sum_squares / typical**2 if typical > 0 else np.zeros(self.shape)
        if self.n_before is None:
            return n, squares, typical
        return self.n_before + n, self.scaled_squares + squares, self.unit or typical

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Population standard deviation (DN/s) of the slopes and their number, images (y, x).

        The scatter is 0 for pixels without two slopes of one number of groups. With several numbers of groups, only
        slopes of which a pixel has at least two of one number count.
        """
        if self.n_before is None:
            return self._std(), self.n
        n, squares, unit = self._with_current()
        return np.sqrt(squares / np.maximum(n, 1)) * unit, n
