"""Halos: the signal of bad pixels in their neighbours by capacitive coupling, found and removed in one integration.

A halo is the ramp of its source times the share of the coupling, so it has a part in each plane of the statistics:

* A source that does not saturate: the share times its slope, and times its differences between groups. A pedestal, and
  early differences beyond the late ones, may arise in the readout, which is not coupled: that part may be absent.
* A source that saturates has no measured signal, but its halo stays. Its halo is what its direct neighbours have in
  common, at most the share of a full pixel.

The halo of a pixel is thus known within a smallest and a largest value. Within these limits it is taken such that the
pixel is as close as possible to its surroundings; what the halo does not explain remains.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from badpix.instrument.readout import GroupTimes
from badpix.vote.coupling import Coupling
from badpix.vote.neighbourhood import N_DIRECT, OFFSETS, Neighbourhood
from badpix.vote.reach import Reach
from badpix.vote.significance import Distribution

EARLY = ("CDS_FIRST", "CDS_EARLY")
SIGNALS = ("SLOPE", "PEDESTAL", *EARLY, "CDS_LATE")
# A halo weaker than this many standard deviations of an integration does not matter.
LEAST_SIGMA = 0.25
# Relative uncertainty of a halo: the coupling differs from pixel to pixel.
UNCERTAINTY = 0.2
# Largest number of the converter, and 20% for the correction of the non-linearity.
FULL_PIXEL_DN = 1.2 * 65535
# A ramp is at its start up to so many times as steep as on average until it saturates.
STEEPEST = 2
# The halo lies between the second and the third of the four direct neighbours in ascending order. For SLOPE it is not
# below the first: the jump step takes the steep part of some ramps, and not of others, for jumps.
SMALLEST, LOWER, UPPER = 0.0, 0.34, 0.67


@dataclass
class Halos:
    """The pixels of halos in an integration.

    `pixels` are their flat indices, `sources` the flat index of the source that reaches each of them most. `before`
    maps planes to the values of `pixels` with the halos, `after` those planes that change to the values without. `seen`
    (pixel) is True where a quantity is beyond the limits of its test with the halo, and within them without it.
    """

    pixels: np.ndarray
    sources: np.ndarray
    before: dict[str, np.ndarray]
    after: dict[str, np.ndarray]
    seen: np.ndarray
    lock: Lock = field(default_factory=Lock)

    def remove(self, planes: Mapping[str, np.ndarray]) -> None:
        """Remove the halos from the images (y, x) of `planes`, in place."""
        for name, values in self.after.items():
            planes[name].reshape(-1)[self.pixels] = values

    def compare(self, change: np.ndarray, without: np.ndarray, limits: np.ndarray | np.float32) -> None:
        """Set `seen` where a quantity is beyond the limits with the halo alone.

        Parameters
        ----------
        change : array (pixel)
            What the halo adds to the quantity.
        without : array (pixel)
            The deviation of the quantity without the halo from the level of the detector.
        limits : array (pixel)
            Limits on the absolute deviation.
        """
        with np.errstate(invalid="ignore"):
            seen = (np.abs(without + change) > limits) & ~(np.abs(without) > limits)
        with self.lock:  # searches that run at the same time
            self.seen |= seen


@dataclass(frozen=True)
class HaloFinder:
    """Finds halos. `science` is the boolean image (y, x) of the pixels that may be flagged."""

    science: np.ndarray
    coupling: Coupling

    def find(self, planes: Mapping[str, np.ndarray], times: GroupTimes, sample: np.ndarray) -> Halos | None:
        """The Halos of an integration, None without any.

        `planes` maps SIGNALS, CDS_NOISE, N_JUMP_UP, NSAT, FIRST_SAT and NGOOD to images (y, x). `sample` are the
        indices of a sample of the science pixels.
        """
        if self.coupling.direct == 0:
            return None
        rising, full = self._sources(planes, sample)
        if not rising.size + full.size:
            return None
        reach = Reach(Neighbourhood(self.science), np.concatenate([rising, full]), rising.size, self.coupling)
        if not reach.pixels.size:
            return None
        halos = _Parts(planes, times, reach, self.coupling)
        own_dn = halos.own_steady_dn()
        after = {name: halos.signal_without(name, own_dn if name in EARLY else 0.0) for name in SIGNALS}
        after |= {"CDS_NOISE": halos.noise_without(), "N_JUMP_UP": halos.jumps_without()}
        before = {name: image.reshape(-1)[reach.pixels] for name, image in planes.items()}
        sources = reach.sources[reach.strongest]
        return Halos(reach.pixels, sources, before, after, np.zeros(reach.pixels.size, bool))

    def _sources(self, planes: Mapping[str, np.ndarray], sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Flat indices of the sources that do not saturate, in ascending order of slope, and of those that do."""
        strong = np.zeros(self.science.shape, bool)
        for name in ("SLOPE", "PEDESTAL"):
            of_plane = Distribution.of(planes[name].reshape(-1)[sample])
            strong |= planes[name] > of_plane.median + LEAST_SIGMA * of_plane.scatter / self.coupling.direct
        saturated = (planes["NSAT"] > 0) & self.science
        rising = np.flatnonzero(strong & self.science & ~saturated)
        order = np.argsort(planes["SLOPE"].reshape(-1)[rising], kind="stable")
        return rising[order], np.flatnonzero(saturated)


