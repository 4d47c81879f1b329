"""The local level of one quantity of a dark: readout lines with an offset, and smooth areas such as glow.

Deviations of pixels are measured from this level. Bad pixels must not be part of it, however many touch: pixels of a
line or an area have the same deviation if it is not theirs, bad pixels differ; and light has no sharp edge. The level
of a line therefore counts only if the line is uniform, and that of an area only if it rises from its surroundings in
steps. An area with a sharp edge has no level of its own; `badpix.vote.level_record` compares it between the darks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.ndimage import binary_dilation, distance_transform_edt, label, maximum_filter

from badpix.vote.kernels import cell_quartiles, count_beyond
from badpix.vote.outlier_test import Region, samples_of
from badpix.vote.significance import subsample, typical_level_and_scatter

# Side of the cells of an area in pixels: 64 pixels give a median to 0.16 standard deviations of a pixel.
CELL = 8
# Levels below this number of standard deviations of a pixel cannot make a pixel an outlier of most integrations.
MIN_LEVEL = 0.5
# A level is significant beyond so many standard errors, and belongs to a significant level beside it beyond so many.
SIGNIFICANT, BELONGS = 5, 2.5
# Standard error of a median in standard deviations of a value: sqrt(pi / 2).
MEDIAN_ERROR = 1.2533
QUARTILE_DISTANCE = 1.349  # between the quartiles of a normal distribution, in standard deviations
# Lines and cells with more values beyond one standard deviation than noise makes, by so many standard errors, are
# measured. Noise makes CHANCE_BEYOND on each side.
SUSPECT, CHANCE_BEYOND = 4, 0.1587
# Scatter of the pixels of a line or cell: at most this multiple of the typical scatter, in cells plus this part of the
# level (its gradient within the cell, and shot noise).
MAX_SCATTER, MAX_SCATTER_OF_LEVEL = 1.6, 0.5
# An edge is sharp if the level changes from a cell to the next by more than this part of the highest level around.
SHARP = 0.65
# A cell needs this number of values.
MIN_VALUES = 16
# In regions of this size every fifth value finds suspects and lines; samples of the typical level have this size.
LARGE, STEP, SAMPLE_SIZE = 2**18, 5, 2**14


@dataclass(frozen=True)
class Lines:
    """Lines of a region with a level: index and level (unit of the quantity) of rows or of columns of the region."""

    index: np.ndarray
    level: np.ndarray


@dataclass(frozen=True)
class Areas:
    """Cells of a region with a level: flat index, level, and whether the area has a sharp edge (bool)."""

    index: np.ndarray
    level: np.ndarray
    sharp: np.ndarray


NO_LINES = Lines(np.zeros(0, int), np.zeros(0, np.float32))
NO_AREAS = Areas(np.zeros(0, int), np.zeros(0, np.float32), np.zeros(0, bool))


@dataclass(frozen=True)
class RegionLevel:
    """The local level of a region in one integration: typical level and scatter, offset of the region, lines, areas."""

    sigma: float
    offset: float = 0.0
    rows: Lines = NO_LINES
    columns: Lines = NO_LINES
    areas: Areas = NO_AREAS


@dataclass(frozen=True)
class LocalLevel:
    """The local level of an integration: float32 images (y, x), or None where there is none.

    `image` is the level relative to the typical level of the detector, without that of areas with sharp edges;
    `smooth` the part that is interpolated between cells. `regions` has a RegionLevel for each region.
    """

    image: np.ndarray | None
    smooth: np.ndarray | None
    regions: tuple[RegionLevel, ...]

    @property
    def is_empty(self) -> bool:
        """True without any level, also without areas with sharp edges."""
        return self.image is None and not any(region.areas.index.size for region in self.regions)


class LevelFinder:
    """Finds local levels in images of one shape.

    Parameters
    ----------
    science : image (y, x), boolean
        Pixels that are compared.
    regions : sequence of slices (y, x)
        Amplifiers: each has lines and a level of its own.
    """

    def __init__(self, science: np.ndarray, regions: Sequence[Region]) -> None:
        self.science = science
        # Without the reference pixels at the border: they are no part of the cells.
        self.regions = [trimmed(region, science) for region in regions]
        self.sample = _thinned(subsample(science))
        self.samples = [_thinned(sample) for sample in samples_of(science, self.regions)]

    def find(self, values: np.ndarray, lines: bool) -> LocalLevel:
        """The LocalLevel of `values`, float32 (y, x), NaN without a value; `lines`: rows and columns have levels."""
        flat = values.reshape(-1)
        centre, sigma = typical_level_and_scatter(flat[self.sample])
        found = [RegionLevel(np.nan)] * len(self.regions)
        if not sigma > 0:  # constant, or without values
            return LocalLevel(None, None, tuple(found))
        images: dict[str, np.ndarray] = {}
        for number, (region, sample) in enumerate(zip(self.regions, self.samples, strict=True)):
            own, scatter = typical_level_and_scatter(flat[sample])
            if not scatter > 0:
                continue
            part = values[region]
            if not self.science[region].all():
                part = np.where(self.science[region], part, np.float32(np.nan))
            found[number], image, smooth = _of_region(part, own, scatter, lines)
            if len(self.regions) > 1 and abs(own - centre) > MIN_LEVEL * sigma:
                found[number] = replace(found[number], offset=own - centre)
                image = np.full(part.shape, own - centre, np.float32) + (0 if image is None else image)
            for name, level in (("image", image), ("smooth", smooth)):
                if level is not None:
                    images.setdefault(name, np.zeros(values.shape, np.float32))[region] = level
        return LocalLevel(images.get("image"), images.get("smooth"), tuple(found))


def trimmed(region: Region, science: np.ndarray) -> Region:
    """The smallest slices (y, x) with all science pixels of `region`; empty slices without any."""
    inside = np.zeros(science.shape, bool)
    inside[region] = science[region]
    ranges = [np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0)]
    y, x = (slice(int(r[0]), int(r[-1]) + 1) if r.size else slice(0, 0) for r in ranges)
    return y, x


def _thinned(sample: np.ndarray) -> np.ndarray:
    # 13 divides the width of no array, so all columns take part.
    return sample[:: 13 if sample.size > 13 * SAMPLE_SIZE else 1]


@cache
def _numbers_counted(shape: tuple[int, int], step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of values of which `count_beyond` takes part in each row, column and cell of an image of `shape`."""
    y, x = (np.arange(n) for n in shape)
    counted = (x - (2 * y[:, np.newaxis] % step)) % step == 0
    of_cells = np.add.reduceat(np.add.reduceat(counted, y[::CELL], axis=0, dtype=int), x[::CELL], axis=1)
    return counted.sum(axis=1), counted.sum(axis=0), of_cells


