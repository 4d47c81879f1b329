"""The light behind an image slicer: its level along the curved slices, and the dark gaps between them.

A slice is 20 to 30 pixels wide and follows the dispersion. Its level is the typical value along the slice: right up to
the blurred edges, where a level over both axes fails, and not changed by bad pixels and clusters.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import (
    binary_dilation,
    find_objects,
    grey_closing,
    label,
    maximum_filter,
    maximum_filter1d,
    uniform_filter,
)

from badpix.numerics.paths import Path, typical_along
from badpix.response.dark_parts import DARK, SHARP, Flat, find_dark_parts, typical_light, wide_parts

# The slices are followed over so many rows before and after a pixel, for which every so many rows count; up to
# the fraction QUANTILE of them may be dead.
FAR, FAR_STEP, QUANTILE = 100, 5, 0.7
# The level is that of so many rows before and after the pixel, so that it follows gradients along the slice.
NEAR = 15
# At the edges of a slice the level is corrected by so many rows before and after the pixel.
NEXT = 4
# Pixels below this fraction of the level of their slice do not count for the level.
BAD = 0.5
# Box (rows, columns) in which slices have a common tilt, and its largest value (pixels per row).
TILT_BOX, MAX_TILT = (65, 129), 0.3
# Steps along y above this fraction of the level are edges of clusters, not of slices with a tilt.
MAX_STEP_ALONG = 0.3
# Gaps are wider than dead lines, and narrower than slices (pixels).
MIN_GAP, MAX_GAP = 3, 15
# A dark line is below this fraction of the level on both sides.
LINE = 0.8
# Steps at an edge are in units of the brightest of so many pixels on each side.
REACH = 4
# A pixel is lit with at least this fraction of the light of its slice; a pixel below DEAD of this light, already with
# the second.
LIT, LIT_DEAD, DEAD = 0.5, 0.35, 0.05
# At the edges of a slice (below PLATEAU of its light) and up to MARGIN pixels from a gap, no pixel is lit whose
# surroundings along the slice are below UNSURE of the level.
PLATEAU, MARGIN, UNSURE = 0.9, 2, 0.7
# The inside of a slice has at least this fraction of its light. The response at the edges is that of the inside if the
# typical deviation is at most MAX_DEVIATION.
INSIDE, MAX_DEVIATION = 0.97, 0.2
# Gaps extend over at least this fraction of the array, and together cover at least this fraction of the science pixels.
MIN_LENGTH, MIN_AREA = 0.5, 0.01
# Dark lines with sharp edges from border to border are gaps if there are at least so many.
MIN_LINES = 2


@dataclass(frozen=True)
class Slices:
    """The light of a flat behind an image slicer.

    `level`, float64 (y, x), has the unit of the flat; NaN in the gaps. `share`, float64 (y, x), is the level as a
    fraction of that inside the slice. `in_slice` is a boolean image (y, x) of the science pixels in slices.
    `n_ambiguous` is the number of pixels of gaps whose edges are sharp as those of dead pixels.
    """

    level: np.ndarray
    share: np.ndarray
    in_slice: np.ndarray
    n_ambiguous: int

    @property
    def transposed(self) -> "Slices":
        """The Slices with x and y exchanged."""
        return Slices(self.level.T, self.share.T, self.in_slice.T, self.n_ambiguous)

    def well_inside(self) -> np.ndarray:
        """Boolean image (y, x) of the pixels in slices without their edges."""
        return self.in_slice & (self.share >= INSIDE)

    def are_followed_by(self, response: np.ndarray) -> bool:
        """Whether a `response`, float (y, x), is the same at the edges of the slices as inside."""
        edge, inside = self.in_slice & (self.share < PLATEAU), self.well_inside()
        if not edge.any() or not inside.any():
            return True
        typical = np.nanmedian(response[inside])
        return bool(np.nanmedian(np.abs(response[edge] / typical - 1)) <= MAX_DEVIATION)


def find_slices(image: np.ndarray, science: np.ndarray, along: str | None) -> Slices | None:
    """The Slices of a flat; None for a flat without gaps.

    Parameters
    ----------
    image : float array (y, x)
        The flat; NaN without a value.
    science : bool array (y, x)
        The science pixels.
    along : str or None
        Axis of the slices, x or y; None for a detector without an image slicer.
    """
    if along is None:
        return None
    if along == "x":
        found = find_slices(image.T, science.T, "y")
        return found and found.transposed
    values = np.where(science, image, np.nan).astype(np.float64)
    limit = DARK * typical_light(values)
    with np.errstate(invalid="ignore"):
        if np.count_nonzero(values <= limit) < MIN_AREA * np.count_nonzero(science):
            return None
    level, measured = _level(values, limit)
    dark, n_ambiguous = _gaps(values, level, science, limit)
    if not dark.any():
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        share = level / _inside(level, limit)
    in_slice = science & ~dark & _lit(values, level, measured, share, dark)
    level = np.where(share < PLATEAU, level * _at_edges(values, level), level)
    return Slices(np.where(dark | ~science, np.nan, level), share, in_slice, n_ambiguous)


def _inside(level: np.ndarray, limit: float) -> np.ndarray:
    """The `level` inside the slice of each pixel, float64 (y, x); `limit` is the value above which it is not dark."""
    level = np.nan_to_num(level)
    closed, brightest = grey_closing(level, (1, MAX_GAP)), maximum_filter1d(level, 2 * REACH + 1, axis=1)
    # Beyond the first and the last slice no slice closes the dark, so the brightest level nearby is taken.
    beyond = grey_closing(np.pad(level, ((0, 0), (MAX_GAP, MAX_GAP))), (1, MAX_GAP)) <= limit
    outer = binary_dilation(beyond, np.ones((1, 2 * REACH + 1), bool))[:, MAX_GAP:-MAX_GAP]
    return np.where(outer, np.maximum(closed, brightest), closed)


def _at_edges(values: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Factor on the `level` by the nearest rows, float64 (y, x): at an edge a path that is off by 0.1 pixels counts."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(values < BAD * level, np.nan, values / level)
    factor = typical_along(ratio, np.zeros_like(level), Path(NEXT, symmetric=True), 0.5)
    return np.where(np.isfinite(factor), factor, 1.0)


def _lit(
    values: np.ndarray, level: np.ndarray, measured: np.ndarray, share: np.ndarray, gaps: np.ndarray
) -> np.ndarray:
    """Boolean image (y, x) of the pixels with enough light of their slice, by a level that is certain.

    `values` is the flat, `level` and `measured` are those of `_level`, `share` is that of Slices, `gaps` is the boolean
    image of the dark pixels of the gaps.
    """
    with np.errstate(invalid="ignore"):
        dead = values < DEAD * level
        darker = measured < UNSURE * level
    lit = (share >= LIT) | ((share >= LIT_DEAD) & dead)
    # Strips that are darker than the level, all along the slice: the edge is not where the level has it. A wide dark
    # strip is a dead cluster.
    at_gap = binary_dilation(gaps, iterations=MARGIN) & ~wide_parts(darker, np.ones_like(gaps))
    at_edge = (share < PLATEAU) & ~dead
    return lit & ~(darker & (at_gap | at_edge))


def _level(values: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Level along the slices, and what is measured around each pixel with all dark pixels, float64 (y, x).

    `limit` is the value above which a pixel is not dark.
    """
    cleaned, far = values, values
    for _ in range(2):  # the tilt is better known without clusters
        upright = typical_along(cleaned, np.zeros_like(values), Path(NEAR, symmetric=True), 0.5)
        shift = np.cumsum(_tilt(upright, limit / DARK), axis=0)
        far = typical_along(values, shift, Path(FAR, FAR_STEP), QUANTILE)
        with np.errstate(invalid="ignore"):
            cleaned = np.where(values < BAD * far, far, values)
    far = _without_lines(far, limit)
    with np.errstate(invalid="ignore"):
        near = typical_along(np.where(values < BAD * far, np.nan, values), shift, Path(NEAR), 0.5)
        near = np.where(np.isfinite(near) & ~(far <= limit), near, far)
    # At a sharp edge the nearest rows are more exact than a path, which is rounded to pixels.
    next_rows = typical_along(values, np.zeros_like(values), Path(NEXT, symmetric=True), 0.5)
    measured = np.fmin(typical_along(values, shift, Path(NEAR), 0.5), next_rows)
    return _without_lines(near, limit), measured


