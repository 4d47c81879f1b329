"""Mean and standard deviation of a distribution with outliers."""

from collections.abc import Sequence
from itertools import count

import numpy as np

# Default of astropy; the official algorithm has no keyword for the number of iterations for flats.
CLIP_ITERATIONS = 5


def _mean_std(values: np.ndarray) -> tuple[float, float]:
    """Mean and population standard deviation of float64 `values` (one axis) that scatter about 0."""
    mean = values.mean()
    return mean, np.sqrt(max(0.0, np.einsum("i,i", values, values) / values.size - mean**2))


def clipped_mean_std(
    values: np.ndarray | Sequence[float], sigma: float, max_iterations: int | None = None
) -> tuple[float, float, int]:
    """Mean and population standard deviation after sigma clipping about the median.

    `values` has any shape; NaN and infinities are ignored. `max_iterations=None` clips to convergence. Returns (mean,
    std, number of finite values), computed in float64; mean and std are NaN without a finite value.

    The values left are those of `astropy.stats.sigma_clip`. astropy computes the median of all values in each
    iteration; here the values are sorted once, so that the values left are a slice with its median in the middle. With
    mean and standard deviation, four million values take 0.06 s, with astropy 0.54 s (`benchmarks/plain.py`).
    """
    ordered = np.asarray(values)
    ordered = ordered[np.isfinite(ordered)]
    if ordered.size == 0:
        return np.nan, np.nan, 0
    ordered.sort()
    # Distances from the median: the squares of large values would lose a small scatter to rounding.
    centre = float(ordered[ordered.size // 2])
    distances = ordered.astype(np.float64) - centre
    low, high = kept = 0, ordered.size
    for _ in count() if max_iterations is None else range(max_iterations):
        n_left = high - low
        median = (distances[low + (n_left - 1) // 2] + distances[low + n_left // 2]) / 2
        spread = sigma * _mean_std(distances[low:high])[1]
        limits = distances.searchsorted(median - spread, "left"), distances.searchsorted(median + spread, "right")
        inner = max(low, limits[0]), min(high, limits[1])
        if inner[0] >= inner[1]:
            break
        # As in astropy, all values within the last limits are kept, also values clipped before.
        kept = limits
        if inner == (low, high):
            break
        low, high = inner
    mean, std = _mean_std(distances[slice(*kept)])
    return float(centre + mean), float(std), ordered.size
