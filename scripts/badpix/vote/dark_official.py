"""The vote over the darks with the official tests: from cached statistics to the dark types of bad pixel.

Votes are counted exposure by exposure, so the memory does not grow with the number of exposures.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from astropy.io import fits

from badpix.formats.thresholds import ABOVE, AT_LEAST, BELOW, Threshold, around, vote_rows
from badpix.formats.type_result import TypeResult
from badpix.instrument.depth import MIN_GROUPS_FOR_JUMP_STEP
from badpix.instrument.readout import early_late_window
from badpix.numerics.clipping import clipped_mean_std
from badpix.numerics.row_blocks import cached_blocks
from badpix.vote.dark_integration import DarkIntegration
from badpix.vote.settings import DarkSettings
from badpix.vote.slope_levels import SlopeLevels
from badpix.vote.slope_scatter import SlopeScatter
from badpix.vote.tally import Tally, decide


@dataclass(frozen=True)
class OfficialTest:
    """A test of darks in the official algorithm.

    `label` is its name in the report and `pixel_type` the type that it finds. `fraction` is the key of the fraction of
    votes that must be yes, None for a test without a vote. `keys` are the keys that only this test reads.
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
# Keys that several of these tests read.
COMMON_KEYS = ("dark_vote_unit", "early_cutoff_fraction", "pedestal_source")
OFFICIAL_TYPES = tuple(dict.fromkeys(test.pixel_type for test in OFFICIAL_TESTS))
VOTES = tuple(test.name for test in OFFICIAL_TESTS if test.fraction)

# The vote of an exposure is yes when at least this fraction of its valid integrations are.
EXPOSURE_FRACTION = 0.5
# Stands for a late jump rate of zero, so that the ratio of early to late rate is defined.
ZERO_RATE = 1e-6
# With fewer groups the early and the late window cannot be distinguished.
MIN_GROUPS_FOR_JUMPS = 4


def _ratio_reached(planes: Mapping[str, np.ndarray], threshold: float) -> np.ndarray:
    """True where the early jump rate is at least `threshold` (> 0) times the late jump rate (images (y, x)).

    Multiplied out, because a quotient of quotients can miss a threshold that it equals: (3/5) / (1/5) is
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
    """The pedestals of an integration that vote: image (y, x) in DN, its clipped mean and standard deviation (DN)."""

    image: np.ndarray
    mean: float
    std: float


def can_count_jumps(n_good: np.ndarray, n_groups: int, settings: DarkSettings) -> bool:
    """False if no pixel of an integration of `n_groups` groups could reach the limit of jumps, or has both windows.

    `n_good` is the image (y, x) of NGOOD. The first usable group has no jump.
    """
    if n_groups < MIN_GROUPS_FOR_JUMPS or early_late_window(n_groups, settings.early_cutoff_fraction) == 0:
        return False
    return int(n_good.max(initial=0)) - 1 >= settings.max_jump_limit


def integration_votes(
    planes: Mapping[str, np.ndarray], pedestal: Pedestal, n_groups: int, settings: DarkSettings, counts_jumps: bool
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The votes of an integration: test -> (yes, valid), boolean images.

    Parameters
    ----------
    planes : mapping
        Name of a statistics plane -> image (y, x).
    pedestal : Pedestal
        The pedestals.
    n_groups : int
        Number of groups.
    settings : DarkSettings
        The settings.
    counts_jumps : bool
        False: the tests that count jumps abstain.
    """
    # A comparison with NaN is False, as an abstention needs: `valid` marks it as an abstention.
    with np.errstate(invalid="ignore"):
        limit = settings.pedestal_sigma_threshold * pedestal.std
        high = pedestal.image > pedestal.mean + limit
        low = pedestal.image < pedestal.mean - limit
    pedestal_valid = np.isfinite(pedestal.image) & (planes["FIRST_SAT"] != 0)
    jumps_valid = (planes["NGOOD"] > 0) & counts_jumps
    many = planes["NJUMP"] >= settings.max_jump_limit
    mostly_early = _ratio_reached(planes, settings.jump_ratio_threshold)
    ratio_valid = jumps_valid & (planes["NGOOD_EARLY"] > 0) & (planes["NGOOD_LATE"] > 0)
    return {
        "saturated": (planes["NSAT"] == n_groups, (planes["NSAT"] > 0) | (planes["NGOOD"] > 0)),
        "high_pedestal": (high, pedestal_valid),
        "low_pedestal": (low, pedestal_valid),
        "many_jumps": (many, jumps_valid),
        "rc_jumps": (many & mostly_early, ratio_valid),
    }