def _tilt(level: np.ndarray, typical: float) -> np.ndarray:
    """Displacement of the slices in x per row, float64 (y, x), from the gradients of their edges.

    The least-squares tilt of structures with the gradients g is -sum(g_x g_y) / sum(g_x^2); over a box. The sharp edges
    of dead clusters do not count, unless most edges are sharp.
    """
    image = np.clip(np.nan_to_num(level) / typical, 0, 1)
    along, across = np.gradient(image)
    steps = [np.abs(np.diff(image, axis=axis, append=image.take([-1], axis))) for axis in (0, 1)]
    sharp = maximum_filter((steps[0] >= MAX_STEP_ALONG) | (steps[1] >= SHARP), 3)
    square, product = across**2, across * along
    if square[~sharp].sum() > square[sharp].sum() / 4:
        square, product = (np.where(sharp, 0.0, values) for values in (square, product))
    in_all = product.mean() / max(square.mean(), 1e-12)
    product, square = (uniform_filter(values, TILT_BOX, mode="nearest") for values in (product, square))
    # A box with few edges has the tilt of the whole array.
    few = square < 0.1 * square.mean()
    tilt = -np.where(few, in_all, product / np.where(few, 1, square))
    return np.clip(tilt, -MAX_TILT, MAX_TILT)


