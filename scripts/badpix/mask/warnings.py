"""Warnings of a mask that is plausible but may be wrong, for the log, the HISTORY, the report and the terminal."""

import datetime
from collections.abc import Iterable, Mapping
from math import lgamma

import numpy as np
from scipy.special import gammaincc, ndtr

from badpix.config.exp_types import missing_kinds
from badpix.formats.pixel_types import FLAT_TYPES
from badpix.formats.type_result import TypeResult
from badpix.instrument.depth import MIN_GROUPS_FOR_JUMP_STEP, MIN_GROUPS_FOR_TELEGRAPH, depth_warning
from badpix.instrument.exp_types import is_even
from badpix.response.normalise import MIN_INTEGRATIONS_TO_CLIP
from badpix.vote.exposure_set import ExposureSet
from badpix.vote.settings import VoteSettings

# Counts beyond these limits have another cause than noise.
MAX_TIMES_EXPECTED = 10
MAX_OFFICIAL_FRACTION = 0.001
MAX_TYPE_FRACTION = 0.01
# A search that leaves this fraction of the science pixels unclassified does not work with the data.
MAX_UNCLASSIFIED = 0.9
# Official tests with a number of jumps in an integration.
COUNTS_OF_JUMPS = ("many_jumps", "rc_jumps")
# Groups that a test needs beyond the two of any slope, and the reason. Usable groups count: MIRI has up to six fewer.
MIN_GROUPS = {
    "noisy": MIN_GROUPS_FOR_JUMP_STEP,
    "cds_noise": 3,
    "jumps_down": MIN_GROUPS_FOR_TELEGRAPH,
    **dict.fromkeys(("first_rc", "early_rc", "first_inverse_rc", "early_inverse_rc"), 4),
}
MIN_GROUPS_REASON = {
    "noisy": "because the pipeline searches for no jumps in shorter ramps",
    "cds_noise": "for a scatter of group differences",
    "jumps_down": "because the pipeline does not find the jumps of telegraph pixels in shorter ramps",
    **dict.fromkeys(("first_rc", "early_rc", "first_inverse_rc", "early_inverse_rc"), "for early and late differences"),
}
# PEDIGREE of products without measurements.
NOT_MEASURED = ("DUMMY", "MODEL", "SIMULATION")
PRESET = "The preset config/presets/flight.yaml"


def exposure_starts(exposures: ExposureSet) -> list[datetime.datetime]:
    """The start (UTC) of each exposure with DATE-OBS."""
    texts = [
        f"{segment.header['DATE-OBS']}T{segment.header.get('TIME-OBS', '00:00:00')}"
        for segment in exposures.segments
        if segment.header.get("DATE-OBS")
    ]
    return [datetime.datetime.fromisoformat(text).replace(tzinfo=None) for text in texts]


def vote_warnings(
    exposures: ExposureSet, results: Mapping[str, TypeResult], n_clean: np.ndarray | None, settings: VoteSettings
) -> list[str]:
    """The warnings of the result of a vote.

    Parameters
    ----------
    exposures : ExposureSet
        The exposures that voted.
    results : mapping of str to TypeResult
        The result of each type.
    n_clean : image (y, x), int, or None
        Number of jump-free slopes of each pixel; None without darks.
    settings : VoteSettings
        The settings of the vote.
    """
    science = exposures.science
    official = _beyond_noise(results, science, n_clean, settings)
    return [
        *_missing_kinds(exposures),
        *_of_product(exposures),
        *filter(None, [depth_warning(exposures.dark_groups(), settings.required.min_darks)]),
        *_unable(exposures, results, settings),
        *official.values(),
        *_frequent({name: result for name, result in results.items() if name not in official}, science),
    ]


def _fraction(n_pixels: float, science: np.ndarray) -> float:
    return float(n_pixels) / max(1, int(science.sum()))


def _frequent(results: Mapping[str, TypeResult], science: np.ndarray) -> Iterable[str]:
    """Types that are more frequent than on any detector in use."""
    for name, result in results.items():
        n_found = int(result.found.sum())
        if (fraction := _fraction(n_found, science)) > MAX_TYPE_FRACTION:
            yield (
                f"{name}: {n_found} pixels, {fraction:.1%} of the science pixels; more than {MAX_TYPE_FRACTION:.0%} of"
                " a detector is unusual for a single type: check the exposures and the thresholds of this type"
            )


def chance_of_scatter(limit: float, mean: float, n_values: int) -> float:
    """Probability that the standard deviation of `n_values` normal values exceeds `limit`; `mean` is its mean.

    The population standard deviation s of n values of width sigma has n s^2 / sigma^2 ~ chi-square of n - 1 degrees of
    freedom, and mean sigma sqrt(2 / n) Gamma(n / 2) / Gamma((n - 1) / 2) (Kenney & Keeping 1951, 7.8).
    """
    sigma = mean / (np.sqrt(2 / n_values) * np.exp(lgamma(n_values / 2) - lgamma((n_values - 1) / 2)))
    return float(gammaincc((n_values - 1) / 2, n_values * (limit / sigma) ** 2 / 2))