def _of_region(
    values: np.ndarray, centre: float, sigma: float, lines: bool
) -> tuple[RegionLevel, np.ndarray | None, np.ndarray | None]:
    """The RegionLevel of `values`, its image, and that of its smooth areas: float32 (y, x), None without a level."""
    shape = (values.shape[0], values.shape[1])
    n_cells = (-(-shape[0] // CELL), -(-shape[1] // CELL))
    step = STEP if values.size >= LARGE else 1
    rows, columns = (np.zeros((n, 2), np.int32) for n in shape)
    cells = np.zeros((*n_cells, 2), np.int32)
    count_beyond(values, (np.float32(centre - sigma), np.float32(centre + sigma)), step, CELL, rows, columns, cells)
    n_rows, n_columns, n_in_cells = _numbers_counted(shape, step)
    image, smooth, found, areas = None, None, [NO_LINES, NO_LINES], NO_AREAS
    if lines:
        for axis, (counts, number) in enumerate(((rows, n_rows), (columns, n_columns))):
            found[axis] = of_axis = _uniform_lines(values, _suspect(counts, number), axis, centre, sigma)
            if of_axis.index.size:
                heights = np.zeros((shape[0], 1) if axis == 0 else (1, shape[1]), np.float32)
                heights.ravel()[of_axis.index] = of_axis.level
                values = values - heights
                image = np.broadcast_to(heights, shape) if image is None else image + heights
    suspects = _suspect(cells, n_in_cells)
    if suspects.any():
        areas = _areas(values, binary_dilation(suspects, np.ones((3, 3), bool), iterations=2), centre, sigma)
        if not areas.sharp.all():
            smooth = _interpolated(areas, n_cells, shape)
            image = smooth if image is None else image + smooth
    return RegionLevel(sigma, 0.0, found[0], found[1], areas), image, smooth


def _suspect(counts: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Whether more values are beyond a limit than noise makes, of counts (..., 2) of `number` values."""
    n = np.maximum(number, 1)
    error = np.sqrt(CHANCE_BEYOND * (1 - CHANCE_BEYOND) / n)
    return counts.max(axis=-1) / n > CHANCE_BEYOND + SUSPECT * error


def _uniform_lines(values: np.ndarray, suspects: np.ndarray, axis: int, centre: float, sigma: float) -> Lines:
    """The lines along rows (`axis` 0) or columns (1) whose pixels deviate by the same level.

    Without a significant level among `suspects` there are none. With such levels smaller ones count too: where lines
    differ in all darks alike, as the outputs of MIRI do, a vote is no protection.
    """
    index = np.flatnonzero(suspects)
    if not index.size or not _lines(values, index, axis, centre, sigma, SIGNIFICANT, MIN_LEVEL).index.size:
        return NO_LINES
    return _lines(values, np.arange(values.shape[axis]), axis, centre, sigma, BELONGS, 0.0)


def _lines(
    values: np.ndarray, index: np.ndarray, axis: int, centre: float, sigma: float, n_errors: float, least: float
) -> Lines:
    """The uniform lines among `index` whose level exceeds `n_errors` standard errors and `least` x `sigma`."""
    step = STEP if values.size >= LARGE else 1
    chosen = values[index, ::step] if axis == 0 else values[::step][:, index].T
    n = np.isfinite(chosen).sum(axis=1)
    enough = n >= MIN_VALUES
    index, n = index[enough], n[enough]
    if not index.size:
        return NO_LINES
    in_order = np.sort(chosen[enough], axis=1)  # NaN comes last
    low, middle, high = (in_order[np.arange(n.size), (n - 1) * quarter // 4] for quarter in (1, 2, 3))
    level = middle - centre
    uniform = (high - low) / QUARTILE_DISTANCE <= MAX_SCATTER * sigma
    real = uniform & (np.abs(level) > np.maximum(least * sigma, n_errors * MEDIAN_ERROR * sigma / np.sqrt(n)))
    return Lines(index[real], level[real].astype(np.float32))


def _areas(values: np.ndarray, chosen: np.ndarray, centre: float, sigma: float) -> Areas:
    """The cells with a level, among the cells `chosen` (bool, cells)."""
    number, quartiles = np.zeros(chosen.shape, np.int32), np.zeros((*chosen.shape, 3), np.float32)
    cell_quartiles(values, CELL, chosen, number, quartiles)
    enough = number >= MIN_VALUES
    error = MEDIAN_ERROR * sigma / np.sqrt(np.maximum(number, 1))
    # Saturated pixels are infinite.
    level = np.where(enough, np.clip(quartiles[..., 1] - centre, -1e6 * sigma, 1e6 * sigma), 0)
    if not enough[chosen].all():
        # A cell with few values has the level of the nearest cell: 0 would be a hole in the glow around it.
        nearest = distance_transform_edt(chosen & ~enough, return_distances=False, return_indices=True)
        level, error = level[tuple(nearest)], error[tuple(nearest)]
    significant = np.abs(level) > np.maximum(MIN_LEVEL * sigma, SIGNIFICANT * error)
    if not significant.any():
        return NO_AREAS
    parts, _ = label(np.abs(level) > BELONGS * error, np.ones((3, 3), int))
    level = np.where(np.isin(parts, np.unique(parts[significant])) & (parts > 0), level, 0)
    with np.errstate(invalid="ignore", over="ignore"):
        scatter = (quartiles[..., 2] - quartiles[..., 0]) / QUARTILE_DISTANCE
        uniform = scatter <= MAX_SCATTER * sigma + MAX_SCATTER_OF_LEVEL * np.abs(level)
    sharp = ~_reached(level, (level == 0) | uniform, error)
    index = np.flatnonzero(level)
    return Areas(index, level.ravel()[index].astype(np.float32), sharp.ravel()[index])


def _reached(level: np.ndarray, open_cells: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Whether each cell is connected with cells without a level (0) by steps that are not sharp: bool (cells).

    `open_cells` are the cells that a path may cross, `error` the standard error of the levels.
    """
    from scipy.sparse import coo_array  # as in `interpolation`
    from scipy.sparse.csgraph import connected_components

    highest = maximum_filter(np.abs(level), 3, mode="nearest")
    numbers = np.arange(level.size).reshape(level.shape)
    starts, ends = [], []
    for first, second in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        step = np.abs(level[first] - level[second])
        limit = np.maximum(SHARP * np.maximum(highest[first], highest[second]),
                           SIGNIFICANT * np.hypot(error[first], error[second]))  # fmt: skip
        passable = (step <= limit) & open_cells[first] & open_cells[second]
        starts.append(numbers[first][passable])
        ends.append(numbers[second][passable])
    start, end = np.concatenate(starts), np.concatenate(ends)
    graph = coo_array((np.ones(start.size, bool), (start, end)), shape=(level.size, level.size))
    _, component = connected_components(graph, directed=False)
    component = component.reshape(level.shape)
    return np.isin(component, np.unique(component[level == 0]))


@cache
def interpolation(n_pixels: int) -> np.ndarray:
    """Matrix (pixel, cell), float32: weights of the cells in the cubic interpolation at each pixel of an axis."""
    from scipy.interpolate import CubicHermiteSpline  # its import takes 0.3 s of every vote

    starts = np.arange(0, n_pixels, CELL)
    centres = (starts + np.minimum(starts + CELL, n_pixels) - 1) / 2
    if len(centres) == 1:
        return np.ones((n_pixels, 1), np.float32)
    cells = np.eye(len(centres))
    slopes = np.gradient(cells, centres, axis=0, edge_order=2 if len(centres) > 2 else 1)
    return CubicHermiteSpline(centres, cells, slopes, axis=0)(np.arange(n_pixels)).astype(np.float32)


def _interpolated(areas: Areas, n_cells: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """The level of the smooth areas at each pixel, float32 `shape` (y, x).

    Below an area with a sharp edge it is the level of the nearest cell beside it.
    """
    level, sharp = np.zeros(n_cells, np.float32), np.zeros(n_cells, bool)
    level.ravel()[areas.index], sharp.ravel()[areas.index] = areas.level, areas.sharp
    if sharp.any():
        nearest = distance_transform_edt(sharp, return_distances=False, return_indices=True)
        level = level[tuple(nearest)]
    across, along = (interpolation(n) for n in shape)
    return across @ level @ along.T
