"""Mean and standard deviation of a distribution with outliers."""

from itertools import count

import numpy as np

# astropy's own default; the specification has no keyword for the flats' clipping.
CLIP_ITERATIONS = 5


def _mean_std(values):
    """Mean and population standard deviation of float64 `values` that scatter about 0."""
    mean = values.mean()
    return mean, np.sqrt(max(0.0, np.einsum("i,i", values, values) / values.size - mean**2))


def clipped_mean_std(values, sigma, max_iterations=None):
    """Mean and population standard deviation of what sigma clipping about the median leaves.

    `values` has any shape; NaN and infinities are ignored. `max_iterations=None` clips to convergence.
    Returns (mean, std, number of finite values) with float64 arithmetic; NaNs when nothing is finite.

    The values left are those of `astropy.stats.sigma_clip`. The loop is here because astropy looks for the median of
    all values in each iteration: of sorted values those left are a slice, whose median is known by its place. Four
    million values, with mean and standard deviation, take 0.06 s where astropy takes 0.54 s (`benchmarks/plain.py`).
    """
    values = np.asarray(values)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return np.nan, np.nan, 0
    values.sort()
    # Distances from the median, because the squares of large values would swallow a small scatter.
    centre = float(values[values.size // 2])
    distances = values.astype(np.float64) - centre
    low, high = kept = 0, values.size
    for _ in count() if max_iterations is None else range(max_iterations):
        number = high - low
        median = (distances[low + (number - 1) // 2] + distances[low + number // 2]) / 2
        spread = sigma * _mean_std(distances[low:high])[1]
        limits = distances.searchsorted(median - spread, "left"), distances.searchsorted(median + spread, "right")
        inner = max(low, limits[0]), min(high, limits[1])
        if inner[0] >= inner[1]:
            break
        # What lies within the last limits stays, even if it had gone before.
        kept = limits
        if inner == (low, high):
            break
        low, high = inner
    mean, std = _mean_std(distances[slice(*kept)])
    return float(centre + mean), float(std), values.size
