"""Dark parts of a flat: not lit, or dead pixels. The edge of a part and the light in it tell.

The optics blur the edge of an unlit part over a few pixels, and scattered light is even there: its pixels work. A dead
cluster ends between two pixels, and its pixels see no light, or each a share of its own.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion, binary_opening, distance_transform_edt, label, uniform_filter

# A pixel below this fraction of the level is dark.
DARK = 0.2
# The light of a flat of which most is dark is that of this quantile: fewer pixels may be hot, or lie in sources.
BRIGHT_QUANTILE = 0.75
# A step from a dark pixel to its neighbour of at least this fraction of the level is sharp. The steps of an edge with a
# blur of 0.5 pixels (standard deviation) are below 0.7.
SHARP = 0.8
# Parts with at least this share of sharp steps are dead, those up to the second are not lit; between them parts with
# scattered light are not lit, and else the nearest edge decides. An oblique edge without any blur, of which pixels
# see a share, has 0.4.
DEAD_EDGE, SOFT_EDGE = 0.9, 0.1
# Where the nearest edge decides: dead from this share on.
DEAD_NEARBY = 0.65
# Parts between these shares are ambiguous.
AMBIGUOUS = (0.3, 0.8)
# The share of sharp steps at an edge is that in a box of this width (pixels).
BOX = 7
# Scattered light: at least this fraction of the level, with a scatter between pixels below this fraction of itself.
MIN_LIGHT, MAX_SCATTER = 0.002, 0.3
# Distance from the edge (pixels) and number of the pixels that show it.
INSIDE, MIN_INSIDE = 3, 20
_SQUARE = np.ones((3, 3), bool)
_SIDES = ((0, 1), (0, -1), (1, 1), (1, -1))  # (axis, step)
_SIGMA_PER_MAD = 1.4826


@dataclass(frozen=True)
class DarkParts:
    """The dark parts of a flat, at least three pixels wide.

    `areas` is the number of the part of each pixel, int (y, x), 0 for none. By part, from 0 for none: `size` (pixels),
    `sharp` (share of sharp steps, NaN without steps), `has_light` (bool: scattered light). `dead` is a boolean image
    (y, x) of the pixels of parts that are dead.
    """

    areas: np.ndarray
    size: np.ndarray
    sharp: np.ndarray
    has_light: np.ndarray
    dead: np.ndarray

    @property
    def n(self) -> int:
        """Number of parts."""
        return len(self.size) - 1

    def image_of(self, chosen: np.ndarray) -> np.ndarray:
        """Boolean image (y, x) of the parts that are `chosen`, bool (part)."""
        return (chosen & (np.arange(self.n + 1) > 0))[self.areas]

    def touching(self, pixels: np.ndarray) -> np.ndarray:
        """Bool (part): the parts with any of the `pixels`, boolean image (y, x)."""
        found = np.zeros(self.n + 1, bool)
        found[np.unique(self.areas[pixels])] = True
        found[0] = False
        return found


def typical_light(values: np.ndarray) -> float:
    """Median of the finite `values` of a flat (any shape); of the bright part where more than half of them are dark."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.nan
    bright = finite[finite > DARK * np.quantile(finite, BRIGHT_QUANTILE)]
    return float(np.median(bright if 0 < 2 * bright.size < finite.size else finite))


def wide_parts(pixels: np.ndarray, science: np.ndarray) -> np.ndarray:
    """The science `pixels` in parts at least three pixels wide; boolean images (y, x)."""
    # Pixels outside the science area count as such, so that the opening does not remove areas at its border.
    outside = np.pad(pixels | ~science, 1, constant_values=True)
    return binary_opening(outside, _SQUARE)[1:-1, 1:-1] & pixels & science


@dataclass(frozen=True)
class Flat:
    """A flat with its dark pixels; all images are (y, x).

    `image` are the values (float), `level` is the light beside the dark pixels (float, in the same unit), `science` the
    science pixels and `dark` the dark pixels among them (bool). `lit` are the pixels that show an edge against dark
    pixels (bool), `edges` is the image of the edges (float): the flat without single bad pixels, or the flat itself.
    """

    image: np.ndarray
    level: np.ndarray
    science: np.ndarray
    dark: np.ndarray
    lit: np.ndarray
    edges: np.ndarray


