"""Hot and warm pixels, by their slope in darks."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from badpix.formats.thresholds import ABOVE, Threshold, around, vote_rows
from badpix.formats.type_result import TypeResult
from badpix.numerics.row_blocks import in_blocks
from badpix.vote.outlier_test import HIGH
from badpix.vote.rate_limit import RateLimit
from badpix.vote.searches.base import Context, Integration, Measure, Measured, Search, SearchRun, VoteCount
from badpix.vote.searches.noise import typical_noise
from badpix.vote.tally import Tally, decide

# Largest cosmic ray that the jump step can miss, in standard deviations of a difference: the default threshold of the
# step is 4, and noise can hide 1 more.
MISSED_JUMP_SIGMA = 5


def slope_or_saturated(slope: np.ndarray, n_saturated: np.ndarray) -> np.ndarray:
    """`slope` (any shape, DN/s), infinite where saturation leaves fewer than two groups for a fit."""
    return np.where((n_saturated > 0) & np.isnan(slope), np.float32(np.inf), slope)


@dataclass(frozen=True)
class RateSearch(Search):
    """hot and warm: a slope significantly above the level of the detector; hot exceeds `hot_rate_threshold`.

    The thresholds are in DN/s, or in e-/s (`..._e_per_s`) through the gain.
    """

    hot_rate_threshold: float | None
    warm_rate_threshold: float | None
    hot_fraction: float
    hot_rate_threshold_e_per_s: float | None = None
    warm_rate_threshold_e_per_s: float | None = None

    planes = ("SLOPE", "NSAT", "CDS_NOISE", "NGOOD")
    measures = {"rate": Measure("SLOPE", "DN/s", "Slope in darks", level="slope")}
    counts = (VoteCount("rate", "High slope", ("hot", "warm"), "rate"),)

    def is_on(self) -> bool:
        return self.hot_rate_threshold is not None or self.needs_gain

    @property
    def needs_gain(self) -> bool:
        return self.hot_rate_threshold_e_per_s is not None

    def header_keys(self) -> tuple[str, ...]:
        in_dn = ("hot_rate_threshold", "warm_rate_threshold", "hot_fraction")
        return *in_dn, "hot_rate_threshold_e_per_s", "warm_rate_threshold_e_per_s"

    def fraction(self, measure: str) -> float:  # noqa: ARG002 - there is a single measure
        return self.hot_fraction

    def measured(self, integration: Integration) -> Iterator[Measured]:
        planes = integration.planes
        slope = in_blocks(planes["SLOPE"], lambda rows: slope_or_saturated(planes["SLOPE"][rows], planes["NSAT"][rows]))
        # A cosmic ray of J DN in the middle of a ramp of n groups changes the slope by 1.5 J / n per group; here J is
        # the largest signal that the jump step misses.
        missed_dn = MISSED_JUMP_SIGMA * typical_noise(planes["CDS_NOISE"], integration.sample)
        slope_change = 1.5 * missed_dn / (max(1, planes["NGOOD"].max()) * integration.times.group_time_s)
        yield Measured("rate", slope, min_certain=slope_change)

    def start(self, context: Context) -> "RateRun":
        return RateRun(self, context)


class RateRun(SearchRun):
    """Counts the significant slopes, and separately the slopes beyond the limit of hot pixels."""

    search: RateSearch
    takes_deviations = True

    def __init__(self, search: RateSearch, context: Context) -> None:
        super().__init__(search, context)
        if not search.is_on():
            raise ValueError("hot_rate_threshold is null: the search of hot and warm pixels is off")
        dn, electrons = search.hot_rate_threshold, search.hot_rate_threshold_e_per_s
        self.hot_limit = RateLimit("hot_rate_threshold", dn, electrons, context.gain)
        self.hot_limit_dn = self.hot_limit.dn_per_s
        dn, electrons = search.warm_rate_threshold or 0.0, search.warm_rate_threshold_e_per_s
        self.warm_limit = RateLimit("warm_rate_threshold", dn, electrons, context.gain)
        self.warm_limit_dn = self.warm_limit.dn_per_s
        self.hot = Tally(context.science.shape)

    def floor(self, measured: Measured) -> np.ndarray | float:  # noqa: ARG002 - there is a single measure
        return self.warm_limit_dn

    def min_margin(self, measure: str) -> float:  # noqa: ARG002 - there is a single measure
        return self.warm_limit.typical

    def take(self, measure: str, rows: slice, deviations: np.ndarray) -> None:  # noqa: ARG002 - there is a single measure
        limit = self.hot_limit_dn
        with np.errstate(invalid="ignore"):
            yes = deviations > (limit[rows] if isinstance(limit, np.ndarray) else limit)
        self.hot.add(yes, ~np.isnan(deviations), rows)

    def results(self, scale: np.ndarray) -> dict[str, TypeResult]:
        counts = list(self.search.counts)
        bright = self.found(counts[0], scale)
        hot = bright & decide(self.hot.k, self.hot.n_valid, self.search.hot_fraction, self.context.min_valid)
        result = {"hot": self.type_result(hot, counts), "warm": self.type_result(bright & ~hot, counts, False)}
        noise_limit = self.tests["rate"].noise_limit(HIGH, scale)
        for name, limit in (("hot", self.hot_limit), ("warm", self.warm_limit)):
            untested = limit.untested(noise_limit, self.context.science & ~bright)
            if untested is not None:
                insufficient = result[name].insufficient | untested
                before = result[name].untested
                every = untested if before is None else untested | before
                result[name] = replace(result[name], insufficient=insufficient, untested=every)
                self.warnings += limit.warnings(name, untested, noise_limit, self.context.science)
        result["hot"] = replace(result["hot"], thresholds=(*result["hot"].thresholds, *self._hot_thresholds()))
        return result

    def _hot_thresholds(self) -> tuple[Threshold, ...]:
        """The Thresholds between hot and warm."""
        limit, levels = self.hot_limit.typical, self.tests["rate"].levels
        rows = [
            around("hot_rate", "SLOPE", ABOVE, level[0][0], limit, unit="DN/s", exposure=exposure, integration=number)
            for level, (exposure, number) in zip(levels, self.integrations, strict=True)
        ]
        return (*rows, *vote_rows("hot_rate", self.search.hot_fraction, "integrations", self.context.min_valid))
