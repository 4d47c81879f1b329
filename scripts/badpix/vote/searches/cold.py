"""Cold pixels, by their slope in darks."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from badpix.formats.thresholds import BELOW, Threshold, vote_rows
from badpix.formats.type_result import TypeResult
from badpix.vote.outlier_test import LOW
from badpix.vote.rate_limit import RateLimit
from badpix.vote.searches.base import Context, Integration, Measure, Measured, Search, SearchRun, VoteCount
from badpix.vote.tally import Tally, decide


@dataclass(frozen=True)
class ColdSearch(Search):
    """cold: a slope below `cold_rate_threshold`, and significantly below the level of the detector."""

    cold_rate_threshold: float | None
    cold_rate_threshold_e_per_s: float | None
    hot_fraction: float

    planes = ("SLOPE",)
    measures = {"cold_rate": Measure("SLOPE", "DN/s", "Slope in darks", level="slope")}
    counts = (VoteCount("low_rate", "Low slope", ("cold",), "cold_rate", LOW),)
    lists_intermittent = False

    def is_on(self) -> bool:
        return self.cold_rate_threshold is not None or self.needs_gain

    @property
    def needs_gain(self) -> bool:
        return self.cold_rate_threshold_e_per_s is not None

    def header_keys(self) -> tuple[str, ...]:
        return "cold_rate_threshold", "cold_rate_threshold_e_per_s", "hot_fraction"

    def fraction(self, measure: str) -> float:  # noqa: ARG002 - there is a single measure
        return self.hot_fraction

    def measured(self, integration: Integration) -> Iterator[Measured]:
        yield Measured("cold_rate", integration.planes["SLOPE"])

    def start(self, context: Context) -> "ColdRun":
        return ColdRun(self, context)


class ColdRun(SearchRun):
    """Counts the significantly low slopes, and separately the slopes below the limit."""

    search: ColdSearch

    def __init__(self, search: ColdSearch, context: Context) -> None:
        super().__init__(search, context)
        dn, electrons = search.cold_rate_threshold, search.cold_rate_threshold_e_per_s
        self.limit = RateLimit("cold_rate_threshold", dn, electrons, context.gain)
        self.below = Tally(context.science.shape)

    def add(self, integration: Integration) -> None:
        super().add(integration)
        slope = integration.planes["SLOPE"]
        with np.errstate(invalid="ignore"):
            self.below.add(slope < self.limit.dn_per_s, ~np.isnan(slope))

    def results(self, scale: np.ndarray) -> dict[str, TypeResult]:
        counts, test = list(self.search.counts), self.tests["cold_rate"]
        low = self.found(counts[0], scale)
        cold = low & decide(self.below.k, self.below.n_valid, self.search.hot_fraction, self.context.min_valid)
        result = self.type_result(cold, counts)
        # A slope at the limit must differ significantly from the level of the detector, or noise decides.
        level = float(np.nanmedian([levels[0][0] for levels in test.levels])) if test.levels else np.nan
        margin = level - np.asarray(self.limit.dn_per_s)
        untested = self.context.science & ~low & (test.noise_limit(LOW, scale) > margin)
        if untested.any():
            self.warnings += (self._warning(untested, level),)
        thresholds = (*result.thresholds, *self._limits())
        insufficient = result.insufficient | untested
        every = untested if result.untested is None else untested | result.untested
        return {"cold": replace(result, insufficient=insufficient, thresholds=thresholds, untested=every)}

    def _limits(self) -> tuple[Threshold, ...]:
        limit = self.limit.typical
        rows = [
            Threshold("cold_rate", "SLOPE", BELOW, limit, "DN/s", exposure=exposure, integration=number)
            for exposure, number in self.integrations
        ]
        return (*rows, *vote_rows("cold_rate", self.search.hot_fraction, "integrations", self.context.min_valid))

    def _warning(self, untested: np.ndarray, level: float) -> str:
        fraction = untested.sum() / max(1, self.context.science.sum())
        return (
            f"cold: {untested.sum()} pixels ({fraction:.2%}) are not classified, because noise does not separate the"
            f" limit, {self.limit.typical:.2g} DN/s, from the typical slope, {level:.2g} DN/s. Longer ramps or more"
            " darks lower the noise; a lower limit is easier to separate"
        )
