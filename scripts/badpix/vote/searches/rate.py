"""Hot and warm pixels by their slope in darks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from badpix.formats.thresholds import ABOVE, Threshold, around, vote_rows
from badpix.formats.type_result import TypeResult
from badpix.vote.searches.base import Context, Integration, Measure, Measured, Search, SearchRun, VoteCount
from badpix.vote.searches.noise import typical_noise
from badpix.vote.tally import Tally, decide

# The jump step's default threshold, in standard deviations of a difference, and one more for the noise upon it.
MISSED_JUMP_SIGMA = 5


def slope_or_saturated(slope: np.ndarray, n_saturated: np.ndarray) -> np.ndarray:
    """`slope` (any shape, DN/s), infinite where a pixel saturated before there were two groups to fit."""
    return np.where((n_saturated > 0) & np.isnan(slope), np.float32(np.inf), slope)


@dataclass(frozen=True)
class RateSearch(Search):
    """hot and warm: a slope significantly above that of the detector; hot is beyond `hot_rate_threshold`."""

    hot_rate_threshold: float | None
    warm_rate_threshold: float
    hot_fraction: float

    planes = ("SLOPE", "NSAT", "CDS_NOISE", "NGOOD")
    measures = {"rate": Measure("SLOPE", "DN/s", "Slope in darks")}
    counts = (VoteCount("rate", "High slope", ("hot", "warm"), "rate"),)

    def is_on(self) -> bool:
        return self.hot_rate_threshold is not None

    def header_keys(self) -> tuple[str, ...]:
        return "hot_rate_threshold", "warm_rate_threshold", "hot_fraction"

    def fraction(self, measure: str) -> float:
        return self.hot_fraction

    def min_margin(self, measure: str) -> float:
        return self.warm_rate_threshold

    def measured(self, integration: Integration) -> Iterator[Measured]:
        planes = integration.planes
        slope = slope_or_saturated(planes["SLOPE"], planes["NSAT"])
        # A cosmic ray that the jump step just misses, in the middle of a ramp of n groups, tilts it by 1.5 / n.
        step = MISSED_JUMP_SIGMA * typical_noise(planes["CDS_NOISE"], integration.sample)
        tilt = 1.5 * step / (max(1, planes["NGOOD"].max()) * integration.group_time_s)
        yield Measured("rate", slope, self.warm_rate_threshold, tilt)

    def start(self, context: Context) -> "RateRun":
        return RateRun(self, context)


class RateRun(SearchRun):
    """Counts, beside the significant slopes, those beyond the limit of hot pixels."""

    def __init__(self, search: RateSearch, context: Context):
        super().__init__(search, context)
        self.hot = Tally(context.science.shape)

    def take(self, measure: str, deviation: np.ndarray) -> None:
        with np.errstate(invalid="ignore"):
            self.hot.add(deviation > self.search.hot_rate_threshold, ~np.isnan(deviation))

    def results(self, scale: np.ndarray) -> dict[str, TypeResult]:
        counts = list(self.search.counts)
        bright = self.found(counts[0], scale)
        hot = bright & decide(self.hot.k, self.hot.n_valid, self.search.hot_fraction, self.context.min_valid)
        result = {"hot": self.type_result(hot, counts), "warm": self.type_result(bright & ~hot, counts, False)}
        result["hot"].thresholds += self._hot_thresholds()
        return result

    def _hot_thresholds(self) -> tuple[Threshold, ...]:
        """The Thresholds that divide hot from warm."""
        limit, levels = self.search.hot_rate_threshold, self.tests["rate"].levels
        rows = [
            around("hot_rate", "SLOPE", ABOVE, bulk[0][0], limit, unit="DN/s", exposure=exposure, integration=number)
            for bulk, (exposure, number) in zip(levels, self.integrations, strict=True)
        ]
        return (*rows, *vote_rows("hot_rate", self.search.hot_fraction, "integrations", self.context.min_valid))