PLANES_USED = ("SLOPE", "NJUMP", "NJUMP_EARLY", "NJUMP_LATE", "NGOOD", "NGOOD_EARLY", "NGOOD_LATE", "NSAT", "FIRST_SAT")


def pedestal_plane(pedestal_source: str, available: Iterable[str]) -> str:
    """Name of the plane that votes: the relative pedestal if `available` (plane names) contains it."""
    suffix = "_T0" if pedestal_source == "t0" else ""
    relative = f"PEDESTAL_REL{suffix}"
    return relative if relative in available else f"PEDESTAL{suffix}"


class DarkVote:
    """Counts the votes of dark exposures, added one after the other, and decides."""

    def __init__(self, shape: tuple[int, int], settings: DarkSettings) -> None:
        self.settings = settings
        self.shape = shape
        self.tallies = {test: Tally(shape) for test in VOTES}
        # Votes of the integrations of the exposure that is being added, if it has several.
        self.of_exposure: dict[str, Tally] = {}
        self.scatter = SlopeScatter(shape)
        self.slope_levels = SlopeLevels(shape)
        jumps, ratio = float(settings.max_jump_limit), float(settings.jump_ratio_threshold)
        self.thresholds = [
            Threshold("many_jumps", "NJUMP", AT_LEAST, jumps, "groups"),
            Threshold("rc_jumps", "NJUMP", AT_LEAST, jumps, "groups"),
            Threshold("rc_jumps", "JUMP_RATIO", AT_LEAST, ratio, "early rate / late rate"),
        ]

    def _by_integration(self, test: str) -> bool:
        return test == "saturated" or self.settings.dark_vote_unit == "integration"

    def add(self, integration: DarkIntegration, shallow: bool = False) -> None:
        """Count the votes of an integration.

        `shallow`: its exposure has far fewer groups than others, and no vote in the tests that count jumps. Exposures
        of the same number of groups must follow each other.
        """
        planes, n_groups, name = integration.planes, integration.n_groups, integration.voting_pedestal
        counts = not shallow and can_count_jumps(planes["NGOOD"], n_groups, self.settings)
        # A slope in which no jumps were searched for is no jump-free slope.
        has_jumps = planes["NGOOD"].max() >= MIN_GROUPS_FOR_JUMP_STEP
        if not integration.is_alone and not self.of_exposure:
            self.of_exposure = {test: Tally(self.shape) for test in VOTES if not self._by_integration(test)}
        # The vote of an exposure of one integration is that of the integration.
        tallies = self.tallies if integration.is_alone else self.tallies | self.of_exposure
        mean, std = integration.row[f"{name}_MEAN"], integration.row[f"{name}_STD"]
        for rows in cached_blocks(planes["SLOPE"]):
            block = {plane: planes[plane][rows] for plane in PLANES_USED}
            pedestal = Pedestal(planes[name][rows], mean, std)
            for test, (yes, valid) in integration_votes(block, pedestal, n_groups, self.settings, counts).items():
                tallies[test].add(yes, valid, rows)
            if has_jumps:
                clean = (block["NJUMP"] == 0) & np.isfinite(block["SLOPE"])
                self.scatter.add(block["SLOPE"], clean, n_groups, rows)
        if not shallow:
            self.slope_levels.add(planes["SLOPE"], integration.segment)
        self._keep_thresholds(name, integration.row, integration.segment, integration.number)

    def end_exposure(self) -> None:
        """All integrations of the exposure are added."""
        for test, tally in self.of_exposure.items():
            self.tallies[test].add(decide(tally.k, tally.n_valid, EXPOSURE_FRACTION), tally.n_valid > 0)
        self.of_exposure = {}

    def _keep_thresholds(self, plane: str, row: fits.FITS_record, exposure: str, integration: int) -> None:
        """Keep the thresholds of an integration: its row of INTEGRATIONS, and the plane of its pedestals."""
        mean, limit = float(row[f"{plane}_MEAN"]), self.settings.pedestal_sigma_threshold * float(row[f"{plane}_STD"])
        n_groups = float(row["N_GROUPS"])
        saturated = Threshold(
            "saturated", "NSAT", AT_LEAST, n_groups, "groups", exposure=exposure, integration=integration
        )
        self.thresholds.append(saturated)
        for test, side in (("high_pedestal", ABOVE), ("low_pedestal", BELOW)):
            row_of_test = around(test, plane, side, mean, limit, unit="DN", exposure=exposure, integration=integration)
            self.thresholds.append(row_of_test)

    def _vote(self, science: np.ndarray, fraction: float, *tests: str) -> TypeResult:
        """TypeResult of `tests`: found if any test reaches `fraction`, insufficient if no test has enough votes."""
        found, sufficient = np.zeros(self.shape, bool), np.zeros(self.shape, bool)
        for test in tests:
            tally = self.tallies[test]
            found |= decide(tally.k, tally.n_valid, fraction, self.settings.min_valid)
            sufficient |= tally.n_valid >= self.settings.min_valid
        votes = {test: (self.tallies[test].k, self.tallies[test].n_valid) for test in tests}
        thresholds = [threshold for threshold in self.thresholds if threshold.test in tests]
        for test in tests:
            unit = "integrations" if self._by_integration(test) else "exposures"
            thresholds += vote_rows(test, fraction, unit, self.settings.min_valid)
        return TypeResult(found & science, ~sufficient & science, votes, thresholds=tuple(thresholds))

    def noise(self) -> tuple[np.ndarray, np.ndarray]:
        """Scatter of the jump-free slopes (DN/s), and their number, images (y, x).

        The scatter is NaN with fewer than `min_clean_slopes` slopes.
        """
        std, n_slopes = self.scatter.result()
        return np.where(n_slopes >= self.settings.min_clean_slopes, std, np.nan), n_slopes

    def _clipped_noise(self, science: np.ndarray) -> tuple[float, float]:
        """Clipped mean and standard deviation of `noise` over the `science` pixels (DN/s)."""
        mean, width, _ = clipped_mean_std(
            self.noise()[0][science], self.settings.dark_stdev_clipping_sigma, self.settings.dark_max_clipping_iters
        )
        return mean, width

    def warnings(self, science: np.ndarray) -> tuple[str, ...]:
        """Warnings of results that may be wrong; `science` is as in `results`."""
        mean, width = self._clipped_noise(science)
        warning = self.slope_levels.warning(mean, width, mean + self.settings.dark_noisy_threshold * width)
        return (warning,) if warning else ()

    def _noisy(self, science: np.ndarray) -> TypeResult:
        std, _ = self.noise()
        mean, width = self._clipped_noise(science)
        with np.errstate(invalid="ignore"):
            yes = std > mean + self.settings.dark_noisy_threshold * width
        valid = np.isfinite(std)
        # All slopes of a pixel make a single vote: its scatter is compared with the scatters of all pixels.
        votes = {"noisy": (yes.astype(np.int16), valid.astype(np.int16))}
        limit = around("noisy", "NOISE", ABOVE, mean, self.settings.dark_noisy_threshold * width, unit="DN/s")
        return TypeResult(yes & science, ~valid & science, votes, thresholds=(limit,))

    def results(self, science: np.ndarray, replaced: Collection[str] = ()) -> dict[str, TypeResult]:
        """TypeResult per dark type, without the types whose tests are all in `replaced`.

        `science` is the boolean image (y, x) of the pixels that may be flagged.
        """
        tests: dict[str, list[OfficialTest]] = {}
        for test in OFFICIAL_TESTS:
            if test.name not in replaced:
                tests.setdefault(test.pixel_type, []).append(test)
        return {
            pixel_type: self._vote(science, getattr(self.settings, key), *(test.name for test in tests_of_type))
            if (key := tests_of_type[0].fraction)
            else self._noisy(science)
            for pixel_type, tests_of_type in tests.items()
        }