def _without_lines(level: np.ndarray, limit: float) -> np.ndarray:
    """`level` (y, x) with the mean of both sides in dark lines along y that are narrower than MIN_GAP.

    The level beside the lines is above `limit`, and with a fraction LIT of the light around: a gap of which few pixels
    are dark has its blurred edges there. NaN stays NaN.
    """
    missing = np.isnan(level)
    # Beyond the border it is dark: a narrow line along the border may be the end of a gap.
    padded = np.pad(np.where(missing, 0.0, level), ((0, 0), (MIN_GAP, MIN_GAP)))
    closed = grey_closing(padded, (1, MIN_GAP))[:, MIN_GAP:-MIN_GAP]
    brightest = maximum_filter1d(padded, 2 * REACH + 1, axis=1)[:, MIN_GAP:-MIN_GAP]
    with np.errstate(invalid="ignore"):
        line = ~missing & (level < LINE * closed) & (closed > np.maximum(limit, LIT * brightest))
    beside = np.where(line, np.nan, level)
    sides = []
    for step in (1, -1):
        values = np.roll(beside, step, axis=1)
        for further in range(2, MIN_GAP):
            values = np.where(np.isnan(values), np.roll(beside, step * further, axis=1), values)
        sides.append(values)
    mean = (sides[0] + sides[1]) / 2
    return np.where(line & np.isfinite(mean), mean, np.where(line, closed, level))


def _gaps(values: np.ndarray, level: np.ndarray, science: np.ndarray, limit: float) -> tuple[np.ndarray, int]:
    """The dark pixels of gaps, boolean image (y, x), and the number of those with sharp edges.

    Dead lines from border to border, at least MIN_GAP pixels wide, are no gaps: in `level` they get, in place, the
    level beside them. No pixels if the gaps are too short or too few.
    """
    dark = science & ~(level > limit)
    brightest = maximum_filter1d(np.nan_to_num(level), 2 * REACH + 1, axis=1)
    parts = find_dark_parts(Flat(values, brightest, science, dark, science & ~dark, level))
    lines = parts.touching(parts.dead)
    if np.count_nonzero(lines & _across(parts.areas, science)) < MIN_LINES:
        level[parts.dead] = limit / DARK
        dark &= ~parts.dead
        n_ambiguous = 0
    else:
        n_ambiguous = int(parts.dead.sum())
    areas, _ = label(dark, np.ones((3, 3)))
    sizes = np.bincount(areas.ravel())
    long = [n for n, box in enumerate(find_objects(areas), 1) if box[0].stop - box[0].start >= MIN_LENGTH * len(dark)]
    if sizes[long].sum() < MIN_AREA * science.sum():
        return np.zeros_like(science), 0
    return dark, n_ambiguous


def _across(areas: np.ndarray, science: np.ndarray) -> np.ndarray:
    """Bool (part, from 0 for none): the `areas` from border to border along y that do not touch the other borders."""
    rows, columns = (np.flatnonzero(science.any(axis=axis)) for axis in (1, 0))
    boxes = [(slice(0, 0), slice(0, 0)), *find_objects(areas)]
    first, end, left, right = np.array([(y.start, y.stop, x.start, x.stop) for y, x in boxes]).T
    return (first <= rows[0]) & (end > rows[-1]) & (left > columns[0]) & (right <= columns[-1])
