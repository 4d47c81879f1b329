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
    within = slice(low, high)
    while max_iterations is None or iteration < max_iterations:
        number = high - low
        median = (ordered[low + (number - 1) // 2] + ordered[low + number // 2]) / 2
        mean_square = (squares[high] - squares[low]) / number
        spread = sigma * np.sqrt(max(0.0, mean_square - ((sums[high] - sums[low]) / number) ** 2))
        # What lies within the last limits stays, even if it had gone before.
        limits = np.searchsorted(ordered, median - spread, "left"), np.searchsorted(ordered, median + spread, "right")
        inner_low, inner_high = max(low, int(limits[0])), min(high, int(limits[1]))
        if inner_low >= inner_high:
            break
        within = slice(*limits)
        if (inner_low, inner_high) == (low, high):
            break
        low, high, iteration = inner_low, inner_high, iteration + 1
    kept = ordered[within]
    return float(np.mean(kept)), float(np.std(kept)), ordered.size
