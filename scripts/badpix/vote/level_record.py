"""The local levels of all integrations of the darks: what they have in common, what changes, and the warnings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Protocol

import numpy as np
from scipy.ndimage import binary_dilation, maximum_filter

from badpix.core.wording import counted, first_of
from badpix.vote.local_level import CELL, MEDIAN_ERROR, SIGNIFICANT, LevelFinder, LocalLevel
from badpix.vote.outlier_test import PART_OF_LEVEL, Region

# The level of an area with a sharp edge changes between the darks if it differs from its median by more than this part
# of it in half of the integrations: persistence decays, and the rate of hot pixels does not.
CHANGE = 0.15
# A pixel in such an area is beyond doubt if its deviation is this multiple of the highest level around.
BEYOND_LEVEL = 1.5
# An area that is bad as a whole is named from this number of cells.
MIN_CELLS = 4
MAX_NAMED = 5
# Quantities that have no level where another quantity has none.
FOLLOWS = {"slope over its error": "slope"}


class Named(Protocol):
    """An integration: the name of its exposure."""

    @property
    def exposure(self) -> str: ...


@dataclass(frozen=True)
class Changing:
    """Areas whose level changes between the darks: `pixels`, bool (y, x), and `highest`, the highest level around them.

    `passing`, bool (y, x), are these areas and those that only some darks have.
    """

    pixels: np.ndarray
    highest: np.ndarray
    passing: np.ndarray

    def doubtful(self, found: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """The pixels `found` (bool) whose mean deviation `mean` the changing level may explain: bool (y, x)."""
        with np.errstate(invalid="ignore"):
            return found & self.pixels & ~(np.abs(mean) > BEYOND_LEVEL * self.highest)


@dataclass(frozen=True)
class Subject:
    """What a warning is about: the pixel types, the quantity in words and its unit, and the limit of its vote."""

    types: Sequence[str]
    title: str
    unit: str
    limit: float


@dataclass
class LevelRecord:
    """The local levels of one quantity, integration by integration."""

    finder: LevelFinder
    exposures: list[str] = field(default_factory=list)
    levels: list[LocalLevel] = field(default_factory=list)

    def add(self, exposure: str, level: LocalLevel) -> None:
        """Add the level of an integration of `exposure`. Only cells and lines are kept, not the images."""
        self.exposures.append(exposure)
        self.levels.append(LocalLevel(None, None, level.regions))

    def _cells(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
        """The cells of region `number` with a level in any integration.

        Their flat index, their levels and whether these have a sharp edge (integration, cell), and the shape in cells.
        """
        region = self.finder.regions[number]
        shape = tuple(-(-(part.stop - part.start) // CELL) for part in region)
        areas = [level.regions[number].areas for level in self.levels]
        index = np.unique(np.concatenate([np.zeros(0, int), *(each.index for each in areas)]))
        levels, sharp = np.zeros((len(areas), index.size), np.float32), np.zeros((len(areas), index.size), bool)
        for row, each in enumerate(areas):
            at = np.searchsorted(index, each.index)
            levels[row, at], sharp[row, at] = each.level, each.sharp
        return index, levels, sharp, (shape[0], shape[1])

    def _errors(self, number: int) -> np.ndarray:
        """Standard error of the level of a full cell in each integration."""
        return np.array([[MEDIAN_ERROR * level.regions[number].sigma / CELL] for level in self.levels])

    def changing(self) -> Changing | None:
        """The Changing areas; None without an area that only some darks have or whose level changes."""
        shape = self.finder.science.shape
        result = Changing(np.zeros(shape, bool), np.zeros(shape, np.float32), np.zeros(shape, bool))
        for number, region in enumerate(self.finder.regions):
            index, levels, sharp, n_cells = self._cells(number)
            permanent, changing = self._sharp(number, levels, sharp)
            passing = sharp.any(axis=0) & ~permanent
            if not passing.any():
                continue
            highest = np.zeros(n_cells, np.float32)
            highest.ravel()[index[passing]] = np.abs(levels[:, passing]).max(axis=0)
            for image, cells in ((result.pixels, changing), (result.passing, passing)):
                image[region] = _pixels(_dilated(index[cells], n_cells), image[region].shape)
            result.highest[region] = _pixels(maximum_filter(highest, 3), result.highest[region].shape)
        return result if result.passing.any() else None

    def _sharp(self, number: int, levels: np.ndarray, sharp: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Whether each cell has a sharp edge in half of the integrations and keeps its level; whether it changes it."""
        typical = np.median(levels, axis=0) if levels.size else np.zeros(levels.shape[1])
        deviation = np.median(np.abs(levels - typical), axis=0) if levels.size else typical
        error = np.nanmedian(self._errors(number)) if levels.size else 0.0
        changes = sharp.any(axis=0) & (deviation > np.maximum(SIGNIFICANT * error, CHANGE * np.abs(typical)))
        return (2 * sharp.sum(axis=0) >= max(1, len(levels))) & ~changes, changes

    def warnings(self, subject: Subject) -> Iterable[str]:
        """The warnings of levels above the limit of the vote, and of areas with sharp edges."""
        n_science = max(1, int(self.finder.science.sum()))
        yield from self._of_lines(subject)
        yield from self._of_areas(subject, n_science)
        changing = self.changing()
        if changing is not None and changing.pixels.any():
            n_pixels = int((changing.pixels & self.finder.science).sum())
            yield (
                f"{_names(subject)}: {n_pixels} pixels ({n_pixels / n_science:.2%}) lie in or beside areas with another"
                f" {subject.title} in each dark (persistence, or light), around {_middle(changing.pixels)}. Pixels"
                " there that differ by no more than these areas are INSUFFICIENT"
            )
        blocks = np.zeros(self.finder.science.shape, bool)
        for number, region in enumerate(self.finder.regions):
            index, levels, sharp, n_cells = self._cells(number)
            permanent, _ = self._sharp(number, levels, sharp)
            if permanent.sum() >= MIN_CELLS:
                cells = np.zeros(n_cells, bool)
                cells.ravel()[index[permanent]] = True
                blocks[region] = _pixels(cells, blocks[region].shape)
        if blocks.any():
            n_pixels = int((blocks & self.finder.science).sum())
            yield (
                f"{_names(subject)}: about {n_pixels} pixels ({n_pixels / n_science:.2%}) lie in areas with sharp edges"
                f" that have another {subject.title} in all darks alike, around {_middle(blocks)}. They are taken for"
                " clusters of bad pixels"
            )

    def _of_lines(self, subject: Subject) -> Iterable[str]:
        """The warning of lines with an offset above the limit."""
        affected: dict[tuple[int, str, int], list[float]] = {}
        darks: set[str] = set()
        for exposure, level in zip(self.exposures, self.levels, strict=True):
            for number, region in enumerate(level.regions):
                for kind in ("rows", "columns"):
                    lines = getattr(region, kind)
                    beyond = np.abs(lines.level) > subject.limit
                    for index, height in zip(lines.index[beyond], lines.level[beyond], strict=True):
                        affected.setdefault((number, kind, int(index)), []).append(float(height))
                    darks |= {exposure} if beyond.any() else set()
        if affected:
            typical = [float(np.median(heights)) for heights in affected.values()]
            texts = []
            for kind, axis in (("rows", 0), ("columns", 1)):
                at = sorted({
                    index + self.finder.regions[number][axis].start
                    for number, of_kind, index in affected if of_kind == kind
                })  # fmt: skip
                if at:
                    texts.append(f"{counted(len(at), kind)} ({'y' if axis == 0 else 'x'} = {at[0]} to {at[-1]})")
            yield (
                f"{_names(subject)}: {' and '.join(texts)} have another {subject.title}, by {min(typical):.3g} to"
                f" {max(typical):.3g} {subject.unit}, in {self._in_darks(darks)} (a drift of the bias, or outputs"
                " that differ). Pixels are compared with their own line"
            )

    def _of_areas(self, subject: Subject, n_science: int) -> Iterable[str]:
        """The warnings of smooth areas above the limit: those of most integrations, and those of single darks."""
        common, single = np.zeros((2, *self.finder.science.shape), np.float32)
        darks: set[str] = set()
        for number, region in enumerate(self.finder.regions):
            index, levels, sharp, n_cells = self._cells(number)
            offsets = np.array([[level.regions[number].offset] for level in self.levels])
            height = np.where(sharp, 0, levels)
            beyond = np.abs(height) > subject.limit
            often = 2 * beyond.sum(axis=0) >= max(1, len(levels))
            # Not the rim of an area of all darks.
            seldom = beyond.any(axis=0) & (2 * np.abs(np.median(height, axis=0)) < subject.limit)
            for image, chosen in ((common, often), (single, seldom)):
                cells = np.zeros(n_cells, np.float32)
                largest = np.median(height, axis=0) if image is common else _largest(height)
                cells.ravel()[index[chosen]] = largest[chosen] if index.size else 0
                image[region] = _pixels(cells, image[region].shape)
            darks |= {self.exposures[i] for i in np.flatnonzero((beyond & seldom).any(axis=1))}
            whole = float(np.median(offsets)) if offsets.size else 0.0
            if abs(whole) > subject.limit:
                common[region] = np.where(common[region] == 0, whole, common[region])
        for image, which in ((common, "most darks"), (single, self._in_darks(darks))):
            area = (image != 0) & self.finder.science
            if area.any():
                peak = np.unravel_index(int(np.argmax(np.abs(image) * area)), image.shape)
                n_pixels = int(area.sum())
                yield (
                    f"{_names(subject)}: {n_pixels} pixels ({n_pixels / n_science:.2%}) lie where the {subject.title}"
                    f" of the whole surroundings differs, by {np.median(image[area]):.3g} {subject.unit} typically and"
                    f" {image[peak]:.3g} {subject.unit} at most, at x = {peak[1]}, y = {peak[0]}, in {which} (glow,"
                    " light or persistence). These pixels are compared with their surroundings"
                )

    def _in_darks(self, darks: set[str]) -> str:
        total = len(set(self.exposures))
        if len(darks) > MAX_NAMED:
            return f"{len(darks)} of {total} darks"
        return f"{len(darks)} of {total} darks ({first_of(sorted(darks), MAX_NAMED)})"