def find_dark_parts(flat: Flat) -> DarkParts:
    """The DarkParts of a Flat."""
    image, dark = flat.image, flat.dark
    areas, n_parts = label(wide_parts(dark, flat.science))
    near = dark & binary_dilation(areas > 0, _SQUARE, iterations=2)
    # A hot pixel in a dark part is no edge of the part.
    lit = wide_parts(flat.lit, flat.science)
    steps, sharp = _steps(flat.edges, flat.level, lit, near)
    # A step belongs to the part within two pixels.
    owner = areas.copy()
    for _ in range(2):
        owner = np.where(owner > 0, owner, _largest_around(owner))
    n_steps, n_sharp = (np.bincount(owner.ravel(), v.ravel(), n_parts + 1) for v in (steps, sharp))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = n_sharp / n_steps
    bright = flat.science & ~dark
    typical = np.nanmedian(image[bright]) if bright.any() else np.nan
    has_light = _have_light(image / typical, areas, n_parts)
    nearby = _nearby_share(steps, sharp)
    with np.errstate(invalid="ignore"):
        dead = (areas > 0) & ((share >= DEAD_EDGE)[areas] | ~has_light[areas] & (nearby >= DEAD_NEARBY))
    return DarkParts(areas, np.bincount(areas.ravel(), minlength=n_parts + 1), share, has_light, dead)


def _steps(image: np.ndarray, level: np.ndarray, lit: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of direct neighbours of the pixels `at` that are `lit`, and of those across a sharp step: (y, x).

    A step is in units of the `level` at the neighbour.
    """
    lit = lit & np.isfinite(image) & np.isfinite(level)
    dark = np.nan_to_num(image)
    steps, sharp = np.zeros(lit.shape), np.zeros(lit.shape)
    for axis, step in _SIDES:
        there = np.roll(lit, step, axis)
        edge = [slice(None)] * 2
        edge[axis] = slice(0, 1) if step > 0 else slice(-1, None)
        there[tuple(edge)] = False  # no neighbour beyond the border
        there &= at
        steps += there
        with np.errstate(invalid="ignore"):
            sharp += there & (np.roll(image, step, axis) - dark >= SHARP * np.roll(level, step, axis))
    return steps, sharp


def _largest_around(numbers: np.ndarray) -> np.ndarray:
    """The largest number of each pixel's 3 x 3 pixels, int (y, x)."""
    padded = np.pad(numbers, 1)
    n_y, n_x = numbers.shape
    return np.max([padded[y : y + n_y, x : x + n_x] for y in range(3) for x in range(3)], axis=0)


def _nearby_share(steps: np.ndarray, sharp: np.ndarray) -> np.ndarray:
    """Share of sharp steps at the edge that is nearest to each pixel, float (y, x); NaN without any steps."""
    edge = steps > 0
    if not edge.any():
        return np.full(steps.shape, np.nan)
    n_steps, n_sharp = (uniform_filter(values, BOX, mode="constant") for values in (steps, sharp))
    share = n_sharp / np.where(edge, n_steps, 1)
    y, x = distance_transform_edt(~edge, return_distances=False, return_indices=True)
    return share[y, x]


def _have_light(relative: np.ndarray, areas: np.ndarray, n_parts: int) -> np.ndarray:
    """Bool (part, from 0 for none): the pixels of the part see a faint light that is the same in all of them.

    `relative` is the flat in units of its typical level, `areas` the number of the part of each pixel.
    """
    found = np.zeros(n_parts + 1, bool)
    # Beyond the border a part goes on.
    inside = np.where(binary_erosion(areas > 0, _SQUARE, iterations=INSIDE, border_value=1), areas, 0).ravel()
    order = np.argsort(inside, kind="stable")
    values = relative.ravel()[order]
    for number, part in enumerate(np.split(values, np.searchsorted(inside[order], np.arange(1, n_parts + 1)))):
        light = part[np.isfinite(part)]
        if number and light.size >= MIN_INSIDE:
            middle = np.median(light)
            scatter = _SIGMA_PER_MAD * np.median(np.abs(light - middle))
            found[number] = middle >= MIN_LIGHT and scatter <= MAX_SCATTER * middle
    return found
