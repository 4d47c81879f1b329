"""Telegraph pixels, by their downward jumps: cosmic rays only jump upwards."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from badpix.formats.thresholds import AT_LEAST, Threshold, vote_rows
from badpix.formats.type_result import TypeResult
from badpix.instrument.depth import MIN_GROUPS_FOR_TELEGRAPH
from badpix.instrument.segments import exposure_of
from badpix.numerics.row_blocks import cached_blocks
from badpix.vote.searches.base import Context, Integration, Measured, Search, SearchRun, VoteCount
from badpix.vote.significance import poisson_threshold, vote_probability
from badpix.vote.tally import Tally, decide

# Noise can make one downward jump. An exposure with this many is certain evidence of telegraph noise.
MIN_CERTAIN_JUMPS_DOWN = 2
# Upward jumps count as a signal of the pixel if at most this fraction of the healthy pixels has as many: fewer may be
# cosmic rays.
CHANCE_JUMPS_UP = 0.02
# Where at least this fraction of a pixel's downward jumps exceeds 5 sigma, its telegraph signal makes no smaller jumps.
# The smaller jumps are noise then, and could supply the deciding vote for a pixel that is intermittent.
MIN_SHARE_5SIG = 0.75

STEPS = ("N_JUMP_DOWN", "N_JUMP_UP", "N_JUMP_DOWN_5SIG")


def quiet_rate(n_zero: int, n_counts: int) -> float:
    """Mean of the Poisson distribution of `n_counts` counts of which `n_zero` are 0; 0 without counts.

    The share of zeros gives the rate of the healthy pixels: real signals raise the counts of a few pixels, and hardly
    change this share.
    """
    return float(-np.log(max(n_zero / n_counts, 0.01))) if n_counts else 0.0


def _two_levels(n_down: np.ndarray, n_up: np.ndarray, rate: float = 0.0) -> np.ndarray:
    """True where upward jumps accompany the downward jumps: a telegraph signal between two levels.

    An inverse RC pixel only decreases. `rate` is the mean number of upward jumps from cosmic rays: several downward
    jumps need more upward jumps than cosmic rays make.
    """
    return (n_down <= 2 * n_up + 1) & ((n_down <= 1) | (n_up >= poisson_threshold(rate, CHANCE_JUMPS_UP)))


def mainly_clear(n_down: np.ndarray, n_down_5sig: np.ndarray) -> np.ndarray:
    """True where only the downward jumps beyond 5 sigma count; both arrays are numbers in all exposures."""
    return n_down_5sig >= MIN_SHARE_5SIG * n_down


@dataclass(frozen=True)
class TelegraphSearch(Search):
    """high_cr: more downward jumps in an exposure than noise explains, and upward jumps too. One vote per exposure."""

    telegraph_search: bool
    high_cr_fraction: float

    planes = ("NGOOD", *STEPS)
    counts = (VoteCount("jumps_down", "Downward jumps", ("high_cr",)),)
    titles = {"N_JUMP_DOWN": ("Downward jumps", "groups"), "N_JUMP_UP": ("Upward jumps", "groups of all exposures")}
    replaces = ("many_jumps",)
    # Only telegraph noise jumps down, and its two levels can mimic each of these types.
    takes_priority_over = ("hot", "warm", "low_pedestal", "rc", "inverse_rc")

    def is_on(self) -> bool:
        return self.telegraph_search

    def header_keys(self) -> tuple[str, ...]:
        return ("telegraph_search",)

    def fraction(self, measure: str) -> float:  # noqa: ARG002 - there is no measure
        return self.high_cr_fraction

    def measured(self, integration: Integration) -> Iterator[Measured]:  # noqa: ARG002 - there is no measure
        return iter(())

    def start(self, context: Context) -> "TelegraphRun":
        return TelegraphRun(self, context)


class TelegraphRun(SearchRun):
    """Counts downward and upward jumps, exposure by exposure."""

    search: TelegraphSearch

    def __init__(self, search: TelegraphSearch, context: Context) -> None:
        super().__init__(search, context)
        shape = context.science.shape
        self.votes = Tally(shape)
        self.votes_5sig = Tally(shape)
        self.certain_down = np.zeros(shape, bool)
        # Sums over the exposures, of 16 bits while they fit, and the largest possible sum.
        self.totals, self.largest = {name: np.zeros(shape, np.uint16) for name in STEPS}, 0
        self.up_rate = 0.0
        self.down_limits: list[Threshold] = []
        # Of the exposure that is being added: its counts, those of its integrations, and the pixels with a vote.
        self.counts: dict[str, np.ndarray] = {}
        self.sums: dict[str, np.ndarray] = {}
        self.valid = np.zeros(shape, bool)

    def add(self, integration: Integration) -> None:
        if integration.is_alone:
            self.counts = {name: integration.planes[name] for name in STEPS}
        else:
            self.counts = self.sums = self.sums or {name: np.zeros(self.valid.shape, np.int32) for name in STEPS}
            for name, total in self.sums.items():
                total += integration.planes[name]
        self.largest += np.iinfo(integration.planes[STEPS[0]].dtype).max
        if self.largest > np.iinfo(np.uint16).max:
            self.totals = {name: total.astype(np.int32, copy=False) for name, total in self.totals.items()}
        n_good = integration.planes["NGOOD"]
        # In shorter ramps the jump step does not find the jumps of a telegraph signal.
        if n_good.max() >= MIN_GROUPS_FOR_TELEGRAPH:
            for rows in cached_blocks(n_good):
                self.valid[rows] |= n_good[rows] > 0

    def _quiet_rates(self) -> tuple[float, float]:
        """The `quiet_rate` of the downward and of the upward jumps of the exposure."""
        n_pixels, n_zero = 0, dict.fromkeys(STEPS, 0)
        for rows in cached_blocks(self.valid):
            chosen = self.context.science[rows] & self.valid[rows]
            n_pixels += int(np.count_nonzero(chosen))
            for name in STEPS[:2]:
                n_zero[name] += int(np.count_nonzero(chosen & (self.counts[name][rows] == 0)))
        return quiet_rate(n_zero[STEPS[0]], n_pixels), quiet_rate(n_zero[STEPS[1]], n_pixels)

    def end_exposure(self, exposure: str) -> None:
        """Count the vote of the exposure: yes for more downward jumps than noise makes in the healthy pixels."""
        context = self.context
        rate, up_rate = self._quiet_rates()
        self.up_rate += up_rate
        probability = vote_probability(context.n_exposures, self.search.high_cr_fraction, context.probability)
        needed = poisson_threshold(rate, probability)
        certain = max(MIN_CERTAIN_JUMPS_DOWN, poisson_threshold(rate, context.probability / context.n_exposures))
        for rows in cached_blocks(self.valid):
            # The planes of short ramps have 8 bits, which twice a count exceeds.
            n_down, n_up, n_down_5sig = (self.counts[name][rows].astype(np.int32) for name in STEPS)
            valid = self.valid[rows]
            self.votes.add(n_down >= needed, valid, rows)
            self.votes_5sig.add(n_down_5sig >= needed, valid, rows)
            self.certain_down[rows] |= _two_levels(n_down, n_up) & (n_down >= certain) & valid
            for name, counts in zip(STEPS, (n_down, n_up, n_down_5sig), strict=True):
                self.totals[name][rows] += counts.astype(self.totals[name].dtype)
        limit = Threshold(
            "jumps_down", "N_JUMP_DOWN", AT_LEAST, float(needed), "groups", exposure=exposure_of(exposure)
        )
        self.down_limits.append(limit)
        self.counts = {}
        for total in self.sums.values():
            total.fill(0)
        self.valid.fill(False)

    def end(self) -> None:
        self.counts, self.sums = {}, {}

    def results(self, scale: np.ndarray) -> dict[str, TypeResult]:  # noqa: ARG002 - counts, which noise does not scale
        fraction, science, min_valid = self.search.high_cr_fraction, self.context.science, self.context.min_valid
        n_valid = self.votes.n_valid
        n_down, n_up, n_down_5sig = (self.totals[name].astype(np.int32) for name in STEPS)
        k = np.where(mainly_clear(n_down, n_down_5sig), self.votes_5sig.k, self.votes.k)
        found = decide(k, n_valid, fraction, min_valid) & _two_levels(n_down, n_up, self.up_rate)
        needed = float(poisson_threshold(self.up_rate, CHANCE_JUMPS_UP))
        up_limit = Threshold("jumps_down", "N_JUMP_UP", AT_LEAST, needed, "groups of all exposures")
        result = TypeResult(
            found & science,
            (n_valid < min_valid) & science,
            {"jumps_down": (k, n_valid)},
            self.certain_down & ~found & science,
            (*self.down_limits, up_limit, *vote_rows("jumps_down", fraction, "exposures", min_valid)),
        )
        return {"high_cr": result}
