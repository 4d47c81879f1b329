"""The vote over flats exposure by exposure, each by its own response, as darks are voted on."""

import numpy as np
from scipy.ndimage import binary_dilation

from badpix.formats.thresholds import vote_rows
from badpix.formats.type_result import TypeResult
from badpix.vote.flat_types import bright_neighbours, dead_limits, find_dead, other_limits
from badpix.vote.tally import Tally, decide

TESTS = ("dead", "low", "open")


class FlatVotes:
    """Counts the votes of flat exposures given one after the other, and decides.

    A pixel's response is low, dead, or low between bright neighbours; the three are nested, so a pixel at a limit
    cannot fall between two types. Of OPEN, DEAD and LOW_QE each pixel is the first that holds. `science` and `lit` are
    boolean images (y, x) of the pixels that may be flagged and of those that the lamp reaches.
    """

    def __init__(self, science, lit, settings):
        self.science, self.lit, self.settings = science, lit, settings
        self.tallies = {test: Tally(science.shape) for test in TESTS}
        self.limits = other_limits(settings)
        for name in ("DEAD", "LOW_QE", "OPEN"):
            self.limits[name] += vote_rows(name, settings.flat_vote_fraction, "flats", settings.min_valid)

    def add(self, norm, exposure=""):
        """Count one exposure: its response, float image (y, x); NaN abstains, and so does what is not lit."""
        s, science = self.settings, self.lit
        valid = science & np.isfinite(norm)
        norm = np.where(valid, norm, np.nan)
        dead = low = is_open = np.zeros_like(science)
        if s.dead_search:
            limits = dead_limits(norm, science, s, exposure)
            self.limits["DEAD"] += limits
            dead = find_dead(norm, science, s, limits)
        if s.low_qe_and_open_search:
            with np.errstate(invalid="ignore"):
                low = norm < s.max_low_qe_norm_signal
                candidates = low if s.open_includes_dead else low & (norm >= s.max_dead_norm_signal)
            is_open = candidates & bright_neighbours(norm, valid, s)
        for test, yes in (("dead", dead), ("low", low), ("open", is_open)):
            self.tallies[test].add(yes, valid)

    def results(self, last_groups=None):
        """TypeResult per flat type; `last_groups` is the mean signal (DN) of the last raw groups, for flux_check."""
        s, science = self.settings, self.science
        said = {
            test: decide(tally.k, tally.n_valid, s.flat_vote_fraction, s.min_valid)
            for test, tally in self.tallies.items()
        }
        is_open = said["open"]
        dead = said["dead"] & ~is_open
        if last_groups is not None:
            with np.errstate(invalid="ignore"):
                dead &= ~(last_groups >= s.flux_check)
        low = said["low"] & ~is_open & ~said["dead"]
        adjacent = binary_dilation(is_open, structure=np.ones((3, 3), bool)) & ~is_open & science
        judged = self.tallies["dead"].n_valid >= max(1, s.min_valid)
        found = {"DEAD": dead, "LOW_QE": low, "OPEN": is_open, "ADJ_OPEN": adjacent}
        searched = dict.fromkeys(found, s.low_qe_and_open_search) | {"DEAD": s.dead_search}
        low_at_times = (self.tallies["low"].k > 0) | (self.tallies["dead"].k > 0)
        bad = said["low"] | said["dead"]
        result = {}
        for name, test in (("DEAD", "dead"), ("LOW_QE", "low"), ("OPEN", "open"), ("ADJ_OPEN", "open")):
            tally = self.tallies[test]
            # What it was at times is told by the one type that fits all of it.
            at_times = low_at_times & ~bad & science if name == "DEAD" and s.dead_search else None
            result[name] = TypeResult(
                found[name],
                science & ~judged & ~found[name] if searched[name] else np.zeros_like(science),
                {name: (tally.k, tally.n_valid)} if name != "ADJ_OPEN" else {},
                at_times,
                tuple(self.limits[name]),
            )
        return result
