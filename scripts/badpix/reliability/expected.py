"""Expected false flags of a detector's darks and flats, from their cached statistics and the evidence of their vote."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from astropy.io import fits

from badpix.formats.evidence_file import Evidence
from badpix.formats.pixel_types import DARK_TYPES
from badpix.formats.statistics_file import open_statistics
from badpix.formats.statistics_set import Exposure
from badpix.numerics.clipping import CLIP_ITERATIONS, clipped_mean_std
from badpix.reliability.false_flags import (
    Spread,
    VoteCounts,
    expected_below,
    expected_noisy,
    jump_probability,
    jump_rate,
    vote_counts_of,
)
from badpix.vote.dark_official import pedestal_plane
from badpix.vote.exposure_set import ExposureSet
from badpix.vote.settings import DarkSettings, FlatSettings, VoteSettings

AS_CONFIGURED = "at most, as configured by false_flags_per_million"
# Types whose pixels are left out of the healthy pixels. Noisy pixels stay: their jumps and pedestals are those of
# healthy pixels but for the scatter.
NOT_HEALTHY = tuple(name for name in DARK_TYPES if name != "noisy")

# Type -> (number of false flags expected, note).
Expected = dict[str, tuple[float, str]]


class _Darks:
    """Pedestals, saturation and jumps of the healthy pixels of the darks; reads each statistics file once.

    `healthy` is a boolean image (y, x).
    """

    def __init__(self, darks: Sequence[Exposure], healthy: np.ndarray, settings: DarkSettings) -> None:
        self.spread = Spread.empty(int(healthy.sum()))
        self.saturated: list[float] = []
        self.rates: list[float] = []
        self.integrations: Counter[int] = Counter()
        for dark in darks:
            n_integrations = 0
            for path in dark.paths:
                with open_statistics(path) as hdus:
                    n_integrations += len(hdus["INTEGRATIONS"].data)
                    self._add(hdus, healthy, settings)
            self.integrations[n_integrations] += 1

    def _add(self, hdus: fits.HDUList, healthy: np.ndarray, settings: DarkSettings) -> None:
        name = pedestal_plane(settings.pedestal_source, [hdu.name for hdu in hdus])
        for integration, row in enumerate(hdus["INTEGRATIONS"].data):
            plane = {key: hdus[key].data[integration][healthy] for key in (name, "NJUMP", "NSAT", "FIRST_SAT")}
            pedestal = np.where(plane["FIRST_SAT"] != 0, plane[name], np.nan)
            limit = settings.pedestal_sigma_threshold * row[f"{name}_STD"]
            self.spread.add(pedestal, row[f"{name}_MEAN"], limit)
            self.rates.append(jump_rate(plane["NJUMP"]))
            self.saturated.append(float(np.mean(plane["NSAT"] == row["N_GROUPS"])))

    @property
    def typical_integrations(self) -> int:
        """The most common number of integrations of a dark."""
        return self.integrations.most_common(1)[0][0]


def expected_dark(exposures: ExposureSet, evidence: Evidence, settings: VoteSettings) -> Expected:
    """The false flags expected for each dark type; `evidence` is the evidence file of the vote of `exposures`."""
    s, science = settings.darks, exposures.science
    names = [name for name in evidence.bit_of if name in DARK_TYPES]
    bad = [evidence.is_found(name) for name in names if name in NOT_HEALTHY]
    darks = _Darks(exposures.darks, science & ~np.logical_or.reduce(bad), s)
    per_vote = darks.typical_integrations if s.dark_vote_unit == "exposure" else 1
    tests = {test for name in names for test in evidence.tests.get(name, ())}

    def vote(test: str, fraction: str, integrations: int = per_vote) -> VoteCounts:
        return vote_counts_of(evidence.n_valid(test), science, s.min_valid, getattr(s, fraction), integrations)

    parts: dict[str, list[tuple[float, str]]] = {name: [] for name in names}
    share = float(np.mean(darks.saturated))
    value = vote("saturated", "max_saturated_fraction", 1).expected(share)
    parts["hot"].append((value, f"binomial: healthy pixels are saturated in {share:.2g} of the integrations"))
    rate = float(np.mean(darks.rates))
    many_jumps = jump_probability(rate, s.max_jump_limit)
    poisson = f"Poisson: {rate:.3g} jumps per integration"
    if "many_jumps" in tests:
        parts["high_cr"].append((vote("many_jumps", "high_cr_fraction").expected(many_jumps), poisson))
    if "rc_jumps" in tests:
        value = vote("rc_jumps", "rc_fraction_threshold").expected(many_jumps)
        parts["rc"].append((value, f"{poisson}, at most, for their ratio is not counted"))
    fixed = f"normal pedestals, {darks.spread.share_fixed:.0%} of the variance fixed"
    for name, test, fraction, side in (
        ("rc", "high_pedestal", "rc_fraction_threshold", 0),
        ("low_pedestal", "low_pedestal", "low_pedestal_fraction", 1),
    ):
        if test not in settings.replaced_tests:
            parts[name].append((darks.spread.expected(vote(test, fraction), side), fixed))
    if "noisy" not in settings.replaced_tests:
        std, n_clean = evidence.measured["NOISE"], evidence.measured["NCLEAN"]
        mean, width, _ = clipped_mean_std(std[science], s.dark_stdev_clipping_sigma, s.dark_max_clipping_iters)
        cut = mean + s.dark_noisy_threshold * width
        value = expected_noisy(n_clean, science, std, cut)
        parts["noisy"].append((value, f"chi-squared: scatter beyond {cut:.3g} DN/s of as many slopes as there are"))
    for name, n_tests in false_alarm_counts(settings).items():
        configured = n_tests * settings.false_flags_per_million * 1e-6 * int(science.sum())
        parts[name].append((configured, AS_CONFIGURED))
    return {name: (sum(v for v, _ in of_type), "; ".join(n for _, n in of_type)) for name, of_type in parts.items()}


def false_alarm_counts(settings: VoteSettings) -> dict[str, int]:
    """Type -> number of tests beyond the official algorithm that may find a healthy pixel as the type."""
    n_tests: Counter[str] = Counter()
    for search in settings.searches_on:
        n_tests.update(search.false_alarm_counts())
    return dict(n_tests)


def expected_flat(exposures: ExposureSet, evidence: Evidence, settings: FlatSettings) -> Expected:
    """The false flags expected for each flat type: healthy pixels in the low tail of the response.

    The response of all flats combined is used, also if each flat has a vote. Its scatter is almost entirely a property
    of the pixels, so the single flats agree.
    """
    values = evidence.measured["RESPONSE"][exposures.science]
    cuts = [settings.max_dead_norm_signal] if "absolute_rate" in settings.dead_search_type else []
    if "sigma_rate" in settings.dead_search_type:
        mean, std, _ = clipped_mean_std(values, settings.flat_mean_sigma_threshold, CLIP_ITERATIONS)
        cuts.append(mean - settings.dead_sigma_threshold * std)
    result: Expected = {}
    if settings.dead_search:
        result["DEAD"] = (expected_below(values, max(cuts)), f"normal response below {max(cuts):.3g}")
    if settings.low_qe_and_open_search:
        low = settings.max_low_qe_norm_signal
        expected = expected_below(values, low)
        result["LOW_QE"] = (expected, f"normal response below {low:.3g}")
        result["OPEN"] = (expected, "at most as LOW_QE")
        result["ADJ_OPEN"] = (8 * expected, "at most eight for an OPEN one")
    return result
