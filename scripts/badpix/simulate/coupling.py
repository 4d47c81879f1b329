"""Capacitive coupling between pixels (IPC): part of a pixel's signal appears in its neighbours."""

import numpy as np


def couple(signal: np.ndarray, direct: float, diagonal: float) -> np.ndarray:
    """Convolve `signal`, float32 (y, x), with a 3 x 3 kernel: `direct` and `diagonal` shares, the rest in the centre.

    Beyond the edge the signal of the edge is used: pixels that are not read are illuminated alike.
    """
    padded = np.pad(signal, 1, mode="edge")
    vertical = padded[:-2] + padded[2:]
    coupled = np.float32(1 - 4 * direct - 4 * diagonal) * signal
    across = padded[1:-1, :-2] + padded[1:-1, 2:]
    across += vertical[:, 1:-1]
    across *= np.float32(direct)
    coupled += across
    corners = vertical[:, :-2] + vertical[:, 2:]
    corners *= np.float32(diagonal)
    coupled += corners
    return coupled
