"""A sample of the pixels of an image: pairs of neighbours, and cells.

The difference between two neighbours contains the differences from pixel to pixel, and neither gradients nor the
offsets of amplifiers. The neighbour is two rows and two columns away, so that both pixels are in even or both in odd
rows and columns.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from badpix.comparison.robust import SIGMA_PER_MAD, median_along

NEIGHBOUR = 2
# The largest number of pairs: more do not change the result, and cost time.
MAX_PAIRS = 65536
# Cells along an axis, and the smallest side (pixels) of a cell.
MAX_CELLS, MIN_CELL = 16, 8


def neighbours(values: np.ndarray) -> np.ndarray:
    """The neighbour of each first pixel, (row, column), from an array of `Sample.read`; NaN without a neighbour."""
    return np.pad(values[1, :, NEIGHBOUR:], ((0, 0), (0, NEIGHBOUR)), constant_values=np.nan)


@dataclass(frozen=True)
class Sample:
    """The sampled pixels of images (y, x), all in whole rows; `science` is a boolean image of the science pixels."""

    science: np.ndarray

    @cached_property
    def _box(self) -> tuple[slice, slice]:
        """The rows and columns between the first and the last science pixel."""
        rows, columns = (np.flatnonzero(self.science.any(axis=axis)) for axis in (1, 0))
        return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)

    @cached_property
    def _rows(self) -> np.ndarray:
        """The rows of the first pixels of the pairs, evenly spaced."""
        box, columns = self._box
        rows = np.arange(box.start, max(box.start + 1, box.stop - NEIGHBOUR))
        number = min(len(rows), max(1, MAX_PAIRS // (columns.stop - columns.start)))
        return rows[np.linspace(0, len(rows) - 1, number).round().astype(int)]

    @cached_property
    def inside(self) -> np.ndarray:
        """The science pixels among the first pixels: bool (row, column)."""
        return np.isfinite(self.read(np.zeros(self.science.shape, np.float32))[0])

    def read(self, image: np.ndarray) -> np.ndarray:
        """The sampled values of an image: float32 (2, row, column), first pixels and neighbours; NaN off science."""
        columns = self._box[1]
        picked = np.empty((2, len(self._rows), columns.stop - columns.start), np.float32)
        for number, offset in enumerate((0, NEIGHBOUR)):
            rows = np.minimum(self._rows + offset, image.shape[0] - 1)
            picked[number] = image[rows, columns]
            picked[number][~self.science[rows, columns]] = np.nan
        return picked

    @staticmethod
    def differences(values: np.ndarray) -> np.ndarray:
        """First pixel minus neighbour, (row, column), from an array of `read`; NaN without a neighbour."""
        return values[0] - neighbours(values)

    def cell_medians(self, values: np.ndarray) -> np.ndarray:
        """Median of each cell, flat, from an array of `read`."""
        return median_along(self.cells(values[0]))

    def cell_scatters(self, values: np.ndarray) -> np.ndarray:
        """Scatter about its median of each cell, flat, from the first pixels (row, column)."""
        cells = self.cells(values)
        return SIGMA_PER_MAD * median_along(np.abs(cells - median_along(cells)))

    @staticmethod
    def cells(values: np.ndarray) -> np.ndarray:
        """The pixels of each cell, (pixel, cell), of `values` (row, column), without those beyond the last cell."""
        n_y, n_x = (max(1, min(MAX_CELLS, n // MIN_CELL)) for n in values.shape)
        height, width = values.shape[0] // n_y, values.shape[1] // n_x
        cells = values[: n_y * height, : n_x * width].reshape(n_y, height, n_x, width)
        return cells.transpose(1, 3, 0, 2).reshape(height * width, n_y * n_x)
