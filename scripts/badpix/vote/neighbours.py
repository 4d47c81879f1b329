"""The neighbours of pixels."""

import numpy as np
from scipy.ndimage import binary_dilation

EIGHT = np.ones((3, 3), bool)


def with_neighbours(pixels: np.ndarray) -> np.ndarray:
    """Boolean image (y, x) of the `pixels`, a boolean image, and their eight neighbours."""
    return binary_dilation(pixels, structure=EIGHT)


def beside_decided(low: np.ndarray, is_open: np.ndarray) -> np.ndarray:
    """Boolean image (y, x) of the pixels of which ADJ_OPEN is decided, from those of which two types are decided.

    `low` and `is_open` are boolean images of the pixels of which LOW_QE and OPEN are decided. A neighbour of a pixel
    that may be open may be ADJ_OPEN; only flats of the sky have such pixels.
    """
    return low & ~with_neighbours(low & ~is_open)
