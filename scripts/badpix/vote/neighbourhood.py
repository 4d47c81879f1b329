"""Pixels around given pixels: flat indices of the neighbours, and the local level of an image."""

from dataclasses import dataclass

import numpy as np

Offsets = tuple[tuple[int, int], ...]
# (y, x) of the neighbours: the four direct neighbours (below, above, left, right), then the four diagonal neighbours.
OFFSETS: Offsets = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))
N_DIRECT = 4
# The local level is the median of the pixels at these distances in x or y: beyond the neighbours of a pixel.
RING: Offsets = tuple((y, x) for y in range(-3, 4) for x in range(-3, 4) if max(abs(y), abs(x)) >= 2)
MIN_RING = 8  # with fewer values there is no local level
AT_ONCE = 2**15  # pixels whose rings are in memory


@dataclass(frozen=True)
class Neighbourhood:
    """The pixels that are compared with each other: `usable` is a boolean image (y, x)."""

    usable: np.ndarray

    def around(self, pixels: np.ndarray, offsets: Offsets = OFFSETS) -> np.ndarray:
        """Flat indices of the pixels at `offsets` from `pixels` (flat), int64 (pixel, offset); -1: not usable."""
        n_rows, n_columns = self.usable.shape
        dy, dx = np.array(offsets).T
        y, x = pixels[:, None] // n_columns + dy, pixels[:, None] % n_columns + dx
        inside = (y >= 0) & (y < n_rows) & (x >= 0) & (x < n_columns)
        index = np.where(inside, y * n_columns + x, 0)
        return np.where(inside & self.usable.ravel()[index], index, -1)


def level_of(image: np.ndarray, near: Neighbourhood, pixels: np.ndarray) -> np.ndarray:
    """Median of the ring around each of `pixels` (flat indices), float32 (pixel).

    `image` is a float image (y, x), `near` are the pixels of the ring that count. With fewer than MIN_RING values it is
    the median of all these levels.
    """
    level = np.empty(pixels.size, np.float32)
    # Light or saturation can make sources of a large part of the detector, so their rings do not fit into memory.
    for start in range(0, pixels.size, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        level[part] = of_order(values_at(image, near.around(pixels[part], RING)), 0.5, MIN_RING)
    return np.where(np.isnan(level), of_order(level[None], 0.5)[0], level)


def values_at(image: np.ndarray, index: np.ndarray) -> np.ndarray:
    """`image` at the flat indices `index` (any shape), float32; NaN at -1."""
    return np.where(index >= 0, image.reshape(-1)[np.maximum(index, 0)].astype(np.float32), np.float32(np.nan))


def of_order(rows: np.ndarray, part: float, min_values: int = 1) -> np.ndarray:
    """The value of each of `rows` (row, value) below which `part` of its finite values lie; never between two values.

    Of n values in ascending order it is that of position `part` x (n - 1), rounded down. NaN with fewer than
    `min_values`.
    """
    if not rows.size:
        return np.full(len(rows), np.nan)
    in_order, number = np.sort(rows, axis=1), np.isfinite(rows).sum(axis=1)
    position = (part * np.maximum(number - 1, 0)).astype(int)
    return np.where(number >= min_values, in_order[np.arange(len(rows)), position], np.nan)
