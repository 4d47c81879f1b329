"""The coupling between neighbouring pixels (inter-pixel capacitance, IPC), measured from the hot pixels of the darks.

A capacitance between neighbouring pixels shows a fixed share of a pixel's signal in each neighbour (Moore, Ninkov &
Forrest 2006, Opt. Eng. 45, 076402). The share is the ratio of the slopes above the local level, of the neighbour and of
a hot pixel that does not saturate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from badpix.formats.statistics_planes import open_planes
from badpix.formats.statistics_set import Exposure
from badpix.vote.neighbourhood import N_DIRECT, OFFSETS, Neighbourhood, level_of
from badpix.vote.significance import Distribution, subsample

# A source of the measurement: a slope this many times the scatter of the slopes. A share of 0.5% is then one sigma.
MIN_SOURCE_SIGMA = 200.0
MAX_SOURCES = 1000  # the strongest of each integration
MAX_INTEGRATIONS = 8  # more would hardly change the mean over many sources
MIN_SOURCES = 5
# Above this share the neighbour has a dark current of its own.
MAX_SHARE = 0.05
# Largest standard error of the mean share of the direct neighbours, and of that in a single direction.
MAX_ERROR, MAX_ERROR_OF_DIRECTION = 0.0008, 0.0003
# The scatter of the shares is real beyond so many standard deviations of the noise. That of a coupling is at most this
# part of the share: a capacitance is much the same in all pixels.
NOISE_SIGMA, MAX_SCATTER = 3.0, 0.3
# Shares in detectors with too few hot pixels: typical of H2RG detectors (JDox, NIRCam: 0.53% and 0.59%).
TYPICAL_DIRECT, TYPICAL_DIAGONAL = 0.0055, 0.0005


@dataclass(frozen=True)
class Coupling:
    """Shares of a pixel's signal that appear in its neighbours.

    `shares` are the shares in the neighbours at OFFSETS, relative to the signal that remains in the pixel. `n_sources`
    is the number of hot pixels they were measured from, 0 for the typical shares.
    """

    shares: tuple[float, ...]
    n_sources: int = 0

    @property
    def direct(self) -> float:
        """Mean share in the direct neighbours."""
        return float(np.mean(self.shares[:N_DIRECT]))

    @property
    def text(self) -> str:
        """The shares as a line for log and HISTORY."""
        below, above, left, right, *diagonal = (f"{share:.2%}" for share in self.shares)
        if not self.n_sources:
            return (
                "Coupling between pixels (IPC): too few hot pixels with sound neighbours to measure it; taken as"
                f" {self.direct:.2%} in each direct neighbour and {diagonal[0]} in each diagonal neighbour, as is"
                " typical"
            )
        return (
            f"Coupling between pixels (IPC), from {self.n_sources} hot pixels: left {left}, right {right}, below"
            f" {below}, above {above}, diagonal {np.mean(self.shares[N_DIRECT:]):.2%}"
        )


TYPICAL = Coupling((TYPICAL_DIRECT,) * N_DIRECT + (TYPICAL_DIAGONAL,) * (len(OFFSETS) - N_DIRECT))


def _slopes(darks: Sequence[Exposure]) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    """(SLOPE, NSAT), images (y, x), of integrations of the darks: the first of each dark, then the second ..."""
    most = max((dark.n_integrations() for dark in darks), default=0)
    for number in range(most):
        for dark in darks:
            with open_planes(dark.paths) as segments:
                integrations = ((segment, i) for segment in segments for i in range(segment.n_integrations))
                for segment, i in islice(integrations, number, number + 1):
                    yield segment.read("SLOPE", i), segment.read("NSAT", i)


def measure_coupling(darks: Sequence[Exposure], science: np.ndarray) -> Coupling:
    """The Coupling of the detector from up to MAX_INTEGRATIONS integrations of `darks`.

    `science` is the boolean image (y, x) of the pixels that may be flagged. TYPICAL with too few hot pixels.
    """
    return coupling_of(islice(_slopes(darks), MAX_INTEGRATIONS), science)


def coupling_of(integrations: Iterable[tuple[np.ndarray, np.ndarray]], science: np.ndarray) -> Coupling:
    """The Coupling from (SLOPE, NSAT) of each of `integrations`, images (y, x); arguments as of `measure_coupling`."""
    near, sample = Neighbourhood(science), subsample(science)
    measured = [_shares(slope, n_saturated, near, sample) for slope, n_saturated in integrations]
    sources = np.unique(np.concatenate([pixels for pixels, _, _ in measured] or [np.zeros(0, int)]))
    if sources.size < MIN_SOURCES:
        return TYPICAL
    shares = np.concatenate([of_sources for _, of_sources, _ in measured])
    weights = np.concatenate([of_sources for _, _, of_sources in measured])[:, None]
    direct, error = _weighted_median(shares[:, :N_DIRECT], weights)
    if not error <= MAX_ERROR or _differ(shares[:, :N_DIRECT], weights):
        return TYPICAL
    diagonal, _ = _weighted_median(shares[:, N_DIRECT:], weights)
    means = [max(0.0, direct)] * N_DIRECT + [max(0.0, diagonal)] * (len(OFFSETS) - N_DIRECT)
    for number in range(len(OFFSETS)):
        share, error = _weighted_median(shares[:, number, None], weights)
        if error <= MAX_ERROR_OF_DIRECTION:
            means[number] = max(0.0, share)
    return Coupling(tuple(means), int(sources.size))


def _shares(
    slope: np.ndarray, n_saturated: np.ndarray, near: Neighbourhood, sample: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sources of an integration (flat indices), (slope of the neighbour) / (slope), and the slope in sigma.

    The shares are float64 (source, offset), NaN where the neighbour has no slope, or a slope of its own.
    """
    distribution = Distribution.of(slope.ravel()[sample])
    strong = (slope > distribution.median + MIN_SOURCE_SIGMA * distribution.scatter) & (n_saturated == 0) & near.usable
    pixels = np.flatnonzero(strong)
    if pixels.size > MAX_SOURCES:
        chosen = np.argpartition(slope.ravel()[pixels], -MAX_SOURCES)[-MAX_SOURCES:]
        pixels = np.sort(pixels[chosen])
    level = level_of(slope, near, pixels).astype(np.float64)
    excess = slope.ravel()[pixels].astype(np.float64) - level
    index = near.around(pixels)
    neighbours = np.where(index >= 0, slope.ravel()[np.maximum(index, 0)].astype(np.float64), np.nan)
    shares = (neighbours - level[:, None]) / excess[:, None]
    return pixels, np.where(shares < MAX_SHARE, shares, np.nan), excess / distribution.scatter


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted median of `values` (source, offset) with `weights` (source, 1), and its standard error.

    The error is that of a weighted mean with the scatter of the values in units of the noise, from the weighted median
    of the absolute deviations; infinite without values.
    """
    valid = np.isfinite(values)
    chosen, weight = values[valid], np.broadcast_to(weights, values.shape)[valid]
    if not chosen.size:
        return 0.0, np.inf
    median = _middle(chosen, weight)
    # Each value has the error 1 / weight if the noise is that of the slopes.
    in_sigma = 1.4826 * _middle(np.abs(chosen - median) * weight, np.ones_like(weight))
    return median, float(max(in_sigma, 1.0) / np.sqrt((weight**2).sum()))


def _differ(shares: np.ndarray, weights: np.ndarray) -> bool:
    """Whether the `shares` (source, offset) differ as no coupling does: the neighbours have dark currents of their own.

    `weights` (source, 1) are the slopes of the sources in units of the noise. A direction may have another share.
    """
    medians = np.array([_weighted_median(of_offset[:, None], weights)[0] for of_offset in shares.T])
    valid = np.isfinite(shares)
    distance, weight = np.abs(shares - medians)[valid], np.broadcast_to(weights, shares.shape)[valid]
    by_more_than_noise = 1.4826 * _middle(distance * weight, np.ones_like(weight)) > NOISE_SIGMA
    largest = MAX_SCATTER * max(float(medians.mean()), TYPICAL_DIRECT)
    return bool(by_more_than_noise and 1.4826 * _middle(distance, weight) > largest)


def _middle(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
