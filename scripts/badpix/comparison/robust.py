"""Medians, scatters and regression that a minority of wrong values does not change."""

import numpy as np

# Standard deviation of a normal distribution / its median absolute deviation.
SIGMA_PER_MAD = 1.4826
# Values beyond so many scatters are left out of a regression, or are set to this limit.
LIMIT_SIGMA = 3


def median_along(values: np.ndarray) -> np.ndarray:
    """The median of the finite values along the first axis (the lower middle value); NaN without finite values."""
    ordered = np.sort(np.where(np.isfinite(values), values, np.nan), axis=0)
    number = np.isfinite(ordered).sum(axis=0)
    middle = np.maximum(number - 1, 0) // 2
    return np.take_along_axis(ordered, middle[np.newaxis], axis=0)[0]


def medians_without_one(values: np.ndarray) -> np.ndarray:
    """What `median_of_others` needs of the array `values` (row, column), at least two rows: (5, column).

    For each column its median; a pivot; and the medians without a row whose value is below, at, or above the pivot.
    """
    middle = median_along(values)
    finite = np.isfinite(values)
    ordered = np.sort(values if finite.all() else np.where(finite, values, middle), axis=0)
    half, odd = divmod(len(values), 2)
    if not odd:
        low, high = ordered[half - 1 : half + 1]
        return np.array([middle, low, high, high, low])
    low, pivot, high = ordered[half - 1 : half + 2]
    return np.array([middle, pivot, (pivot + high) / 2, (low + high) / 2, (low + pivot) / 2])


def median_of_others(row: np.ndarray, medians: np.ndarray) -> np.ndarray:
    """The median of all rows but `row`, column by column; `medians` are the `medians_without_one` of all rows.

    A value that is not finite is replaced by the median of its column; a column without finite values stays NaN.
    """
    middle, pivot, without_lower, without_pivot, without_higher = medians
    filled = np.where(np.isfinite(row), row, middle)
    return np.where(filled < pivot, without_lower, np.where(filled > pivot, without_higher, without_pivot))


def centre_and_scatter(values: np.ndarray) -> tuple[float, float]:
    """Median and scatter (1.4826 x the median absolute deviation) of the finite values; NaN without finite values."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.nan, np.nan
    centre = float(np.median(finite))
    return centre, SIGMA_PER_MAD * float(np.median(np.abs(finite - centre)))


def slope_on(pattern: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """The coefficient of the regression of `values` on `pattern`, and its standard error.

    Bad pixels have no weight: pairs whose pattern is beyond LIMIT_SIGMA scatters are left out, and values beyond are
    set to this limit. NaN with less than three pairs, and for a constant pattern.
    """
    centre, scatter = centre_and_scatter(pattern)
    both = (np.abs(pattern - centre) <= LIMIT_SIGMA * scatter) & np.isfinite(values)
    if both.sum() < 3 or scatter == 0:
        return np.nan, np.nan
    x, y = pattern[both] - centre, values[both]
    centre, scatter = centre_and_scatter(y)
    y = np.clip(y - centre, -LIMIT_SIGMA * scatter, LIMIT_SIGMA * scatter)
    power = float(x @ x)
    coefficient = float(x @ y) / power
    return coefficient, float(np.sqrt(np.mean((y - coefficient * x) ** 2) / power))
