"""The typical value along paths through an image that follow curved structures."""

from dataclasses import dataclass

import numpy as np

from badpix.numerics.compiled import compiled, put_in_order

# A path with fewer values has no typical value.
MIN_VALUES = 5


# Near the border a symmetric path has at least so many rows on each side that has rows.
LEAST = 5


@dataclass(frozen=True)
class Path:
    """Rows up to `reach` before and after a pixel, of which every `step`-th counts.

    `symmetric`: near the border, paths have as few rows on the other side (but LEAST), so that the typical value of a
    slope is not biased.
    """

    reach: int
    step: int = 1
    symmetric: bool = False


def typical_along(image: np.ndarray, shift: np.ndarray, path: Path, quantile: float) -> np.ndarray:
    """Median of the values on the path of each pixel, without values below half of their `quantile`: float64 (y, x).

    Parameters
    ----------
    image : float array (y, x)
        Values; those that are not finite do not count.
    shift : float array (y, x)
        Position of the structure in x, relative to other rows: the path of the pixel (y, x) has the pixels
        (row, x + shift[row, x] - shift[y, x]), rounded to the nearest column.
    path : Path
        The rows of the path.
    quantile : float
        Between 0 and 1. With 0.8, up to 80% of the path may be dark.

    Returns
    -------
    float64 array (y, x)
        NaN with fewer than MIN_VALUES values.
    """
    result = np.empty(image.shape)
    values, shift = np.ascontiguousarray(image, np.float64), np.ascontiguousarray(shift, np.float64)
    least = min(LEAST, path.reach) if path.symmetric else path.reach
    _typical_along(values, shift, (path.reach, path.step, least), quantile, result)
    return result


@compiled
def _typical_along(
    image: np.ndarray, shift: np.ndarray, rows: tuple[int, int, int], quantile: float, result: np.ndarray
) -> None:
    n_y, n_x = image.shape
    longest, step, least = rows
    path = np.empty(2 * (longest // step) + 1)
    for y in range(n_y):
        reach = max(min(longest, y, n_y - 1 - y), least)
        first = y - min(reach, y) // step * step
        end = min(n_y, y + reach + 1)
        for x in range(n_x):
            number = 0
            for row in range(first, end, step):
                column = x + int(np.rint(shift[row, x] - shift[y, x]))
                if 0 <= column < n_x and np.isfinite(image[row, column]):
                    path[number] = image[row, column]
                    number += 1
            if number < MIN_VALUES:
                result[y, x] = np.nan
                continue
            put_in_order(path, number)
            low = 0
            limit = path[int(quantile * (number - 1))] / 2
            while low < number - 1 and path[low] < limit:
                low += 1
            middle = low + number
            if middle % 2:
                result[y, x] = path[middle // 2]
            else:
                result[y, x] = (path[middle // 2 - 1] + path[middle // 2]) / 2
