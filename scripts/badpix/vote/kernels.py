"""Compiled loops of the vote over the pixels: one pass over the images instead of one pass per operation."""

import numpy as np

from badpix.numerics.compiled import compiled, put_in_order


@compiled
def count_outliers(
    values: np.ndarray,
    level: np.ndarray,
    smooth: np.ndarray,
    part_of_level: np.float32,
    corners: tuple[int, int, int, int],
    centre: np.float32,
    vote_limit: np.float32,
    certain_limit: np.float32,
    weight: np.float32,
    floor: np.ndarray,
    least: np.float32,
    n_valid: np.ndarray,
    votes: tuple[np.ndarray, np.ndarray],
    strong: tuple[np.ndarray, np.ndarray],
    total: np.ndarray,
    largest: tuple[np.ndarray, np.ndarray],
    deviation: np.ndarray,
) -> None:
    """Count the pixels that deviate from `centre` by more than the limits, and keep their deviations.

    All images are (y, x) and of the whole array. An empty image (0, 0) is not used.

    Parameters
    ----------
    values : image, float32
        NaN abstains.
    level, smooth : images, float32
        The local level, which is subtracted from `values`, and the part of it that hides `part_of_level` times its
        size.
    part_of_level : float32
    corners : tuple of int
        First row, end row, first column and end column of the pixels to count.
    centre, vote_limit, certain_limit : float32
        A pixel has a vote when its absolute deviation exceeds `vote_limit`, `floor`, `least` and what the level hides.
        It is certain when the deviation exceeds `certain_limit` in place of `vote_limit`.
    weight : float32
        Factor of the deviations in `total`, at least 0.
    floor : image, float32
        Smallest absolute deviation that counts; NaN: none counts.
    least : float32
        The same for all pixels.
    n_valid : image, int16
        Number of values that are not NaN; added to.
    votes, strong : pairs of images, int16
        Votes and certain deviations, (above, below); added to.
    total : image, float32
        Sum of `weight` times the deviations; added to. If it is empty, `strong` and `largest` are not used.
    largest : pair of images, float32
        Largest and smallest of `weight` times the deviations; updated.
    deviation : array (row - first row, x), float32
        Filled with the deviations.
    """
    first_row, end_row, left, right = corners
    difference, limit = np.empty(right - left, np.float32), np.empty(right - left, np.float32)
    sums, keeps = total.size > 0, deviation.size > 0
    for y in range(first_row, end_row):
        _deviations(values[y, left:right], _row(level, y, left, right), centre, difference)
        if keeps:
            deviation[y - first_row, left:right] = difference
        _limits(_row(floor, y, left, right), _row(smooth, y, left, right), least, part_of_level, limit)
        _count_valid(difference, n_valid[y, left:right])
        if sums and weight > 0:  # 0 times infinity is NaN
            _add_weighted(difference, weight, total[y, left:right])
        for side in range(2):
            if votes[side].size:
                sign = np.float32(1 - 2 * side)
                if sums and weight > 0:
                    _keep_largest(difference, weight, sign, largest[side][y, left:right])
                _count_beyond(difference, sign, limit, vote_limit, votes[side][y, left:right])
                if sums:
                    _count_beyond(difference, sign, limit, certain_limit, strong[side][y, left:right])


# Each of these loops over a row is so simple that the compiler uses vector instructions.


@compiled
def _row(image: np.ndarray, y: int, left: int, right: int) -> np.ndarray:
    """The pixels `left` to `right` of a row; an empty array of an empty image."""
    return image[y, left:right] if image.size else image[0:0].reshape(0)


@compiled
def _deviations(values: np.ndarray, level: np.ndarray, centre: np.float32, difference: np.ndarray) -> None:
    if level.size:
        for x in range(difference.size):
            difference[x] = values[x] - level[x] - centre
    else:
        for x in range(difference.size):
            difference[x] = values[x] - centre


