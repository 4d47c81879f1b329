"""The base classes of the searches of darks beyond the official algorithm, and the run of a search over all exposures.

A search compares a quantity of each pixel with the rest of the detector, integration by integration, so the memory
does not grow with the number of integrations. Thresholds are set from the configured false-alarm rate. A new search is
a module beside this file with a subclass of `Search`, and a row in `registry.SEARCHES`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import ClassVar

import numpy as np

from badpix.config.settings import Settings
from badpix.formats.thresholds import ABOVE, Threshold, vote_rows
from badpix.formats.type_result import TypeResult
from badpix.instrument.readout import GroupTimes
from badpix.vote.coupling import Coupling
from badpix.vote.halos import Halos
from badpix.vote.level_record import Changing, LocalLevels, Subject
from badpix.vote.limit_rows import LimitOfCount, limit_rows
from badpix.vote.outlier_test import HIGH, NO_LEVEL, PART_OF_LEVEL, WHOLE_ARRAY, Level, OutlierTest, Region, samples_of


@dataclass(frozen=True)
class Further:
    """A second condition of a vote: `quantity` must exceed `part`; `label` is its name in the report."""

    quantity: str
    part: float
    label: str


@dataclass(frozen=True)
class Measure:
    """A quantity of one integration in which pixels are compared.

    `quantity` is its name in the thresholds and in the report, None for the plane of the pedestals that vote. `unit`
    and `title` are the unit and the title of the quantity. `further` is a second condition. `by_amplifier`: each
    amplifier has its own level and scatter. `scaled`: a pixel that is noisier than typical needs a larger mean.
    `level` is the quantity in words if its local level is subtracted with `dark_local_level`, else None; measures of
    the same values have the same. `lines`: readout lines have a level too, not only areas. `sides` are the
    sides (HIGH, LOW) that are counted if these are not those of the vote counts; votes alone are counted then.
    """

    quantity: str | None
    unit: str
    title: str
    further: Further | None = None
    by_amplifier: bool = False
    scaled: bool = True
    level: str | None = None
    lines: bool = False
    sides: tuple[int, ...] = ()


@dataclass(frozen=True)
class VoteCount:
    """A count of votes: images `<NAME>_K` and `<NAME>_N` of the evidence.

    `types` are the pixel types that it finds and `label` its name in the report. The votes are the outliers on `side`
    (HIGH, LOW) of `measure`, a key of `Search.measures`; None if the run of the search counts the votes itself.
    """

    name: str
    label: str
    types: tuple[str, ...]
    measure: str | None = None
    side: int = HIGH


@dataclass(frozen=True)
class Integration:
    """One integration of a dark.

    `planes` maps names of statistics planes, and PEDESTAL, to images (y, x). `times` are the times of the groups.
    `sample` are the indices of a sample of the science pixels (`badpix.vote.significance.subsample`). `exposure` and
    `number` (1-based) identify the integration. `pedestal_plane` is the plane of the statistics file that PEDESTAL
    was read from. `halos` are the halos that were removed from `planes`, None without any. `is_alone`: the exposure has
    no other integration.
    """

    planes: Mapping[str, np.ndarray]
    times: GroupTimes
    sample: np.ndarray
    exposure: str = ""
    number: int = 0
    pedestal_plane: str = ""
    halos: Halos | None = None
    is_alone: bool = False

    def of_halos(self) -> "Integration | None":
        """The pixels of the halos alone, with them: planes (pixel) in place of images; None without halos."""
        if self.halos is None:
            return None
        return replace(self, planes=self.halos.before, sample=np.arange(self.halos.pixels.size), halos=None)


@dataclass(frozen=True)
class Measured:
    """The values of a measure in one integration, with the limits that `OutlierTest.add` takes."""

    measure: str
    values: np.ndarray
    min_deviation: np.ndarray | float = 0.0
    min_certain: float = 0.0


@dataclass(frozen=True)
class Context:
    """The inputs common to all searches of a vote.

    `science` is the boolean image (y, x) of the pixels that may be flagged. `n_exposures` and `n_integrations` are the
    numbers that will be added. `probability` is the false-alarm probability per healthy pixel and vote count,
    `min_valid` the smallest number of valid votes, and `amplifiers` the slices (y, x) of the amplifiers. `gain` (e-/DN)
    is a number or an image (y, x); None if no search needs it. `levels` are the local levels of the darks, None without
    `dark_local_level`. `coupling` is that between pixels; None if no search removes halos.
    """

    science: np.ndarray
    n_exposures: int
    n_integrations: int
    probability: float
    min_valid: int
    amplifiers: tuple[Region, ...] = WHOLE_ARRAY
    gain: np.ndarray | float | None = None
    levels: LocalLevels | None = None
    coupling: Coupling | None = None

    @cached_property
    def samples_of_array(self) -> list[np.ndarray]:
        """`samples_of` the whole array."""
        return samples_of(self.science, WHOLE_ARRAY)

    @cached_property
    def samples_of_amplifiers(self) -> list[np.ndarray]:
        """`samples_of` the amplifiers."""
        return samples_of(self.science, self.amplifiers)


@dataclass(frozen=True)
class Search(Settings, ABC):
    """A search: a subclass has its configuration keys as fields, and the class attributes below.

    `planes` are the statistics planes that the search reads. `titles` maps quantities that its run counts itself to
    their title in the report and their unit. `replaces` names the official tests that do not vote while the search is
    on. `takes_priority_over` names types that the types of the search explain, in addition to the priorities of
    `badpix.formats.pixel_types`. `gives_way_to` names types that explain what the search finds: their pixels are not
    found by it. `lists_intermittent`: pixels with significant single integrations are listed. `shows_halos`: a pixel
    beyond the limits is bad, so a pixel that is beyond them by its halo alone is in a halo.
    """

    planes: ClassVar[tuple[str, ...]] = ()
    measures: ClassVar[Mapping[str, Measure]] = {}
    counts: ClassVar[tuple[VoteCount, ...]] = ()
    titles: ClassVar[Mapping[str, tuple[str, str]]] = {}
    replaces: ClassVar[tuple[str, ...]] = ()
    takes_priority_over: ClassVar[tuple[str, ...]] = ()
    gives_way_to: ClassVar[tuple[str, ...]] = ()
    lists_intermittent: ClassVar[bool] = True
    shows_halos: ClassVar[bool] = True

    @abstractmethod
    def is_on(self) -> bool:
        """True if the configuration turns this search on."""

    @abstractmethod
    def header_keys(self) -> tuple[str, ...]:
        """The configuration keys that the mask's header lists when the search is on."""

    @abstractmethod
    def fraction(self, measure: str) -> float:
        """The fraction of votes in `measure` that must be yes."""

    @abstractmethod
    def measured(self, integration: Integration) -> Iterator[Measured]:
        """The values to compare, for each of `measures`."""

    @property
    def needs_gain(self) -> bool:
        """True if a threshold of the search is in electrons."""
        return False

    @property
    def removes_halos(self) -> bool:
        """True if the halos of bad pixels are removed from the planes of all searches."""
        return False

    @classmethod
    def levels(cls) -> set[str]:
        """The names of the local levels of the quantities that the search compares."""
        return {measure.level for measure in cls.measures.values() if measure.level}

    @classmethod
    def types(cls) -> tuple[str, ...]:
        """The pixel types that the search finds, in the order of their results."""
        return tuple(dict.fromkeys(name for count in cls.counts for name in count.types))

    @classmethod
    def false_alarm_counts(cls) -> dict[str, int]:
        """Type -> number of its vote counts, each with the configured false-alarm rate."""
        return {name: sum(name in count.types for count in cls.counts) for name in cls.types()}

    def start(self, context: Context) -> "SearchRun":
        """A run of the search over exposures, without any exposure yet."""
        return SearchRun(self, context)