def _largest(levels: np.ndarray) -> np.ndarray:
    """The value of the largest absolute value along the integrations."""
    return np.take_along_axis(levels, np.abs(levels).argmax(axis=0)[np.newaxis], axis=0)[0]


def _names(subject: Subject) -> str:
    return ", ".join(subject.types)


def _middle(pixels: np.ndarray) -> str:
    """The median position of the pixels, in words."""
    y, x = np.nonzero(pixels)
    return f"x = {int(np.median(x))}, y = {int(np.median(y))}"


def _dilated(index: np.ndarray, n_cells: tuple[int, int]) -> np.ndarray:
    """The cells `index` and the cells around them: bool (cells)."""
    cells = np.zeros(n_cells, bool)
    cells.ravel()[index] = True
    return binary_dilation(cells, np.ones((3, 3), bool))


def _pixels(cells: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The image of `shape` (y, x) with the value of its cell at each pixel."""
    return np.repeat(np.repeat(cells, CELL, axis=0), CELL, axis=1)[: shape[0], : shape[1]]


class LocalLevels:
    """The local levels of all quantities of the darks that have one.

    `science` is the boolean image (y, x) of the science pixels, `regions` are the amplifiers.
    """

    def __init__(self, science: np.ndarray, regions: Sequence[Region]) -> None:
        self.finder = LevelFinder(science, regions)
        self.records: dict[str, LevelRecord] = {}
        self._found: dict[str, LocalLevel] = {}
        self._empty: set[str] = set()
        # The names of the levels that several quantities have; None: any.
        self.shared: set[str] | None = None
        self._changing: dict[str, Changing | None] = {}
        self._integration: Named | None = None
        self._lock = Lock()

    def find(self, name: str, lines: bool, values: np.ndarray, integration: Named) -> LocalLevel:
        """The LocalLevel of `values` (float32 image) of the quantity `name`.

        `lines`: readout lines have levels. `integration` is the object that has the values: searches that measure the
        same quantity of it share its level, which the first of them finds.
        """
        with self._lock:
            if integration is not self._integration:
                self._integration, self._found, self._empty = integration, {}, set()
        if name in self._found:
            return self._found[name]
        followed = self._found.get(FOLLOWS.get(name, ""))
        level = (
            followed
            if followed is not None and FOLLOWS[name] in self._empty
            else self.finder.find(values.astype(np.float32, copy=False), lines)
        )
        self.records.setdefault(name, LevelRecord(self.finder)).add(integration.exposure, level)
        if level.is_empty:
            self._empty.add(name)
        # The images of a level that no other search shares are not kept.
        is_shared = self.shared is None or name in self.shared
        self._found[name] = level if is_shared else replace(level, image=None, smooth=None)
        return level

    def subtract(
        self, name: str, lines: bool, values: np.ndarray, integration: Named
    ) -> tuple[np.ndarray, np.ndarray | float]:
        """`values` without the local level, and the deviation that it hides; arguments as of `find`."""
        level = self.find(name, lines, values, integration)
        if level.image is None:
            return values, 0.0
        hidden = 0.0 if level.smooth is None else PART_OF_LEVEL * np.abs(level.smooth)
        return values - level.image, hidden

    def end_integration(self) -> None:
        """All searches have the integration: free its images."""
        self._integration, self._found, self._empty = None, {}, set()

    def changing(self, name: str) -> Changing | None:
        """The Changing areas of the quantity `name`, after all integrations."""
        if name not in self._changing:
            self._changing[name] = self.records[name].changing() if name in self.records else None
        return self._changing[name]

    def warnings(self, subjects: Iterable[tuple[str, Subject]]) -> Iterable[str]:
        """The warnings of all levels; `subjects` are names of levels and what to write about them."""
        by_name: dict[str, Subject] = {}
        for name, subject in subjects:
            before = by_name.get(name)
            types = tuple(dict.fromkeys([*(before.types if before else ()), *subject.types]))
            by_name[name] = replace(before or subject, types=types)
        for name, subject in by_name.items():
            if name in self.records:
                yield from self.records[name].warnings(subject)