def _beyond_noise(
    results: Mapping[str, TypeResult], science: np.ndarray, n_clean: np.ndarray | None, settings: VoteSettings
) -> dict[str, str]:
    """Type -> warning, for the official tests that find more pixels than noise explains."""
    chances, n_science = {}, int(science.sum())
    if "noisy" in results and "noisy" not in settings.replaced_tests and n_clean is not None:
        n_values = int(np.median(n_clean[science])) if n_science else 0
        limit = results["noisy"].thresholds[0]
        if n_values >= 2 and limit.centre > 0:
            advice = f"{PRESET} measures the noise from group differences (noisy_test: cds)"
            chances["noisy"] = chance_of_scatter(limit.value, limit.centre, n_values), advice
    if "DEAD" in results and settings.flats.dead_search and "sigma_rate" in settings.flats.dead_search_type:
        advice = f"{PRESET} separates dead from low response (dead_search_type: absolute_rate)"
        chances["DEAD"] = float(ndtr(-settings.flats.dead_sigma_threshold)), advice
    warnings = {}
    for name, (chance, advice) in chances.items():
        n_found, expected = int(results[name].found.sum()), chance * n_science
        if n_found > MAX_TIMES_EXPECTED * expected and _fraction(n_found, science) > MAX_OFFICIAL_FRACTION:
            warnings[name] = (
                f"{name}: {n_found} pixels, {_fraction(n_found, science):.2%} of the science pixels, are beyond the"
                f" limit of the official search, and noise explains {expected:.1g} pixels; pixels without this fault"
                f" may be among them. {advice}"
            )
    return warnings


def _unable(exposures: ExposureSet, results: Mapping[str, TypeResult], settings: VoteSettings) -> Iterable[str]:
    """Searches that cannot find a pixel in these exposures."""
    science = exposures.science
    data = ", ".join(_description(exposures, kind) for kind in ("darks", "flats") if exposures.of(kind))
    n_groups = max((segment.header["NGROUPS"] for dark in exposures.darks for segment in dark.segments), default=0)
    sky = any(not is_even(flat.header.get("EXP_TYPE")) for flat in exposures.flats)
    for name, result in results.items():
        if name in FLAT_TYPES and (sky or not settings.flats.searched[name]):
            continue  # the warnings of flats of the sky have the reason (vote/sky_warnings.py)
        # The vote has a warning of its own for pixels whose noise does not allow a test.
        insufficient = result.insufficient if result.untested is None else result.insufficient & ~result.untested
        if (fraction := _fraction(insufficient.sum(), science)) > MAX_UNCLASSIFIED:
            needs = _needs(name, result, n_groups, settings) or f"min_valid = {settings.min_valid} valid votes"
            yield f"{name}: {fraction:.0%} of the science pixels could not be classified; each needs {needs} ({data})"
            continue
        for test, (_, n_valid) in result.votes.items():
            if (fraction := _fraction((n_valid[science] == 0).sum(), science)) > MAX_UNCLASSIFIED:
                lacks = _needs_of_test(test, n_groups, settings)
                yield (
                    f"{name}: the test {test} has no valid vote in {fraction:.0%} of the science pixels"
                    + (f"; it needs {lacks}" if lacks else "")
                    + f" ({data})"
                )
    n_integrations = sum(flat.n_integrations() for flat in exposures.flats)
    if exposures.flats and settings.flats.flat_vote_unit != "exposure" and n_integrations < MIN_INTEGRATIONS_TO_CLIP:
        yield (
            f"flats: only {n_integrations} integrations; clipping along them rejects little or nothing, so a cosmic ray"
            " in a single flat can change a response"
        )


def _needs(name: str, result: TypeResult, n_groups: int, settings: VoteSettings) -> str | None:
    """What the tests of a type need that ramps of `n_groups` groups lack; None if the ramps are long enough."""
    texts = [_needs_of_test(test, n_groups, settings) for test in result.votes]
    if name == "noisy" and "noisy" not in settings.replaced_tests and n_groups >= MIN_GROUPS_FOR_JUMP_STEP:
        return f"min_clean_slopes = {settings.darks.min_clean_slopes} jump-free slopes"
    return " or ".join(filter(None, texts)) or None


def _needs_of_test(test: str, n_groups: int, settings: VoteSettings) -> str | None:
    """What a test needs that ramps of `n_groups` groups lack; None if they are long enough."""
    # The first group has no jump.
    if test in COUNTS_OF_JUMPS and n_groups - 1 < settings.darks.max_jump_limit:
        limit = settings.darks.max_jump_limit
        return (
            f"integrations of more than {limit} groups, because max_jump_limit is {limit} and {n_groups} groups have at"
            f" most {n_groups - 1} jumps"
        )
    if (least := MIN_GROUPS.get(test, 0)) > n_groups:
        return f"integrations of at least {least} groups, {MIN_GROUPS_REASON[test]}"
    return None


def _description(exposures: ExposureSet, kind: str) -> str:
    """The number of exposures and integrations of a kind, and of groups."""
    members = exposures.of(kind)
    groups = sorted({segment.header["NGROUPS"] for member in members for segment in member.segments})
    n_integrations = sum(member.n_integrations() for member in members)
    return f"{len(members)} {kind} with {n_integrations} integrations of {' or '.join(map(str, groups))} groups"


def _missing_kinds(exposures: ExposureSet) -> Iterable[str]:
    """A mask without darks, or without flats and any product in their place."""
    flats = bool(exposures.flats) or exposures.flat_product is not None
    yield from missing_kinds(exposures.detector.instrument, bool(exposures.darks), flats)


def _of_product(exposures: ExposureSet) -> Iterable[str]:
    """A product in place of flats that was not measured on the detector, or whose flags are not certain."""
    if (product := exposures.flat_product) is None:
        return
    if (kind := product.about.get("PEDIGREE", "").split(" ")[0]) in NOT_MEASURED:
        yield f"flat types: PEDIGREE of {product.name} is {kind}, so its values were not measured on the detector"
    for note in product.notes:
        yield f"flat types: {note}"
