"""Telegraph pixels that switch about once per exposure: they differ from exposure to exposure, hardly within a ramp."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from badpix.formats.thresholds import ABOVE, AT_LEAST, BELOW, Threshold, around, vote_rows
from badpix.formats.type_result import TypeResult
from badpix.numerics.row_blocks import in_blocks
from badpix.vote.chance_votes import votes_beyond_chance
from badpix.vote.exposure_spread import ExposureSpread
from badpix.vote.jump_votes import JumpVotes
from badpix.vote.outlier_test import HIGH, LOW
from badpix.vote.searches.base import Context, Integration, Measure, Measured, Search, SearchRun, VoteCount
from badpix.vote.searches.noise import typical
from badpix.vote.searches.pedestal import pedestal_and_floor
from badpix.vote.significance import subsample, vote_sigma

JUMPS = "N_JUMP_UP + N_JUMP_DOWN"
SPREAD = "SPREAD"
# The noise of such a pixel makes jumps, and the jump step takes it for cosmic rays: its jumps are no vote.
MAX_NOISE_FOR_JUMPS = 1.25
PEDESTAL, SLOPE = "pedestal_change", "slope_change"


# Levels above and below that of the detector count if each has this many integrations: one may be noise.
MIN_OF_EACH_SIDE = 2


def _fraction_of_all(needed: np.ndarray) -> float:
    """The required votes of a pixel with all votes as a fraction; `needed` is by the number of valid votes."""
    return min(1.0, int(needed[-1]) / max(1, len(needed) - 1))


@dataclass(frozen=True)
class SlowTelegraphSearch(Search):
    """high_cr: jumps in more darks than cosmic rays explain, or pedestals or slopes that change between the darks."""

    slow_telegraph_search: bool
    high_cr_fraction: float

    planes = ("NGOOD", "N_JUMP_UP", "N_JUMP_DOWN", "FIRST_SAT", "SLOPE", "VAR_SLOPE")
    measures = {
        PEDESTAL: Measure(None, "DN", "", level="pedestal", lines=True, sides=(HIGH, LOW)),
        SLOPE: Measure(
            "SLOPE / SIGMA", "sigma", "Slope in darks over its error", level="slope over its error", sides=(HIGH, LOW)
        ),
    }  # fmt: skip
    counts = (
        VoteCount("dark_with_jump", "Darks with a jump", ("high_cr",)),
        VoteCount(PEDESTAL, "Pedestal changes between darks", ("high_cr",), PEDESTAL),
        VoteCount(SLOPE, "Slope changes between darks", ("high_cr",), SLOPE),
    )
    titles = {JUMPS: ("Jumps up or down", "groups"), SPREAD: ("Spread over the darks", "times the typical spread")}
    gives_way_to = ("hot", "rc", "inverse_rc", "low_pedestal")
    # A level beyond the limits is not bad by itself.
    shows_halos = False

    def is_on(self) -> bool:
        return self.slow_telegraph_search

    def header_keys(self) -> tuple[str, ...]:
        return ("slow_telegraph_search",)

    def fraction(self, measure: str) -> float:  # noqa: ARG002 - the same for all measures
        return self.high_cr_fraction

    def measured(self, integration: Integration) -> Iterator[Measured]:
        yield Measured(PEDESTAL, *pedestal_and_floor(integration))
        slope, variance = integration.planes["SLOPE"], integration.planes["VAR_SLOPE"]
        # A pixel whose noise reference is too small is not variable.
        least = typical(np.sqrt(variance.reshape(-1)[integration.sample]))
        yield Measured(SLOPE, in_blocks(slope, lambda rows: slope[rows] / np.maximum(np.sqrt(variance[rows]), least)))

    def start(self, context: Context) -> "SlowTelegraphRun":
        return SlowTelegraphRun(self, context)


class SlowTelegraphRun(SearchRun):
    """Counts darks with a jump, and pedestals and slopes on either side of the detector's level.

    It completes the search of telegraph pixels that jump within the ramps: a pixel that this search cannot test, and
    that is not found here, stays insufficient.
    """

    search: SlowTelegraphSearch
    takes_deviations = True

    def __init__(self, search: SlowTelegraphSearch, context: Context) -> None:
        super().__init__(search, context)
        self.sample = subsample(context.science)
        self.jumps = JumpVotes(context.science)
        self.spreads = {measure: ExposureSpread(context.science.shape) for measure in self.tests}
        self.shares: dict[str, list[float]] = {measure: [] for measure in self.tests}
        # Numbers of the sample in the integration that is being added.
        self.beyond, self.valid = (dict.fromkeys(self.tests, 0) for _ in range(2))
        self.is_alone = False
        for test in self.tests.values():
            test.vote_sigma = vote_sigma(context.n_integrations, test.fraction, context.probability, sides=2)

    def add(self, integration: Integration) -> None:
        self.is_alone = integration.is_alone
        super().add(integration)
        self.jumps.add(*(integration.planes[name] for name in ("NGOOD", "N_JUMP_UP", "N_JUMP_DOWN")))

    def take(self, measure: str, rows: slice, deviations: np.ndarray) -> None:
        test, n_columns = self.tests[measure], deviations.shape[1]
        self.spreads[measure].add(deviations, test.scales[-1][0], self.is_alone, rows)
        # Of the type of the sample: searchsorted would convert the whole sample otherwise.
        corners = np.array((rows.start * n_columns, rows.stop * n_columns), self.sample.dtype)
        first, end = np.searchsorted(self.sample, corners)
        sample = np.abs(deviations.reshape(-1)[self.sample[first:end] - rows.start * n_columns])
        if rows.start == 0:
            self.beyond[measure] = self.valid[measure] = 0
        self.beyond[measure] += int(np.count_nonzero(sample > test.vote_sigma * test.levels[-1][0][1]))
        self.valid[measure] += int(np.count_nonzero(~np.isnan(sample)))
        if rows.stop == len(test.n_valid):
            valid = self.valid[measure]
            self.shares[measure].append(self.beyond[measure] / valid if valid else 1.0)

    def end_exposure(self, exposure: str) -> None:  # noqa: ARG002 - all exposures are alike
        for spread in self.spreads.values():
            spread.end_exposure()
        self.jumps.end_exposure()

    def end(self) -> None:
        for spread in self.spreads.values():
            spread.end()

    def keeps(self, winner: str) -> np.ndarray | bool:
        """A pedestal on both sides of the detector's level is neither that of an RC pixel nor low."""
        return winner in ("rc", "low_pedestal") and self._on_both_sides(PEDESTAL)

    def _on_both_sides(self, measure: str) -> np.ndarray:
        votes = self.tests[measure].votes
        return np.minimum(votes[HIGH], votes[LOW]) >= MIN_OF_EACH_SIDE

    def results(self, scale: np.ndarray) -> dict[str, TypeResult]:
        result = self._by_jumps(scale)
        for measure in self.tests:
            result = result.either(self._by_changes(measure, scale))
        return {"high_cr": result}

    def _by_jumps(self, scale: np.ndarray) -> TypeResult:
        context, fraction = self.context, self.search.high_cr_fraction
        name, votes = self.search.counts[0].name, self.jumps.votes
        n_valid = np.where(scale <= MAX_NOISE_FOR_JUMPS, votes.n_valid, 0).astype(votes.n_valid.dtype)
        k = np.minimum(votes.k, n_valid)
        needed = votes_beyond_chance(self.jumps.shares, fraction, context.probability)
        found = (k >= needed[n_valid]) & (n_valid >= max(1, context.min_valid))
        limit = Threshold(name, JUMPS, AT_LEAST, 1.0, "groups")
        n_darks, share = len(needed) - 1, float(np.mean(self.jumps.shares or [0]))
        if needed[-1] > n_darks:
            self.warnings += (
                f"high_cr: cosmic rays can explain a jump in all {n_darks} darks, because {share:.2g} of the pixels"
                " have one in a dark; telegraph noise that switches about once per dark is found by its pedestals and"
                " slopes only. With more darks its jumps have a vote",
            )
        return TypeResult(
            found & context.science,
            context.science & ~found,
            {name: (k, n_valid)},
            None,
            (limit, *vote_rows(name, _fraction_of_all(needed), "exposures", context.min_valid)),
        )

    def _by_changes(self, name: str, scale: np.ndarray) -> TypeResult:
        """The TypeResult of the measure `name`, which is the name of its count too."""
        context, test = self.context, self.tests[name]
        k, both_sides = test.votes[HIGH] + test.votes[LOW], self._on_both_sides(name)
        varies, limit = self.spreads[name].significant(self.sample, context.probability, scale)
        per_exposure = max(1.0, context.n_integrations / max(1, context.n_exposures))
        needed = votes_beyond_chance(self.shares[name], test.fraction, context.probability, per_exposure)
        if areas := self.changing(name):  # all pixels of an area change alike
            both_sides &= ~areas.passing
        found = varies & both_sides & (k >= needed[test.n_valid]) & test.has_enough_votes(context.min_valid)
        return TypeResult(
            found & context.science,
            context.science & ~found,
            {name: (k, test.n_valid)},
            varies & both_sides & ~found & context.science,
            (
                *self._margins(name),
                Threshold(name, SPREAD, ABOVE, limit, "times the typical spread"),
                *vote_rows(name, _fraction_of_all(needed), "integrations", context.min_valid),
            ),
        )

    def _margins(self, name: str) -> Iterator[Threshold]:
        """The limits of the votes in each integration, above and below the level of the detector."""
        test, measure = self.tests[name], self.search.measures[name]
        quantity = measure.quantity or self.pedestal_plane
        for levels, (exposure, number) in zip(test.levels, self.integrations, strict=True):
            centre, sigma = levels[0]
            for side in (ABOVE, BELOW):
                more = {"unit": measure.unit, "exposure": exposure, "integration": number}
                yield around(name, quantity, side, centre, test.vote_sigma * sigma, **more)
