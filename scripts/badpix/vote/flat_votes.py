"""The vote over flats, exposure by exposure, each with its own response, as for darks."""

import numpy as np

from badpix.formats.thresholds import vote_rows
from badpix.formats.type_result import TypeResult
from badpix.vote.flat_types import bright_neighbours, configured_limits, dead_limits, decidable, find_dead
from badpix.vote.neighbours import beside_decided, with_neighbours
from badpix.vote.settings import FlatSettings
from badpix.vote.tally import Tally, decide

# Test -> the type that it decides on.
TYPE_OF = {"dead": "DEAD", "low": "LOW_QE", "open": "OPEN"}
TESTS = tuple(TYPE_OF)


class FlatVotes:
    """Counts the votes of flat exposures, added one after the other, and decides.

    The tests are nested: low response, dead response, and low response between bright neighbours. A dead response is
    also low, so a pixel whose votes are divided between two types still gets a type. Of OPEN, DEAD and LOW_QE, the
    first that holds is the type of the pixel. `science` and `lit` are boolean images (y, x) of the pixels that may be
    flagged and of the pixels that the lamp illuminates.
    """

    def __init__(self, science: np.ndarray, lit: np.ndarray, settings: FlatSettings) -> None:
        self.science, self.lit, self.settings = science, lit, settings
        self.tallies = {test: Tally(science.shape) for test in TESTS}
        self.limits = configured_limits(settings)
        for name in ("DEAD", "LOW_QE", "OPEN"):
            self.limits[name] += vote_rows(name, settings.flat_vote_fraction, "flats", settings.min_valid)

    def add(self, norm: np.ndarray, exposure: str = "", error: np.ndarray | None = None) -> None:
        """Count an exposure by its response, float image (y, x); NaN and pixels that are not lit abstain.

        With the `error` of the response, float image (y, x), of a flat of the sky, a pixel abstains also in the tests
        whose limit the error does not allow.
        """
        s = self.settings
        valid = self.lit & np.isfinite(norm)
        norm = np.where(valid, norm, np.nan)
        dead = low = is_open = np.zeros_like(self.lit)
        can = dict.fromkeys(TESTS, valid)
        limits = dead_limits(norm, self.lit, s, exposure) if s.dead_search else []
        if error is not None:
            of_type = decidable(norm, valid, error, s, [limit.value for limit in limits])
            can = {test: of_type[name] for test, name in TYPE_OF.items()}
        if s.dead_search:
            self.limits["DEAD"] += limits
            dead = find_dead(norm, self.lit, s, limits, error)
        if s.low_qe_and_open_search:
            with np.errstate(invalid="ignore"):
                low = norm < s.max_low_qe_norm_signal
                candidates = low if s.open_includes_dead else low & (norm >= s.max_dead_norm_signal)
            is_open = candidates & bright_neighbours(norm, valid, s, candidates)
        for test, yes in (("dead", dead), ("low", low), ("open", is_open)):
            self.tallies[test].add(yes, can[test])

    def results(
        self, last_groups: np.ndarray | None = None, undecided_dead: np.ndarray | None = None
    ) -> dict[str, TypeResult]:
        """TypeResult per flat type.

        `last_groups` is the mean signal (DN) of the last raw groups, image (y, x), for the flux check; None skips it.
        `undecided_dead`, boolean image (y, x), are pixels that may be DEAD by all flats together.
        """
        s, science = self.settings, self.science
        majority = {
            test: decide(tally.k, tally.n_valid, s.flat_vote_fraction, s.min_valid)
            for test, tally in self.tallies.items()
        }
        is_open = majority["open"]
        dead = majority["dead"] & ~is_open
        if last_groups is not None:
            with np.errstate(invalid="ignore"):
                dead &= ~(last_groups >= s.flux_check)
        low = majority["low"] & ~is_open & ~majority["dead"]
        adjacent = with_neighbours(is_open) & ~is_open & science
        sufficient = {TYPE_OF[test]: tally.n_valid >= max(1, s.min_valid) for test, tally in self.tallies.items()}
        sufficient["ADJ_OPEN"] = beside_decided(sufficient["LOW_QE"], sufficient["OPEN"])
        if undecided_dead is not None:
            sufficient["DEAD"] = sufficient["DEAD"] & ~undecided_dead
        found = {"DEAD": dead, "LOW_QE": low, "OPEN": is_open, "ADJ_OPEN": adjacent}
        searched = s.searched
        in_some_flats = (self.tallies["low"].k > 0) | (self.tallies["dead"].k > 0)
        bad = majority["low"] | majority["dead"]
        results = {}
        for name, test in (("DEAD", "dead"), ("LOW_QE", "low"), ("OPEN", "open"), ("ADJ_OPEN", "open")):
            tally = self.tallies[test]
            # Intermittent pixels of any low response are listed once, under DEAD.
            intermittent = in_some_flats & ~bad & science if name == "DEAD" and s.dead_search else None
            results[name] = TypeResult(
                found[name],
                science & ~sufficient[name] & ~found[name] if searched[name] else np.zeros_like(science),
                {name: (tally.k, tally.n_valid)} if name != "ADJ_OPEN" else {},
                intermittent,
                tuple(self.limits[name]),
            )
        return results
