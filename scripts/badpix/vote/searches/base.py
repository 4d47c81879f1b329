"""The base classes of the searches of darks beyond the official algorithm, and the run of a search over all exposures.

A search compares a quantity of each pixel with the rest of the detector, integration by integration, so the memory
does not grow with the number of integrations. Thresholds are set from the configured false-alarm rate. A new search is
a module beside this file with a subclass of `Search`, and a row in `registry.SEARCHES`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from badpix.config.settings import Settings
from badpix.formats.thresholds import ABOVE, BELOW, MEAN_DEVIATION, Threshold, around, vote_rows
from badpix.formats.type_result import TypeResult
from badpix.instrument.readout import GroupTimes
from badpix.vote.outlier_test import HIGH, WHOLE_ARRAY, OutlierTest, Region


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
    """

    quantity: str | None
    unit: str
    title: str
    further: Further | None = None
    by_amplifier: bool = False
    scaled: bool = True


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
    was read from.
    """

    planes: Mapping[str, np.ndarray]
    times: GroupTimes
    sample: np.ndarray
    exposure: str = ""
    number: int = 0
    pedestal_plane: str = ""


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
    is a number or an image (y, x); None if no search needs it.
    """

    science: np.ndarray
    n_exposures: int
    n_integrations: int
    probability: float
    min_valid: int
    amplifiers: tuple[Region, ...] = WHOLE_ARRAY
    gain: np.ndarray | float | None = None


@dataclass(frozen=True)
class Search(Settings, ABC):
    """A search: a subclass has its configuration keys as fields, and the class attributes below.

    `planes` are the statistics planes that the search reads. `titles` maps quantities that its run counts itself to
    their title in the report and their unit. `replaces` names the official tests that do not vote while the search is
    on. `takes_priority_over` names types that the types of the search explain, in addition to the priorities of
    `badpix.formats.pixel_types`. `lists_intermittent`: pixels with significant single integrations are listed.
    """

    planes: ClassVar[tuple[str, ...]] = ()
    measures: ClassVar[Mapping[str, Measure]] = {}
    counts: ClassVar[tuple[VoteCount, ...]] = ()
    titles: ClassVar[Mapping[str, tuple[str, str]]] = {}
    replaces: ClassVar[tuple[str, ...]] = ()
    takes_priority_over: ClassVar[tuple[str, ...]] = ()
    lists_intermittent: ClassVar[bool] = True

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

    def __init__(self, search: Search, context: Context) -> None:
        self.search, self.context = search, context
        self.tests = {
            name: OutlierTest(
                context.science,
                context.n_integrations,
                search.fraction(name),
                context.probability,
                context.amplifiers if measure.by_amplifier else WHOLE_ARRAY,
            )
            for name, measure in search.measures.items()
        }
        self.integrations: list[tuple[str, int]] = []
        self.pedestal_plane = ""
        self.warnings: tuple[str, ...] = ()

    def add(self, integration: Integration) -> None:
        """Count the votes of one integration."""
        self.pedestal_plane = integration.pedestal_plane
        self.integrations.append((integration.exposure, integration.number))
        for measured in self.search.measured(integration):
            test = self.tests[measured.measure]
            self.take(measured.measure, test.add(measured.values, self.floor(measured), measured.min_certain))

    def take(self, measure: str, deviation: np.ndarray) -> None:
        """Hook of subclasses: count further votes from the deviation from the detector's level (image (y, x))."""

    def floor(self, measured: Measured) -> np.ndarray | float:
        """Hook of subclasses: the smallest deviation that counts, a number or an image (y, x)."""
        return measured.min_deviation

    def min_margin(self, measure: str) -> float:  # noqa: ARG002 - for subclasses whose margin depends on it
        """Hook of subclasses: the typical `floor` of a measure, for the thresholds in the evidence."""
        return 0.0

    def end_exposure(self, exposure: str) -> None:
        """Hook of subclasses with a vote per exposure: all integrations of `exposure` are added."""

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
        return self.tests[name].found(
            count.side, self.context.min_valid, scale if self.search.measures[name].scaled else 1.0
        )

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
            strong = [test.intermittent(count.side) for test, count in zip(tests, counts, strict=True)]
            intermittent = np.logical_or.reduce(strong) & ~found
        return TypeResult(
            found & science,
            ~sufficient & science,
            {c.name: (test.votes[c.side], test.n_valid) for test, c in zip(tests, counts, strict=True)},
            intermittent,
            tuple(row for count in counts for row in self.thresholds(count)),
        )

    def thresholds(self, count: VoteCount) -> tuple[Threshold, ...]:
        """The Thresholds of a count: of every integration, of the mean, and of the vote. Call it after `found`."""
        name = _measure_of(count)
        measure, test = self.search.measures[name], self.tests[name]
        quantity, direction = measure.quantity or self.pedestal_plane, ABOVE if count.side == HIGH else BELOW
        # A vote must exceed both margins, so the larger margin is the limit.
        min_margin = self.min_margin(name)
        rows = []
        weights = test.weights()
        for levels, of_levels, (exposure, number) in zip(test.levels, weights, self.integrations, strict=True):
            for region, ((centre, sigma), weight) in enumerate(zip(levels, of_levels, strict=True), 1):
                row = around(
                    count.name,
                    quantity,
                    direction,
                    centre,
                    max(test.vote_sigma * sigma, min_margin),
                    unit=measure.unit,
                    exposure=exposure,
                    integration=number,
                    region=region if len(levels) > 1 else 0,
                    weight=float(weight),
                )
                rows.append(row)
        for region, (centre, margin) in enumerate(test.mean_limits[count.side], 1):
            region = region if len(test.regions) > 1 else 0
            value = count.side * (centre + margin)
            rows.append(Threshold(count.name, MEAN_DEVIATION, direction, value, measure.unit, region=region))
        if measure.further:
            part = measure.further.part
            rows.append(Threshold(count.name, measure.further.quantity, ABOVE, part, "", margin=part))
        return (*rows, *vote_rows(count.name, test.fraction, "integrations", self.context.min_valid))
