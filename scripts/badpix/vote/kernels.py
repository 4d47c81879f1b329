"""Loops of the vote over the pixels, compiled: one pass instead of one per operation."""

import numpy as np

from badpix.numerics.compiled import compiled


@compiled
def count_outliers(values, centre, vote, certain, least, n_valid, votes, strong, total, deviation):
    """Count the pixels of `values` (float32 image (y, x)) that lie beyond the limits, and keep their deviations.

    `centre`, `vote` and `certain` are numbers, float32: a vote needs an deviation beyond `vote` on either side and beyond
    `least` (float32 image), and is beyond doubt beyond `certain` too. `votes` and `strong` are pairs of int16 images
    (above, below), `n_valid` an int16 image and `total` a float32 image, all added to; `deviation` (float32 image) is
    filled. NaN abstains.
    """
    n_rows, n_columns = values.shape
    above, below = votes
    strong_above, strong_below = strong
    for y in range(n_rows):
        for x in range(n_columns):
            height = values[y, x] - centre
            deviation[y, x] = height
            if np.isnan(height):
                continue
            n_valid[y, x] += 1
            total[y, x] += height
            size = abs(height)
            if not size > least[y, x]:
                continue
            if height > 0:
                above[y, x] += size > vote
                strong_above[y, x] += size > certain
            else:
                below[y, x] += size > vote
                strong_below[y, x] += size > certain


@compiled
def reach(k, n_valid, needed, decided):
    """Fill `decided` (boolean) with whether `k` is at least `needed[n_valid]`; all but `needed` have one length."""
    for i in range(k.size):
        decided[i] = k[i] >= needed[n_valid[i]]


@compiled
def count_votes(yes, valid, k, n_valid):
    """Add 1 to `n_valid` where `valid` and to `k` where `yes` too: flat arrays of one length, boolean and integer."""
    for i in range(k.size):
        n_valid[i] += valid[i]
        k[i] += yes[i] & valid[i]


@compiled
def add_clean_slopes(slope, clean, n, mean, sum_squares):
    """Take `slope` (float32 image (y, x)) into the running mean and sum of squares where `clean` (boolean image).

    After Welford (1962): `n` (int32), `mean` and `sum_squares` (float64) are images, changed in place.
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
