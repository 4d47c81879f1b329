"""Mean and standard deviation of a distribution with outliers."""

import numpy as np

# astropy's own default; the specification has no keyword for the flats' one.
CLIP_ITERATIONS = 5


def clipped_mean_std(values, sigma, max_iterations=None):
    """Mean and population standard deviation of what sigma clipping about the median leaves.

    `values` has any shape; NaN and infinities are ignored. `max_iterations=None` clips to convergence.
    Returns (mean, std, number of finite values) with float64 arithmetic; NaNs when nothing is finite.

    What `astropy.stats.sigma_clip` leaves; but of sorted values what is kept is a slice, so that each iteration costs
    next to nothing where astropy looks for the median of millions of values again.
    """
    values = np.asarray(values)
    ordered = np.sort(values[np.isfinite(values)]).astype(np.float64)
    if ordered.size == 0:
        return np.nan, np.nan, 0
    # Sums of distances from the median up to each value, and of their squares, which are small near it.
    distance = ordered - ordered[ordered.size // 2]
    sums, squares = (np.concatenate([[0.0], np.cumsum(powers)]) for powers in (distance, distance**2))
    low, high, iteration = 0, ordered.size, 0
    while max_iterations is None or iteration < max_iterations:
        number = high - low
        median = (ordered[low + (number - 1) // 2] + ordered[low + number // 2]) / 2
        mean_square = (squares[high] - squares[low]) / number
        spread = np.sqrt(max(0.0, mean_square - ((sums[high] - sums[low]) / number) ** 2))
        inner_low = max(low, int(np.searchsorted(ordered, median - sigma * spread, "left")))
        inner_high = min(high, int(np.searchsorted(ordered, median + sigma * spread, "right")))
        if (inner_low, inner_high) == (low, high) or inner_low >= inner_high:
            break
        low, high, iteration = inner_low, inner_high, iteration + 1
    kept = ordered[low:high]
    return float(np.mean(kept)), float(np.std(kept)), ordered.size
