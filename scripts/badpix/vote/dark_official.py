"""The vote over the darks: from cached statistics and thresholds to the dark types of bad pixel.

VoteCounts are counted exposure by exposure, so the memory does not grow with their number.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from badpix.formats.thresholds import ABOVE, AT_LEAST, BELOW, Threshold, around, vote_rows
from badpix.formats.type_result import TypeResult
from badpix.instrument.readout import early_late_window
from badpix.numerics.clipping import clipped_mean_std
from badpix.vote.kernels import add_clean_slopes
from badpix.vote.settings import DarkSettings
from badpix.vote.tally import Tally, decide


@dataclass(frozen=True)
class OfficialTest:
    """A test of darks in the official algorithm.

    `pixel_type` is what it finds, `fraction` the key of the fraction of votes that must say yes (None: no vote),
    `keys` are further keys that it alone reads; `label` is its name in the report.
    """

    name: str
    label: str
    pixel_type: str
    fraction: str | None
    keys: tuple[str, ...] = ()


OFFICIAL_TESTS = (
    OfficialTest("saturated", "Saturated in every group", "hot", "max_saturated_fraction"),
    OfficialTest("high_pedestal", "High pedestal", "rc", "rc_fraction_threshold", ("pedestal_sigma_threshold",)),
    OfficialTest("rc_jumps", "Many jumps, most of them early", "rc", "rc_fraction_threshold",
                 ("jump_ratio_threshold", "max_jump_limit")),
    OfficialTest("low_pedestal", "Low pedestal", "low_pedestal", "low_pedestal_fraction",
                 ("pedestal_sigma_threshold",)),
    OfficialTest("many_jumps", "Many jumps", "high_cr", "high_cr_fraction", ("max_jump_limit",)),
    OfficialTest("noisy", "Scatter of jump-free slopes", "noisy", None,
                 ("dark_stdev_clipping_sigma", "dark_max_clipping_iters", "dark_noisy_threshold", "min_clean_slopes")),
)  # fmt: skip
# What all these tests share.
COMMON_KEYS = ("dark_vote_unit", "early_cutoff_fraction", "pedestal_source")
OFFICIAL_TYPES = tuple(dict.fromkeys(test.pixel_type for test in OFFICIAL_TESTS))
VOTES = tuple(test.name for test in OFFICIAL_TESTS if test.fraction)

# An exposure says yes when at least this fraction of its valid integrations does.
EXPOSURE_FRACTION = 0.5
# A late jump rate of zero counts as this, so that the ratio of early to late is defined.
ZERO_RATE = 1e-6
# With fewer groups the early and late windows cannot be told apart.
MIN_GROUPS_FOR_JUMPS = 4


class SlopeScatter:
    """Running mean and scatter of the jump-free slopes per pixel (Welford 1962), float64 images (y, x)."""

    def __init__(self, shape):
        self.n = np.zeros(shape, dtype=np.int32)
        self.mean = np.zeros(shape)
        self.sum_squares = np.zeros(shape)

    def add(self, slope, clean):
        """Take in `slope` (DN/s) where `clean`."""
        add_clean_slopes(slope.astype(np.float32), clean, self.n, self.mean, self.sum_squares)

    def std(self):
        """Population standard deviation (DN/s); 0 where there was at most one value."""
        return np.sqrt(self.sum_squares / np.maximum(self.n, 1))


def _ratio_reached(planes, threshold):
    """True where the early jump rate is at least `threshold` (> 0) times the late one (images (y, x)).

    Multiplied out, because a quotient of quotients falls short of thresholds that it should meet: (3/5) / (1/5) is
    2.9999999999999996 in floating point.
    """
    reached = np.zeros(planes["NJUMP_EARLY"].shape, bool)
    some_early = planes["NJUMP_EARLY"] > 0  # few pixels
    early, late, n_early, n_late = (
        planes[name][some_early].astype(np.int64) for name in ("NJUMP_EARLY", "NJUMP_LATE", "NGOOD_EARLY", "NGOOD_LATE")
    )
    some_late = early * n_late >= np.round(threshold * (late * n_early), 9)
    no_late = early >= threshold * ZERO_RATE * n_early
    reached[some_early] = np.where(late > 0, some_late, no_late)
    return reached


@dataclass(frozen=True)
class Pedestal:
    """The pedestals of an integration that vote: image (y, x) in DN, its clipped mean and standard deviation."""

    image: np.ndarray
    mean: float
    std: float


def integration_votes(planes, pedestal: Pedestal, n_groups: int, settings: DarkSettings):
    """The votes of one integration.

    `planes` maps names of statistics planes to images (y, x). Returns test -> (yes, valid), boolean images.
    """
    # Comparisons with NaN are False, which is what an abstention needs: `valid` says whether it was one.
    with np.errstate(invalid="ignore"):
        limit = settings.pedestal_sigma_threshold * pedestal.std
        high = pedestal.image > pedestal.mean + limit
        low = pedestal.image < pedestal.mean - limit
    pedestal_valid = np.isfinite(pedestal.image) & (planes["FIRST_SAT"] != 0)
    jumps_valid = planes["NGOOD"] > 0
    if n_groups < MIN_GROUPS_FOR_JUMPS or early_late_window(n_groups, settings.early_cutoff_fraction) == 0:
        jumps_valid = np.zeros_like(jumps_valid)
    many = planes["NJUMP"] >= settings.max_jump_limit
    steep = _ratio_reached(planes, settings.jump_ratio_threshold)
    ratio_valid = jumps_valid & (planes["NGOOD_EARLY"] > 0) & (planes["NGOOD_LATE"] > 0)
    return {
        "saturated": (planes["NSAT"] == n_groups, (planes["NSAT"] > 0) | (planes["NGOOD"] > 0)),
        "high_pedestal": (high, pedestal_valid),
        "low_pedestal": (low, pedestal_valid),
        "many_jumps": (many, jumps_valid),
        "rc_jumps": (many & steep, ratio_valid),
    }


PLANES_USED = ("SLOPE", "NJUMP", "NJUMP_EARLY", "NJUMP_LATE", "NGOOD", "NGOOD_EARLY", "NGOOD_LATE", "NSAT", "FIRST_SAT")


def pedestal_plane(pedestal_source, available):
    """Name of the plane that votes: the relative pedestal where `available` (plane names) has it."""
    suffix = "_T0" if pedestal_source == "t0" else ""
    relative = f"PEDESTAL_REL{suffix}"
    return relative if relative in available else f"PEDESTAL{suffix}"


class DarkVote:
    """Counts the votes of dark exposures given one after the other, and decides."""

    def __init__(self, shape, settings):
        self.settings = settings
        self.shape = shape
        self.tallies = {test: Tally(shape) for test in VOTES}
        self.scatter = SlopeScatter(shape)
        jumps, ratio = float(settings.max_jump_limit), float(settings.jump_ratio_threshold)
        self.thresholds = [
            Threshold("many_jumps", "NJUMP", AT_LEAST, jumps, "groups"),
            Threshold("rc_jumps", "NJUMP", AT_LEAST, jumps, "groups"),
            Threshold("rc_jumps", "JUMP_RATIO", AT_LEAST, ratio, "early rate / late rate"),
        ]

    def _by_integration(self, test):
        return test == "saturated" or self.settings.dark_vote_unit == "integration"

    def add_exposure(self, *segments):
        """Count the votes of one exposure: its open statistics files, one unless it came in segments."""
        own = {test: Tally(self.shape) for test in VOTES if not self._by_integration(test)}
        for statistics in segments:
            name = pedestal_plane(self.settings.pedestal_source, [hdu.name for hdu in statistics])
            for integration, row in enumerate(statistics["INTEGRATIONS"].data):
                planes = {plane: statistics[plane].data[integration] for plane in PLANES_USED}
                pedestal = Pedestal(statistics[name].data[integration], row[f"{name}_MEAN"], row[f"{name}_STD"])
                votes = integration_votes(planes, pedestal, row["N_GROUPS"], self.settings)
                for test, (yes, valid) in votes.items():
                    (self.tallies[test] if self._by_integration(test) else own[test]).add(yes, valid)
                self.scatter.add(planes["SLOPE"], (planes["NJUMP"] == 0) & np.isfinite(planes["SLOPE"]))
                where = {"exposure": statistics[0].header.get("EXPOSURE", ""), "integration": integration + 1}
                self._note(name, row, where)
        for test, tally in own.items():
            self.tallies[test].add(decide(tally.k, tally.n_valid, EXPOSURE_FRACTION), tally.n_valid > 0)

    def _note(self, name, row, where):
        """Keep the thresholds of an integration: `name` is the pedestal's plane, `row` that of INTEGRATIONS."""
        mean, limit = float(row[f"{name}_MEAN"]), self.settings.pedestal_sigma_threshold * float(row[f"{name}_STD"])
        self.thresholds += [
            Threshold("saturated", "NSAT", AT_LEAST, float(row["N_GROUPS"]), "groups", **where),
            around("high_pedestal", name, ABOVE, mean, limit, unit="DN", **where),
            around("low_pedestal", name, BELOW, mean, limit, unit="DN", **where),
        ]

    def _vote(self, science, fraction, *tests):
        """TypeResult by the tests named: found when one of them reaches `fraction`, unjudged when none has votes."""
        found, judged = np.zeros(self.shape, bool), np.zeros(self.shape, bool)
        for test in tests:
            tally = self.tallies[test]
            found |= decide(tally.k, tally.n_valid, fraction, self.settings.min_valid)
            judged |= tally.n_valid >= self.settings.min_valid
        votes = {test: (self.tallies[test].k, self.tallies[test].n_valid) for test in tests}
        thresholds = [threshold for threshold in self.thresholds if threshold.test in tests]
        for test in tests:
            unit = "integrations" if self._by_integration(test) else "exposures"
            thresholds += vote_rows(test, fraction, unit, self.settings.min_valid)
        return TypeResult(found & science, ~judged & science, votes, thresholds=tuple(thresholds))

    def noise(self):
        """Scatter of the jump-free slopes (DN/s), NaN with fewer than `min_clean_slopes` of them; and their number."""
        enough = self.scatter.n >= self.settings.min_clean_slopes
        return np.where(enough, self.scatter.std(), np.nan), self.scatter.n

    def _noisy(self, science):
        std, _ = self.noise()
        mean, width, _ = clipped_mean_std(
            std[science], self.settings.dark_stdev_clipping_sigma, self.settings.dark_max_clipping_iters
        )
        with np.errstate(invalid="ignore"):
            yes = std > mean + self.settings.dark_noisy_threshold * width
        judged = np.isfinite(std)
        # All slopes of a pixel together are one ballot: the rule compares one scatter with the detector's.
        votes = {"noisy": (yes.astype(np.int16), judged.astype(np.int16))}
        limit = around("noisy", "NOISE", ABOVE, mean, self.settings.dark_noisy_threshold * width, unit="DN/s")
        return TypeResult(yes & science, ~judged & science, votes, thresholds=(limit,))

    def results(self, science: np.ndarray, replaced: Collection[str] = ()) -> dict[str, TypeResult]:
        """The verdict per dark type, but for types whose tests are all among the `replaced`.

        `science` is the boolean image (y, x) of the pixels that may be flagged.
        """
        tests: dict[str, list[OfficialTest]] = {}
        for test in OFFICIAL_TESTS:
            if test.name not in replaced:
                tests.setdefault(test.pixel_type, []).append(test)
        return {
            name: self._vote(science, getattr(self.settings, own[0].fraction), *(test.name for test in own))
            if own[0].fraction
            else self._noisy(science)
            for name, own in tests.items()
        }
