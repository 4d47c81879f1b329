"""Compiled loops of the vote over the pixels: one pass over the images instead of one pass per operation."""

import numpy as np

from badpix.numerics.compiled import compiled


@compiled
def count_outliers(
    values: np.ndarray,
    centre: np.float32,
    vote_limit: np.float32,
    certain_limit: np.float32,
    weight: np.float32,
    min_deviation: np.ndarray,
    n_valid: np.ndarray,
    votes: tuple[np.ndarray, np.ndarray],
    strong: tuple[np.ndarray, np.ndarray],
    total: np.ndarray,
    deviation: np.ndarray,
) -> None:
    """Count the pixels that deviate from `centre` by more than the limits, and keep their deviations.

    Parameters
    ----------
    values : image (y, x), float32
        NaN abstains.
    centre, vote_limit, certain_limit : float32
        A pixel has a vote when its absolute deviation exceeds both `vote_limit` and `min_deviation`. It is certain
        when the deviation exceeds `certain_limit` and `min_deviation`.
    weight : float32
        Factor of the deviations in `total`, at least 0.
    min_deviation : image (y, x), float32
        Smallest absolute deviation that counts.
    n_valid : image (y, x), int16
        Number of values that are not NaN; added to.
    votes, strong : pairs of images (y, x), int16
        Votes and certain deviations, (above, below); added to.
    total : image (y, x), float32
        Sum of `weight` times the deviations; added to.
    deviation : image (y, x), float32
        Filled with `values` - `centre`.
    """
    n_rows, n_columns = values.shape
    above, below = votes
    strong_above, strong_below = strong
    for y in range(n_rows):
        for x in range(n_columns):
            difference = values[y, x] - centre
            deviation[y, x] = difference
            if np.isnan(difference):
                continue
            n_valid[y, x] += 1
            if weight > 0:  # 0 times infinity is NaN
                total[y, x] += weight * difference
            magnitude = abs(difference)
            if not magnitude > min_deviation[y, x]:
                continue
            if difference > 0:
                above[y, x] += magnitude > vote_limit
                strong_above[y, x] += magnitude > certain_limit
            else:
                below[y, x] += magnitude > vote_limit
                strong_below[y, x] += magnitude > certain_limit


@compiled
def reach(k: np.ndarray, n_valid: np.ndarray, needed: np.ndarray, decided: np.ndarray) -> None:
    """Set `decided` (boolean) to `k` >= `needed[n_valid]`; all flat, and of one length except `needed`."""
    for i in range(k.size):
        decided[i] = k[i] >= needed[n_valid[i]]


@compiled
def count_votes(yes: np.ndarray, valid: np.ndarray, k: np.ndarray, n_valid: np.ndarray) -> None:
    """Add 1 to `n_valid` where `valid`, and to `k` where `yes` and `valid`.

    All are flat arrays of one length: `yes` and `valid` boolean, `k` and `n_valid` integer.
    """
    for i in range(k.size):
        n_valid[i] += valid[i]
        k[i] += yes[i] & valid[i]


@compiled
def add_clean_slopes(
    slope: np.ndarray, clean: np.ndarray, n: np.ndarray, mean: np.ndarray, sum_squares: np.ndarray
) -> None:
    """Update the running mean and sum of squares of each pixel (Welford 1962).

    Parameters
    ----------
    slope : image (y, x), float32
    clean : image (y, x), boolean
        Pixels whose `slope` counts.
    n, mean, sum_squares : images (y, x), int32, float64, float64
        Number of slopes, their mean, and the sum of squared deviations from the mean; changed in place.
    """
    n_rows, n_columns = slope.shape
    for y in range(n_rows):
        for x in range(n_columns):
            if clean[y, x]:
                value = np.float64(slope[y, x])
                n[y, x] += 1
                delta = value - mean[y, x]
                mean[y, x] += delta / n[y, x]
                sum_squares[y, x] += delta * (value - mean[y, x])
