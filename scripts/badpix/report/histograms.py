"""Histograms that are filled image by image. The first image and the thresholds set their range."""

from collections.abc import Iterable

import numpy as np

from badpix.vote.significance import typical_level_and_scatter

BINS = 160
# Half width of the range: in standard deviations of the typical scatter, and in distances of the outermost threshold.
RANGE_SIGMAS = 8
BEYOND_THRESHOLD = 1.5


class Histogram:
    """Counts of a quantity. The first and the last bin include the values outside the range."""

    def __init__(self, low: float, high: float, bins: int = BINS) -> None:
        self.low, self.high = float(low), float(high)
        self.counts = np.zeros(bins, np.int64)
        self.n_missing = 0

    @property
    def edges(self) -> np.ndarray:
        return np.linspace(self.low, self.high, self.counts.size + 1)

    @classmethod
    def around(cls, values: np.ndarray, limits: Iterable[float], whole_numbers: bool = False) -> "Histogram":
        """An empty histogram with a range for the typical `values` (any shape) and all `limits` (numbers).

        The range starts at 0 or above if no value is negative.
        """
        centre, sigma = typical_level_and_scatter(values)
        if not np.isfinite(centre):
            centre, sigma = 0.0, 1.0
        reach = max(RANGE_SIGMAS * sigma, *(BEYOND_THRESHOLD * abs(limit - centre) for limit in limits), 1e-9)
        low, high = centre - reach, centre + reach
        if np.all(~(values < 0)):
            low = max(low, 0.0)
        if not whole_numbers:
            return cls(low, high)
        high = int(np.ceil(max([10.0, *(BEYOND_THRESHOLD * limit for limit in limits)])))
        return cls(-0.5, high + 0.5, high + 1)

    def add(self, values: np.ndarray) -> None:
        """Count `values` (any shape); NaN are counted in `n_missing`."""
        finite = values[~np.isnan(values)] if values.dtype.kind == "f" else values.ravel()
        self.n_missing += values.size - finite.size
        scale = self.counts.size / (self.high - self.low)
        with np.errstate(over="ignore", invalid="ignore"):
            bins = np.clip((finite.astype(np.float32) - self.low) * scale, 0, self.counts.size - 1)
        self.counts += np.bincount(bins.astype(np.int32), minlength=self.counts.size)