class _Parts:
    """The halos in the planes of an integration; arguments as of HaloFinder, and the Reach of its sources."""

    def __init__(self, planes: Mapping[str, np.ndarray], times: GroupTimes, reach: Reach, coupling: Coupling) -> None:
        self.planes, self.times, self.reach, self.coupling = planes, times, reach, coupling
        self.levels: dict[str, np.ndarray] = {}
        self.first = planes["FIRST_SAT"].reshape(-1)[reach.sources[reach.full]].astype(int)
        self.full_dn = coupling.direct * FULL_PIXEL_DN
        steady, level = self._values("CDS_LATE")
        self.steady_dn = self._excess(steady, level)

    def _values(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The image of a plane, and the level around each source."""
        image = self.planes[name]
        if name not in self.levels:
            self.levels[name] = self.reach.level(image).astype(np.float64)
        return image, self.levels[name]

    def _excess(self, image: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Signal of the sources that do not saturate, above the level; at least 0."""
        rising = self.reach.rising
        return np.nan_to_num(image.reshape(-1)[self.reach.sources[rising]] - level[rising]).clip(0)

    def own_steady_dn(self) -> np.ndarray:
        """CDS_LATE above the level in the pixels that are reached, without the halos, float64 (pixel); 0 if unknown."""
        _, level = self._values("CDS_LATE")
        return np.nan_to_num(self.signal_without("CDS_LATE") - level[self.reach.strongest])

    def signal_without(self, name: str, own: np.ndarray | float = 0.0) -> np.ndarray:
        """Values of a plane of SIGNALS in the pixels that are reached, without the halos, float32 (pixel).

        The halo is taken such that the value is as close as possible to `own` (pixel) above the level.
        """
        (image, level), reach = self._values(name), self.reach
        excess = self._excess(image, level)
        if name == "PEDESTAL" or not self.coupling.n_sources:
            sure = np.zeros_like(excess)
        else:
            sure = np.minimum(excess, self.steady_dn / (self.times.group_time_s if name == "SLOPE" else 1.0))
        smallest = reach.spread((1 - UNCERTAINTY) * self.coupling.direct * sure, reach.rising)
        largest = reach.spread((1 + UNCERTAINTY) * self.coupling.direct * excess, reach.rising)
        values = image.reshape(-1)[reach.pixels].astype(np.float64)
        above = values - level[reach.strongest]
        if self.first.size:
            most = self._most_slope(image, level) if name == "SLOPE" else self._most_of_group()
            unexplained = above - (smallest + largest) / 2
            parts = (SMALLEST if name == "SLOPE" else LOWER, UPPER)
            low, high = (reach.common(unexplained, most, self.first, part) for part in parts)
            smallest += reach.spread((1 - UNCERTAINTY) * low, reach.full)
            high = np.repeat((1 + UNCERTAINTY) * high[:, None], len(OFFSETS), axis=1)
            if name == "SLOPE":
                # The jump step takes steep parts for jumps in the direct neighbours alone.
                high[:, N_DIRECT:] = most[:, None]
            largest += reach.spread(high, reach.full)
        return (values - np.nan_to_num(np.clip(above - own, smallest, largest))).astype(np.float32)

    def noise_without(self) -> np.ndarray:
        """CDS_NOISE in the pixels that are reached, float32 (pixel).

        A halo that stops in mid-ramp adds its steps to the scatter of the differences. Variances add up, so the
        variances of the neighbours are compared.
        """
        (image, level), reach = self._values("CDS_NOISE"), self.reach
        values = image.reshape(-1)[reach.pixels].astype(np.float64)
        above = values**2 - level[reach.strongest] ** 2
        most = np.where(self.first > 0, self.full_dn**2, 0)
        largest = reach.spread((1 + UNCERTAINTY) * reach.common(above, most, self.first, UPPER), reach.full)
        return np.sqrt(values**2 - np.nan_to_num(np.clip(above, 0, largest))).astype(np.float32)

    def jumps_without(self) -> np.ndarray:
        """N_JUMP_UP in the pixels that are reached, int16 (pixel).

        The jump step takes the steep part of a halo that stops in mid-ramp for jumps, as often as there are groups.
        """
        reach = self.reach
        jumps = self.planes["N_JUMP_UP"].reshape(-1)[reach.pixels].astype(np.int16)
        most = np.maximum(self.first, 0).astype(float)
        common = reach.spread(reach.common(jumps.astype(float), most, self.first, UPPER), reach.full)
        return np.maximum(jumps - np.rint(common).astype(np.int16), 0)

    def _most_of_group(self) -> np.ndarray:
        """Largest signal (DN) of the halo of each saturated source in a group, by the groups until it saturates."""
        return self.full_dn * np.minimum(1, STEEPEST / np.maximum(self.first, 1))

    def _most_slope(self, slope: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Largest slope (DN/s) of the halo of each saturated source.

        If the jump step takes the flat end of the halo for jumps, its slope is that before the source saturates.
        """
        full = self.full_dn / self.times.group_time_s * tilt(int(self.planes["NGOOD"].max(initial=0)), self.first)
        steep = slope.reshape(-1)[self.reach.sources[self.reach.full]] - level[self.reach.full]
        return np.maximum(full, np.nan_to_num((1 + UNCERTAINTY) * self.coupling.direct * steep))


def tilt(n_groups: int, first_saturated: np.ndarray) -> np.ndarray:
    """Largest slope per group, by least squares, of ramps that rise steadily to 1 and stay there, float64 (source).

    `first_saturated` (source) is the index of the first saturated group: a ramp reaches 1 at this group at the latest,
    and after the group before. The first group, a mean of several frames, may contain half of the rise.
    """
    groups = np.arange(max(n_groups, 2))
    centred = groups - groups.mean()
    most = []
    for first in groups:
        starts = (groups + 0.5) if first == 0 else groups + 1.0
        ramps = np.minimum(starts / np.array([[max(first, 1)], [first + 1]]), 1)
        most.append((ramps @ centred).max() / (centred @ centred))
    return np.array(most)[np.clip(first_saturated, 0, groups[-1])]
