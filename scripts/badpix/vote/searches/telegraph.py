"""Telegraph pixels by their downward jumps ("jumps_down"), which cosmic rays do not make."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from badpix.formats.thresholds import AT_LEAST, Threshold, vote_rows
from badpix.formats.type_result import TypeResult
from badpix.instrument.segments import exposure_of
from badpix.vote.searches.base import Context, Integration, Measured, Search, SearchRun, VoteCount
from badpix.vote.significance import poisson_threshold, vote_probability
from badpix.vote.tally import Tally, decide

# One fall may be chance; an exposure with so many is a telegraph's beyond doubt.
MIN_CERTAIN_JUMPS_DOWN = 2
# Rises that as few healthy pixels reach count as a signal's own; the others may be cosmic rays.
CHANCE_JUMPS_UP = 0.02
# Where so many of a pixel's falls are clear, its signal makes no others: those come from noise, and would be the vote
# too many for a pixel that is bad at times.
CLEAR_SHARE = 0.75

STEPS = ("N_JUMP_DOWN", "N_JUMP_UP", "N_JUMP_DOWN_5SIG")


def quiet_rate(counts: np.ndarray) -> float:
    """Mean of the Poisson distribution of counts whose zeros are as frequent as those of `counts`; 0 if it is empty.

    What real signals add makes other counts larger, not the zeros of healthy pixels fewer.
    """
    return -np.log(max(np.mean(counts == 0), 0.01)) if counts.size else 0.0


def _two_levels(n_down, n_up, rate=0.0):
    """True where falls come with rises: a telegraph signal between two levels, not an inverse RC pixel, which sinks.

    `rate` is the mean number of rises that cosmic rays make: several falls need more rises than these.
    """
    return (n_down <= 2 * n_up + 1) & ((n_down <= 1) | (n_up >= poisson_threshold(rate, CHANCE_JUMPS_UP)))


def mainly_clear(n_down: np.ndarray, n_clear: np.ndarray) -> np.ndarray:
    """True where only the clear ones of a pixel's falls count; both are numbers in all exposures."""
    return n_clear >= CLEAR_SHARE * n_down


@dataclass(frozen=True)
class TelegraphSearch(Search):
    """high_cr: more falls in an exposure than noise explains, with rises beside them. A ballot per exposure."""

    telegraph_search: bool
    high_cr_fraction: float

    planes = ("NGOOD", *STEPS)
    counts = (VoteCount("jumps_down", "Falls (jumps downwards)", ("high_cr",)),)
    titles = {"N_JUMP_DOWN": ("Falls", "groups"), "N_JUMP_UP": ("jumps upwards", "groups of all exposures")}
    replaces = ("many_jumps",)
    # Only a telegraph signal falls; its two levels can look like any of these by chance.
    takes_priority_over = ("hot", "warm", "low_pedestal", "rc", "inverse_rc")

    def is_on(self) -> bool:
        return self.telegraph_search

    def header_keys(self) -> tuple[str, ...]:
        return ("telegraph_search",)

    def measured(self, integration: Integration) -> Iterator[Measured]:
        return iter(())

    def start(self, context: Context) -> "TelegraphRun":
        return TelegraphRun(self, context)


class TelegraphRun(SearchRun):
    """Counts falls and rises, exposure by exposure."""

    def __init__(self, search: TelegraphSearch, context: Context):
        super().__init__(search, context)
        shape = context.science.shape
        self.falls = Tally(shape)
        self.clear_votes = np.zeros(shape, np.int16)
        self.certain_down = np.zeros(shape, bool)
        self.n_down, self.n_clear, self.n_up = (np.zeros(shape, np.int32) for _ in range(3))
        self.up_rate = 0.0
        self.down_limits: list[Threshold] = []
        self._begin_exposure()

    def _begin_exposure(self) -> None:
        self.own = {name: np.zeros(self.context.science.shape, np.int32) for name in STEPS}
        self.valid = np.zeros(self.context.science.shape, bool)

    def add(self, integration: Integration) -> None:
        for name, total in self.own.items():
            total += integration.planes[name]
        self.valid |= integration.planes["NGOOD"] > 0

    def end_exposure(self, exposure: str) -> None:
        """One ballot per exposure: more falls than noise makes, at the rate of the quiet pixels of the detector."""
        context, valid = self.context, self.valid
        n_down, n_up, n_clear = (self.own[name] for name in STEPS)
        judged = context.science & valid
        rate = quiet_rate(n_down[judged])
        self.up_rate += quiet_rate(n_up[judged])
        ballot = vote_probability(context.n_exposures, self.search.high_cr_fraction, context.probability)
        needed = poisson_threshold(rate, ballot)
        self.falls.add(n_down >= needed, valid)
        self.clear_votes += (n_clear >= needed) & valid
        certain = max(MIN_CERTAIN_JUMPS_DOWN, poisson_threshold(rate, context.probability / context.n_exposures))
        self.certain_down |= _two_levels(n_down, n_up) & (n_down >= certain) & valid
        self.n_down += n_down
        self.n_clear += n_clear
        self.n_up += n_up
        limit = Threshold(
            "jumps_down", "N_JUMP_DOWN", AT_LEAST, float(needed), "groups", exposure=exposure_of(exposure)
        )
        self.down_limits.append(limit)
        self._begin_exposure()

    def results(self, scale: np.ndarray) -> dict[str, TypeResult]:
        s, science, min_valid = self.search, self.context.science, self.context.min_valid
        votes = np.where(mainly_clear(self.n_down, self.n_clear), self.clear_votes, self.falls.k)
        found = decide(votes, self.falls.n_valid, s.high_cr_fraction, min_valid)
        found &= _two_levels(self.n_down, self.n_up, self.up_rate)
        needed = float(poisson_threshold(self.up_rate, CHANCE_JUMPS_UP))
        rises = Threshold("jumps_down", "N_JUMP_UP", AT_LEAST, needed, "groups of all exposures")
        verdict = TypeResult(
            found & science,
            (self.falls.n_valid < min_valid) & science,
            {"jumps_down": (votes, self.falls.n_valid)},
            self.certain_down & ~found & science,
            (*self.down_limits, rises, *vote_rows("jumps_down", s.high_cr_fraction, "exposures", min_valid)),
        )
        return {"high_cr": verdict}
