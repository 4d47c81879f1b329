"""Histograms that are filled image by image, on a range that the first image and the thresholds give."""

import numpy as np

from badpix.vote.significance import typical_level_and_scatter

BINS = 160
# The range reaches so many standard deviations of the bulk, and a little beyond the outermost threshold.
BULK_SIGMAS = 8
BEYOND = 1.5


class Histogram:
    """Counts of one quantity; what lies outside of the range is in the first and the last bin."""

    def __init__(self, low, high, bins=BINS):
        self.low, self.high = float(low), float(high)
        self.counts = np.zeros(bins, np.int64)
        self.n_missing = 0

    @property
    def edges(self):
        return np.linspace(self.low, self.high, self.counts.size + 1)

    @classmethod
    def around(cls, values, limits, whole_numbers=False):
        """An empty histogram that shows the bulk of `values` (any shape) and all `limits` (numbers)."""
        centre, sigma = typical_level_and_scatter(values)
        if not np.isfinite(centre):
            centre, sigma = 0.0, 1.0
        reach = max(BULK_SIGMAS * sigma, *(BEYOND * abs(limit - centre) for limit in limits), 1e-9)
        low, high = centre - reach, centre + reach
        if not whole_numbers:
            return cls(low, high)
        high = int(np.ceil(max([10.0, *(BEYOND * limit for limit in limits)])))
        return cls(-0.5, high + 0.5, high + 1)

    def add(self, values):
        """Count `values` (any shape); NaN is counted apart."""
        finite = values[~np.isnan(values)] if values.dtype.kind == "f" else values.ravel()
        self.n_missing += values.size - finite.size
        scale = self.counts.size / (self.high - self.low)
        with np.errstate(over="ignore", invalid="ignore"):
            place = np.clip((finite.astype(np.float32) - self.low) * scale, 0, self.counts.size - 1)
        self.counts += np.bincount(place.astype(np.int32), minlength=self.counts.size)
