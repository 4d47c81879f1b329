"""The pixels that sources of the sky cover in each flat, told from clusters of bad pixels by the dithers.

A bright cluster, an open pixel with its neighbours or a hot pixel with its coupled neighbours looks like a source. It
is at the same pixels in all flats, and a source moves with the pointing: a pixel whose light is there in all other
flats, at pointings further away than the size of the source, is a feature of the detector: its light is a part of the
diffuse light (a bright neighbour of an open pixel) or always the same (a hot pixel).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from scipy.ndimage import find_objects, label, uniform_filter

from badpix.formats.sky_file import read_plane
from badpix.instrument import pointing
from badpix.instrument.exp_types import sees_sky
from badpix.numerics.growth import grown

# The light of a feature of the detector in the faintest of the other flats, as part of its light in the flat.
SAME_LIGHT = 0.5
# Light is more than that of the other flats beyond so many standard deviations of the mean of LIGHT_PIXELS pixels.
LIGHT_SIGMA, LIGHT_PIXELS = 2, 9
# Other flats that must have the light: with a single flat, two stars can be at the same pixels by chance.
MIN_OTHERS = 2
# Sources of two flats that are closer than this (pixels) are at the same pixels.
MIN_DISTANCE = 5
_SQUARE = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Sources:
    """The sources of a flat.

    `exposure`, `path` and `header` are those of its file, `growth` is the width (pixels) of their surroundings.
    `pixels` are the flat indices of the pixels of sources, `sides` the longer side (pixels) of the source of each.
    """

    exposure: str
    path: str
    growth: int
    header: fits.Header
    pixels: np.ndarray
    sides: np.ndarray

    @property
    def is_sky(self) -> bool:
        """Whether the flat has sources of the sky."""
        return sees_sky(self.header.get("EXP_TYPE"))


def read_sources(path: str | Path) -> Sources:
    """The Sources of a file of a flat of the sky."""
    header, sources = fits.getheader(path), read_plane(path, "SOURCES") > 0
    regions, _ = label(sources, _SQUARE)
    sides = [max(part.stop - part.start for part in bounds) for bounds in find_objects(regions)]
    pixels = np.flatnonzero(sources)
    return Sources(
        header["EXPOSURE"], str(path), header["GROWTH"], header, pixels, np.array([0, *sides])[regions.ravel()[pixels]]
    )


def light(path: str | Path) -> np.ndarray:
    """Mean light in 3 x 3 pixels above the local level, in units of the level: float32 (y, x), NaN without values.

    Pixels below the level count as 0, so that an open pixel does not cancel the light of its neighbours.
    """
    excess = np.maximum(read_plane(path, "RESPONSE") - 1, 0)
    valid = np.isfinite(excess)
    total = uniform_filter(np.where(valid, excess, np.float32(0)), 3, mode="constant")
    share = uniform_filter(valid.astype(np.float32), 3, mode="constant")
    return np.where(share > 0.1, total / np.maximum(share, 0.1), np.nan).astype(np.float32)


def covered_pixels(paths: Sequence[str | Path]) -> dict[str, np.ndarray]:
    """Exposure -> boolean image (y, x) of the pixels covered by sources, for the flats with the files `paths`.

    Empty images for flats without sources. A flat at an unknown pointing is not compared with others.
    """
    flats = [read_sources(path) for path in paths]
    distances = [[pointing.distance(a.header, b.header) for b in flats] for a in flats]
    # In units of the diffuse light, and in DN/s.
    own, least = ([np.full((2, len(flat.pixels)), value, np.float32) for flat in flats] for value in (0, np.inf))
    others = [np.zeros(len(flat.pixels), np.int32) for flat in flats]
    shape: tuple[int, ...] = ()
    for number, flat in enumerate(flats):
        relative = light(flat.path)
        shape, images = relative.shape, np.stack([relative, relative * read_plane(flat.path, "LEVEL")])
        for index, compared in enumerate(flats):
            values = images.reshape(2, -1)[:, compared.pixels]
            if index == number:
                own[index] = values
                continue
            # A lamp has no stars at all. NaN compares as False: the pointing is not known.
            far = (distances[index][number] >= np.maximum(compared.sides, MIN_DISTANCE)) | (not flat.is_sky)
            # A pixel without values, or a flat that sources cover whole, does not show that there is no light.
            far &= np.isfinite(values).all(axis=0)
            least[index] = np.where(far, np.minimum(least[index], values), least[index])
            others[index] += far
    found = {}
    for index, flat in enumerate(flats):
        same = ((least[index] >= SAME_LIGHT * own[index]) & (own[index] > 0)).any(axis=0)
        # The edge of a bright cluster that the filter found has little light of its own.
        error = read_plane(flat.path, "ERROR").ravel()[flat.pixels] / np.sqrt(LIGHT_PIXELS)
        with np.errstate(invalid="ignore"):
            faint = own[index][0] - least[index][0] <= LIGHT_SIGMA * error
        covered = np.zeros(shape, bool)
        covered.ravel()[flat.pixels[(others[index] < MIN_OTHERS) | ~(same | faint)]] = True
        found[flat.exposure] = grown(covered, flat.growth)
    return found
