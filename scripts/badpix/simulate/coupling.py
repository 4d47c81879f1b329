"""Capacitive coupling between pixels (IPC): part of a pixel's signal appears in its neighbours."""

from dataclasses import dataclass

import numpy as np

from badpix.simulate.detector import DetectorModel

DIAGONAL_PART = 0.1  # of the share of direct neighbours, as measured in H2RG detectors


@dataclass(frozen=True)
class Coupling:
    """Shares of a pixel's signal that appear in each direct and in each diagonal neighbour.

    `of_all_charge`: the charge of RC pixels is coupled as well.
    """

    direct: float
    diagonal: float
    of_all_charge: bool = False

    @classmethod
    def of(cls, detector: DetectorModel) -> "Coupling":
        """The coupling by the effect `ipc`, or else that of the population."""
        if share := detector.effects.ipc:
            return cls(share, DIAGONAL_PART * share, of_all_charge=True)
        physics = detector.population.physics
        return cls(physics.ipc_direct, physics.ipc_diagonal)

    @property
    def centre(self) -> float:
        """The share that remains in the pixel."""
        return 1 - 4 * self.direct - 4 * self.diagonal


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