@compiled
def _limits(
    floor: np.ndarray, smooth: np.ndarray, least: np.float32, part_of_level: np.float32, limit: np.ndarray
) -> None:
    """The largest of `least`, `floor` and the hidden part of the level; NaN where `floor` is NaN."""
    if floor.size:
        for x in range(limit.size):
            limit[x] = floor[x]
    else:
        limit[:] = least
    if smooth.size:
        for x in range(limit.size):
            hidden = part_of_level * abs(smooth[x])
            limit[x] = hidden if hidden > limit[x] else limit[x]


@compiled
def _count_valid(difference: np.ndarray, n_valid: np.ndarray) -> None:
    for x in range(difference.size):
        n_valid[x] += difference[x] == difference[x]


@compiled
def _add_weighted(difference: np.ndarray, weight: np.float32, total: np.ndarray) -> None:
    zero = np.float32(0)
    for x in range(difference.size):
        total[x] += weight * difference[x] if difference[x] == difference[x] else zero


@compiled
def _keep_largest(difference: np.ndarray, weight: np.float32, sign: np.float32, largest: np.ndarray) -> None:
    """`largest` begins with 0, so a value on the other side changes nothing."""
    for x in range(difference.size):
        weighted = weight * difference[x]
        largest[x] = weighted if sign * weighted > sign * largest[x] else largest[x]


@compiled
def _count_beyond(
    difference: np.ndarray, sign: np.float32, limit: np.ndarray, least: np.float32, count: np.ndarray
) -> None:
    """Add 1 to `count` where the difference on the side `sign` exceeds both `limit` and `least`."""
    for x in range(difference.size):
        on_side = sign * difference[x]
        count[x] += (on_side > limit[x]) & (on_side > least)


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
    for y in range(slope.shape[0]):
        _add_clean_row(slope[y], clean[y], n[y], mean[y], sum_squares[y])


@compiled
def _add_clean_row(
    slope: np.ndarray, clean: np.ndarray, n: np.ndarray, mean: np.ndarray, sum_squares: np.ndarray
) -> None:
    """`add_clean_slopes` for a row, without branches: the compiler uses vector instructions then."""
    for x in range(slope.size):
        is_clean = clean[x]
        value = np.float64(slope[x]) if is_clean else mean[x]
        n_after = n[x] + is_clean
        delta = value - mean[x]
        mean_after = mean[x] + delta / max(n_after, 1)
        sum_squares[x] += delta * (value - mean_after)
        mean[x] = mean_after
        n[x] = n_after


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


@compiled
def add_exposure(
    deviation: np.ndarray,
    weight: np.float32,
    kept: tuple[np.ndarray, np.ndarray, np.ndarray],
    worst: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """`add_deviations` and `add_exposure_sums` for an exposure of a single integration, in one pass."""
    for y in range(deviation.shape[0]):
        _add_row(
            deviation[y], weight, kept[0][y], kept[1][y], kept[2][y], worst[0][y], worst[1][y], worst[2][y]
        )  # fmt: skip


@compiled
def _add_row(
    deviation: np.ndarray,
    weight: np.float32,
    n_kept: np.ndarray,
    total_kept: np.ndarray,
    squares_kept: np.ndarray,
    n_worst: np.ndarray,
    total_worst: np.ndarray,
    squares_worst: np.ndarray,
) -> None:
    """`add_exposure` for a row, without branches: the compiler uses vector instructions then."""
    zero = np.float32(0)
    for x in range(deviation.size):
        value = deviation[x] * weight
        is_valid = abs(value) < np.inf
        value = value if is_valid else zero
        square = value * value
        n, total, squares = n_worst[x], total_worst[x], squares_worst[x]
        is_worst = is_valid & ((square * n > squares) | (n == 0))
        is_kept = is_valid & ~is_worst
        n_worst[x] = 1 if is_worst else n
        total_worst[x] = value if is_worst else total
        squares_worst[x] = square if is_worst else squares
        n_kept[x] += n if is_worst else is_kept
        total_kept[x] += total if is_worst else value
        squares_kept[x] += squares if is_worst else square
