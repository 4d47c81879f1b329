"""Compiled loops of the vote over the pixels: one pass over the images instead of one pass per operation."""

import numpy as np

from badpix.numerics.compiled import compiled, put_in_order


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
    largest: tuple[np.ndarray, np.ndarray],
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
        Votes and certain deviations, (above, below); added to. An empty image (0, 0) is not counted.
    total : image (y, x), float32
        Sum of `weight` times the deviations; added to. An empty image (0, 0) is not; then `strong` and `largest` are
        empty too.
    largest : pair of images (y, x), float32
        Largest and smallest of `weight` times the deviations; updated. An empty image (0, 0) is not.
    deviation : image (y, x), float32
        Filled with `values` - `centre`.
    """
    n_rows, n_columns = values.shape
    above, below = votes
    strong_above, strong_below = strong
    highest, lowest = largest
    counts_above, counts_below, sums = above.size > 0, below.size > 0, total.size > 0
    for y in range(n_rows):
        for x in range(n_columns):
            difference = values[y, x] - centre
            deviation[y, x] = difference
            if np.isnan(difference):
                continue
            n_valid[y, x] += 1
            if sums and weight > 0:  # 0 times infinity is NaN
                weighted = weight * difference
                total[y, x] += weighted
                if counts_above:
                    highest[y, x] = max(highest[y, x], weighted)
                if counts_below:
                    lowest[y, x] = min(lowest[y, x], weighted)
            magnitude = abs(difference)
            if not magnitude > min_deviation[y, x]:
                continue
            if difference > 0:
                if counts_above:
                    above[y, x] += magnitude > vote_limit
                    if sums:
                        strong_above[y, x] += magnitude > certain_limit
            elif counts_below:
                below[y, x] += magnitude > vote_limit
                if sums:
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


@compiled
def count_beyond(
    values: np.ndarray,
    limits: tuple[np.float32, np.float32],
    step: int,
    side: int,
    rows: np.ndarray,
    columns: np.ndarray,
    cells: np.ndarray,
) -> None:
    """Count the values beyond two limits in each row, column and cell.

    Parameters
    ----------
    values : image (y, x), float32
        NaN does not count.
    limits : pair of float32
        Lower and upper limit.
    step : int
        Every `step`-th value of a row counts, beginning with another column in the next row.
    side : int
        Side of the square cells in pixels.
    rows, columns, cells : int32 arrays (y, 2), (x, 2), (y of cells, x of cells, 2)
        Numbers of values below the lower limit and above the upper limit; added to.
    """
    n_rows, n_columns = values.shape
    low, high = limits
    for y in range(n_rows):
        for x in range(2 * y % step, n_columns, step):
            value = values[y, x]
            if value > high or value < low:
                beyond = 1 if value > high else 0
                rows[y, beyond] += 1
                columns[x, beyond] += 1
                cells[y // side, x // side, beyond] += 1


@compiled
def cell_quartiles(
    values: np.ndarray, side: int, chosen: np.ndarray, number: np.ndarray, quartiles: np.ndarray
) -> None:
    """The quartiles of the values that are not NaN in square cells.

    Parameters
    ----------
    values : image (y, x), float32
        NaN does not count.
    side : int
        Side of the cells in pixels.
    chosen : bool array (y of cells, x of cells)
        The cells to measure.
    number : int32 array (y of cells, x of cells)
        Filled with the number of values.
    quartiles : float32 array (y of cells, x of cells, 3)
        Filled with the first quartile, the median and the third quartile, where there are values.
    """
    n_rows, n_columns = values.shape
    inside = np.empty(side * side, np.float32)
    for row in range(chosen.shape[0]):
        for column in range(chosen.shape[1]):
            if not chosen[row, column]:
                continue
            n = 0
            for y in range(row * side, min(row * side + side, n_rows)):
                for x in range(column * side, min(column * side + side, n_columns)):
                    if not np.isnan(values[y, x]):
                        inside[n] = values[y, x]
                        n += 1
            number[row, column] = n
            if n:
                put_in_order(inside, n)
                for i in range(3):
                    quartiles[row, column, i] = inside[(n - 1) * (i + 1) // 4]


@compiled
def add_deviations(
    deviation: np.ndarray, weight: np.float32, n: np.ndarray, total: np.ndarray, squares: np.ndarray
) -> None:
    """Add the finite deviations of an integration, times `weight`, to the sums of its exposure.

    `deviation`, `total` and `squares` are float32 images (y, x), `n` is an int16 image.
    """
    n_rows, n_columns = deviation.shape
    for y in range(n_rows):
        for x in range(n_columns):
            value = deviation[y, x] * weight
            if np.isfinite(value):
                n[y, x] += 1
                total[y, x] += value
                squares[y, x] += value * value


@compiled
def add_exposure_sums(
    exposure: tuple[np.ndarray, np.ndarray, np.ndarray],
    kept: tuple[np.ndarray, np.ndarray, np.ndarray],
    worst: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Add the sums of an exposure to `kept`, except those of the most deviating exposure so far, which are in `worst`.

    Each tuple has the number of values (int16), their sum and their sum of squares (float32), images (y, x). The most
    deviating exposure has the largest mean square. The sums of `exposure` are set to 0 for the next exposure.
    """
    n, total, squares = exposure
    n_kept, total_kept, squares_kept = kept
    n_worst, total_worst, squares_worst = worst
    n_rows, n_columns = n.shape
    for y in range(n_rows):
        for x in range(n_columns):
            if n[y, x] == 0:
                continue
            n_add, total_add, squares_add = n[y, x], total[y, x], squares[y, x]
            # Of the quotients, multiplied out.
            if squares_add * n_worst[y, x] > squares_worst[y, x] * n_add or n_worst[y, x] == 0:
                n_add, n_worst[y, x] = n_worst[y, x], n_add
                total_add, total_worst[y, x] = total_worst[y, x], total_add
                squares_add, squares_worst[y, x] = squares_worst[y, x], squares_add
            n_kept[y, x] += n_add
            total_kept[y, x] += total_add
            squares_kept[y, x] += squares_add
            n[y, x], total[y, x], squares[y, x] = 0, 0, 0
