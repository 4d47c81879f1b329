"""Mean and standard deviation of a distribution with outliers."""

import numpy as np
from astropy.stats import sigma_clip


def clipped_mean_std(values, sigma, max_iterations=None):
    """Mean and population standard deviation of what sigma clipping about the median leaves.

    `values` has any shape; NaN and infinities are ignored. `max_iterations=None` clips to convergence.
    Returns (mean, std, number of finite values) with float64 arithmetic; NaNs when nothing is finite.
    """
    finite = np.asarray(values)[np.isfinite(values)].astype(np.float64)
    if finite.size == 0:
        return np.nan, np.nan, 0
    kept = sigma_clip(finite, sigma=sigma, maxiters=max_iterations, masked=False)
    return float(np.mean(kept)), float(np.std(kept)), finite.size