def _measure_of(count: VoteCount) -> str:
    if count.measure is None:
        raise ValueError(f"the vote count {count.name} has no measure, so its search must override `results`")
    return count.measure


class SearchRun:
    """Counts the votes of a search, integration by integration, and decides."""

    search: Search
    takes_deviations: ClassVar[bool] = False

    def __init__(self, search: Search, context: Context) -> None:
        self.search, self.context = search, context
        self.tests = {
            name: OutlierTest(
                context.science,
                context.n_integrations,
                search.fraction(name),
                context.probability,
                context.amplifiers if measure.by_amplifier else WHOLE_ARRAY,
                measure.sides or {count.side for count in search.counts if count.measure == name},
                only_votes=bool(measure.sides),
                samples=context.samples_of_amplifiers if measure.by_amplifier else context.samples_of_array,
            )
            for name, measure in search.measures.items()
        }
        self.integrations: list[tuple[str, int]] = []
        self.pedestal_plane = ""
        self.warnings: tuple[str, ...] = ()
        # Count -> pixels (bool image) that a changing level may explain.
        self.doubtful: dict[str, np.ndarray] = {}

    def add(self, integration: Integration) -> None:
        """Count the votes of one integration."""
        self.pedestal_plane = integration.pedestal_plane
        self.integrations.append((integration.exposure, integration.number))
        # The noise is measured without its search too, but then no noise is beyond limits.
        shows_halos = self.search.shows_halos and self.search.is_on()
        of_halos = integration.of_halos() if shows_halos else None
        with_halo = {m.measure: m.values for m in self.search.measured(of_halos)} if of_halos else {}
        for measured in self.search.measured(integration):
            test, floor = self.tests[measured.measure], self.floor(measured)
            measure, level = self.search.measures[measured.measure], NO_LEVEL
            if self.context.levels is not None and measure.level:
                level = self.context.levels.find(measure.level, measure.lines, measured.values, integration)
            take = partial(self.take, measured.measure) if self.takes_deviations else None
            test.add(measured.values, floor, measured.min_certain, level, take)
            if integration.halos and measured.measure in with_halo:
                self._compare(test, integration.halos, with_halo[measured.measure], measured.values, floor, level)

    def _compare(
        self,
        test: OutlierTest,
        halos: Halos,
        with_halo: np.ndarray,
        image: np.ndarray,
        floor: np.ndarray | float,
        level: Level,
    ) -> None:
        """Compare a quantity `with_halo` (pixel) with the `image` (y, x) of the quantity without the halos."""
        values = image.reshape(-1)[halos.pixels].astype(np.float32, copy=False)
        without = values if level.image is None else values - level.image.reshape(-1)[halos.pixels]
        deviations, limits = test.deviations_at(halos.pixels, without)
        limits = np.maximum(floor.reshape(-1)[halos.pixels] if isinstance(floor, np.ndarray) else floor, limits)
        if level.smooth is not None:
            limits = np.maximum(limits, PART_OF_LEVEL * np.abs(level.smooth.reshape(-1)[halos.pixels]))
        with np.errstate(invalid="ignore"):
            halos.compare(with_halo - values, deviations, limits)

    def take(self, measure: str, rows: slice, deviations: np.ndarray) -> None:
        """Hook of subclasses with `takes_deviations`: count further votes from the deviations of a block (row, x)."""

    def floor(self, measured: Measured) -> np.ndarray | float:
        """Hook of subclasses: the smallest deviation that counts, a number or an image (y, x)."""
        return measured.min_deviation

    def min_margin(self, measure: str) -> float:  # noqa: ARG002 - for subclasses whose margin depends on it
        """Hook of subclasses: the typical `floor` of a measure, for the thresholds in the evidence."""
        return 0.0

    def end_exposure(self, exposure: str) -> None:
        """Hook of subclasses with a vote per exposure: all integrations of `exposure` are added."""

    def end(self) -> None:
        """Hook of subclasses: all exposures are added, so that images of a single exposure can be freed."""

    def keeps(self, winner: str) -> np.ndarray | bool:  # noqa: ARG002 - for subclasses that keep pixels
        """Hook of subclasses: the pixels (image (y, x)) that the search keeps although `winner` explains them."""
        return False

    def results(self, scale: np.ndarray) -> dict[str, TypeResult]:
        """TypeResult per type; `scale` (image (y, x), at least 1) is the noise in units of the typical noise."""
        return {name: self.result(name, scale) for name in self.search.types()}

    def result(self, pixel_type: str, scale: np.ndarray) -> TypeResult:
        """The TypeResult of a type: found by at least one of its counts."""
        counts = [count for count in self.search.counts if pixel_type in count.types]
        found = np.logical_or.reduce([self.found(count, scale) for count in counts])
        return self.type_result(found, counts)

    def found(self, count: VoteCount, scale: np.ndarray) -> np.ndarray:
        """Boolean image (y, x) of the pixels that a count finds."""
        name = _measure_of(count)
        found = self.tests[name].found(
            count.side, self.context.min_valid, scale if self.search.measures[name].scaled else 1.0
        )
        if changing := self.changing(name):
            self.doubtful[count.name] = changing.doubtful(found, self.tests[name].mean())
            found &= ~self.doubtful[count.name]
        return found

    def changing(self, measure: str) -> Changing | None:
        """The areas whose level changes between the darks, in a measure."""
        level = self.search.measures[measure].level
        return self.context.levels.changing(level) if self.context.levels is not None and level else None

    def _intermittent(self, count: VoteCount) -> np.ndarray:
        """The pixels with a significant integration, outside areas that only some darks have: bool (y, x)."""
        name = _measure_of(count)
        intermittent = self.tests[name].intermittent(count.side)
        return intermittent if (areas := self.changing(name)) is None else intermittent & ~areas.passing

    def level_subjects(self) -> Iterator[tuple[str, Subject]]:
        """The names of the local levels of this search, and the subjects of their warnings.

        The search of pixels that change between darks (`Measure.sides`) repeats quantities of the other searches.
        """
        for name, measure in self.search.measures.items():
            if measure.level and not measure.sides:
                types = dict.fromkeys(t for count in self.search.counts if count.measure == name for t in count.types)
                limit = self.tests[name].typical_vote_limit(self.min_margin(name))
                yield measure.level, Subject(tuple(types), measure.level, measure.unit, limit)

    def type_result(
        self, found: np.ndarray, counts: list[VoteCount], lists_intermittent: bool | None = None
    ) -> TypeResult:
        """The TypeResult of `counts` that found `found`: insufficient where no count has enough votes."""
        if lists_intermittent is None:
            lists_intermittent = self.search.lists_intermittent
        science, tests = self.context.science, [self.tests[_measure_of(count)] for count in counts]
        sufficient = np.logical_or.reduce([test.has_enough_votes(self.context.min_valid) for test in tests])
        intermittent = None
        if lists_intermittent:
            strong = [self._intermittent(count) for count in counts]
            intermittent = np.logical_or.reduce(strong) & ~found
        doubtful = [self.doubtful[count.name] for count in counts if count.name in self.doubtful]
        untested = np.logical_or.reduce(doubtful) & science & ~found if doubtful else None
        return TypeResult(
            found & science,
            (~sufficient if untested is None else ~sufficient | untested) & science,
            {c.name: (test.votes[c.side], test.n_valid) for test, c in zip(tests, counts, strict=True)},
            intermittent,
            tuple(row for count in counts for row in self.thresholds(count)),
            untested,
        )

    def thresholds(self, count: VoteCount) -> tuple[Threshold, ...]:
        """The Thresholds of a count: of every integration, of the mean, and of the vote. Call it after `found`."""
        name = _measure_of(count)
        measure = self.search.measures[name]
        limit = LimitOfCount(count.name, measure.quantity or self.pedestal_plane, count.side, measure.unit)
        rows = limit_rows(limit, self.tests[name], self.integrations, self.min_margin(name))
        if measure.further:
            part = measure.further.part
            rows.append(Threshold(count.name, measure.further.quantity, ABOVE, part, "", margin=part))
        return (*rows, *vote_rows(count.name, self.tests[name].fraction, "integrations", self.context.min_valid))
