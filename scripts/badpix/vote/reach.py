"""The pixels that bad pixels reach by capacitive coupling, and the signal that their neighbours have in common."""

import numpy as np

from badpix.vote.coupling import Coupling
from badpix.vote.neighbourhood import N_DIRECT, Neighbourhood, level_of, of_order

ROUNDS = 3  # of the iteration over sources with common neighbours
MIN_RELATIVE = 0.2  # smallest share of a direction, relative to the mean share, that the signal is divided by


class Reach:
    """The pixels that sources reach.

    `sources` are flat indices in ascending order of strength: first the `n_rising` that do not saturate, then those
    that do. `pixels` are the flat indices of all pixels reached. `strongest` (pixel) is the number of the source that
    reaches each of them most: the strongest of its direct, or else of its diagonal neighbours.
    """

    def __init__(self, near: Neighbourhood, sources: np.ndarray, n_rising: int, coupling: Coupling) -> None:
        self.near, self.sources, self.n_rising = near, sources, n_rising
        self.rising, self.full = slice(0, n_rising), slice(n_rising, sources.size)
        index = near.around(sources)
        self.pixels, position = np.unique(index, return_inverse=True)
        # The number in `pixels` of the neighbour at each offset, -1 without one.
        self.position = position.reshape(index.shape)
        if self.pixels.size and self.pixels[0] < 0:
            self.pixels, self.position = self.pixels[1:], self.position - 1
        self.relative = np.array(coupling.shares) / coupling.direct
        self.strongest = self._strongest()

    def level(self, image: np.ndarray) -> np.ndarray:
        """Level of `image` (float, (y, x)) around each source, float64 (source)."""
        return level_of(image, self.near, self.sources)

    def _strongest(self) -> np.ndarray:
        strongest = np.full(self.pixels.size, -1)
        for offsets in (slice(N_DIRECT, None), slice(0, N_DIRECT)):
            of_kind = np.full(self.pixels.size, -1)
            source, offset = np.nonzero(self.position[:, offsets] >= 0)
            np.maximum.at(of_kind, self.position[:, offsets][source, offset], source)
            strongest = np.where(of_kind >= 0, of_kind, strongest)
        return strongest

    def spread(self, signal: np.ndarray, which: slice) -> np.ndarray:
        """Sum of the halos of the sources `which` in each of `pixels`, float64 (pixel).

        `signal` (source) is the halo of each source in a direct neighbour of the mean share, or (source, offset) that
        in each neighbour, if all neighbours had the mean share.
        """
        position = self.position[which]
        halos, reached = (signal if signal.ndim == 2 else signal[:, None]) * self.relative, position >= 0
        return np.bincount(position[reached], halos[reached], minlength=self.pixels.size).astype(float)

    def common(self, excess: np.ndarray, most: np.ndarray, first: np.ndarray, part: float) -> np.ndarray:
        """The signal that the direct neighbours of each saturated source have in common, float64 (source).

        Parameters
        ----------
        excess : float array (pixel)
            Signal of `pixels` above the level, without the halos of the sources that do not saturate.
        most : float array (source)
            Largest possible signal; neighbours with more are not compared.
        first : int array (source)
            First saturated group; a source without any neighbour to compare has the median signal of the sources that
            saturate in the same group.
        part : float
            Part of the neighbours below the common signal.
        """
        position = self.position[self.full, :N_DIRECT]
        divisor = np.maximum(self.relative[:N_DIRECT], MIN_RELATIVE)
        measured = np.where(position >= 0, excess[position], np.nan)
        # A neighbour with more signal has a signal of its own.
        measured = np.where(measured <= most[:, None], measured, np.nan)
        signal = np.zeros(len(position))
        for _ in range(ROUNDS):
            of_others = self.spread(signal, self.full)[position] - signal[:, None] * self.relative[:N_DIRECT]
            signal = np.clip(of_order((measured - of_others) / divisor, part), 0, most)
            alone = np.isnan(signal)
            for group in np.unique(first[alone]):
                same = first == group
                signal[alone & same] = np.nan_to_num(of_order(signal[same][None], 0.5)[0])
        return signal
