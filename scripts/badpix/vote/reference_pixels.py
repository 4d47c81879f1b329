"""The vote of darks on reference pixels: noise, level and railing. Science pixels take no part.

A pixel is bad if one of the tests has at least `fraction` of its valid votes. For noise and level, the measurements of
all darks together must pass the test too: a pixel near the limit passes it in a majority of darks by chance.

* noise: NOISE above `noise` times the median of its group (NIRISS team: 1.5). With few read groups the limit is
  higher, so that the scatter of NOISE itself makes fewer false flags than `false_flags_per_million`.
* level: LEVEL away from the median of its neighbours in the group by more than `level` standard deviations of such
  distances in the group.
* railing: at a rail, or without any change, in at least half of the read groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Self

import numpy as np
from scipy.ndimage import median_filter

from badpix.formats.reference_statistics_file import ReferenceStatistics, read_reference_statistics
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.reference_groups import ReferenceGroups
from badpix.instrument.segments import exposure_of
from badpix.vote.significance import typical_level_and_scatter, vote_probability
from badpix.vote.tally import decide

TESTS = ("noise", "level", "railing")
# Neighbours of a group that give the level around a pixel: of four rows of the border, 16 columns.
LEVEL_NEIGHBOURS = 65
# With fewer values the median of a group is no measure of its typical noise.
MIN_IN_GROUP = 8
# Without a usable pixel in a group, refpix uses the other side alone or leaves the columns of the amplifier uncorrected
# (MIRI: all of them), without an error. With fewer pixels than this, single pixels decide.
MIN_GOOD = 4
FLAG, DO_NOT_USE = np.uint32(PIXEL_FLAGS["BAD_REF_PIXEL"]), np.uint32(PIXEL_FLAGS["DO_NOT_USE"])


@dataclass(frozen=True)
class ReferenceSettings:
    """The configuration key `bad_reference_pixels`, with the defaults of its keys; None turns a test off."""

    noise: float | None = 1.5
    level: float | None = 6.0
    railing: bool = True
    fraction: float = 0.5
    do_not_use: bool = False

    @classmethod
    def of_key(cls, value: Mapping[str, Any] | None) -> Self | None:
        """From the value of the key; None if reference pixels are not searched."""
        return None if value is None else cls(**value)


@dataclass(frozen=True)
class ReferenceVote:
    """The result: arrays (pixel) in the order of `groups`.

    `found` maps TESTS that are on to bad pixels, `k` and `n_valid` to the numbers of positive and of valid votes. `dq`
    (uint32) are the flags. `n_exposures` darks voted. `notes` are sentences on the result, `warnings` on what may be
    wrong.
    """

    groups: ReferenceGroups
    found: Mapping[str, np.ndarray]
    k: Mapping[str, np.ndarray]
    n_valid: Mapping[str, np.ndarray]
    dq: np.ndarray
    n_exposures: int
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def image(self, shape: tuple[int, int]) -> np.ndarray:
        """The flags as an image (y, x), uint32, of the array; 0 at science pixels."""
        image = np.zeros(shape, np.uint32)
        image[self.groups.y, self.groups.x] = self.dq
        return image


def read_exposures(paths: Sequence[str], names: Sequence[str]) -> tuple[dict[str, ReferenceStatistics], dict[str, str]]:
    """The measurements of the exposures `names`, segments combined, and the reasons why others have none."""
    found: dict[str, ReferenceStatistics] = {}
    reasons: dict[str, str] = {}
    for path in sorted(paths):
        name, content = read_reference_statistics(path)
        exposure = exposure_of(name)
        if exposure not in names:
            continue
        if isinstance(content, str):
            reasons[exposure] = content
        else:
            found[exposure] = found[exposure] + content if exposure in found else content
    reasons |= dict.fromkeys((name for name in names if name not in found and name not in reasons), "no raw file")
    return {name: found[name] for name in found if name not in reasons}, reasons


def vote_on_reference_pixels(
    exposures: Mapping[str, ReferenceStatistics],
    groups: ReferenceGroups,
    settings: ReferenceSettings,
    false_flags_per_million: float,
    min_valid: int,
) -> ReferenceVote:
    """The ReferenceVote of the darks `exposures` (name -> measurements) on the pixels of `groups`.

    `min_valid` is the smallest number of valid votes.
    """
    probability = vote_probability(max(1, len(exposures)), settings.fraction, false_flags_per_million / 1e6)
    on = {"noise": settings.noise is not None, "level": settings.level is not None, "railing": settings.railing}
    k = {test: np.zeros(groups.y.size, np.int32) for test in TESTS if on[test]}
    n_valid = {test: np.zeros(groups.y.size, np.int32) for test in k}
    for name, measured in exposures.items():
        if not (np.array_equal(measured.x, groups.x) and np.array_equal(measured.y, groups.y)):
            raise ValueError(f"the reference pixels of {name} are not those of the mask's array")
        for test in k:
            yes, valid = _test(test, measured, groups, settings, probability)
            k[test] += yes & valid
            n_valid[test] += valid
    found = {test: decide(k[test], n_valid[test], settings.fraction, min_valid) for test in k}
    if exposures:
        together = reduce(add, exposures.values())
        for test in found.keys() - {"railing"}:
            yes, valid = _test(test, together, groups, settings, false_flags_per_million / 1e6)
            found[test] &= yes & valid
    bad = np.logical_or.reduce([np.zeros(groups.y.size, bool), *found.values()])
    warnings = list(_left_over(bad, groups, settings))
    dq = np.where(bad, FLAG, np.uint32(0))
    if settings.do_not_use:
        keep = np.isin(groups.group, np.flatnonzero(_n_good(bad, groups) < MIN_GOOD))
        dq |= np.where(bad & ~keep, DO_NOT_USE, np.uint32(0))
    judged = np.logical_or.reduce([np.zeros(bad.size, bool), *(n_valid[test] >= min_valid for test in n_valid)])
    if not judged.all():
        warnings.append(
            f"bad_reference_pixels: {np.count_nonzero(~judged)} of {bad.size} reference pixels could not be classified;"
            f" each needs min_valid = {min_valid} valid votes ({len(exposures)} darks with raw files)"
        )
    notes = _notes(found, bad, len(exposures), settings)
    return ReferenceVote(groups, found, k, n_valid, dq, len(exposures), notes, tuple(warnings))


def _test(
    test: str, measured: ReferenceStatistics, groups: ReferenceGroups, settings: ReferenceSettings, probability: float
) -> tuple[np.ndarray, np.ndarray]:
    """(yes, valid) of the pixels in a dark: boolean arrays (pixel)."""
    if test == "railing":
        return 2 * measured.n_railed >= measured.n_read, np.full(measured.x.shape, measured.n_read > 0)
    yes, valid = np.zeros(measured.x.shape, bool), np.zeros(measured.x.shape, bool)
    for number in range(len(groups.names)):
        members = np.flatnonzero(groups.group == number)
        if test == "noise":
            yes[members], valid[members] = _noisy(members, measured, float(settings.noise or 0), probability)
        else:
            yes[members], valid[members] = _outlying(members, measured, groups, float(settings.level or 0))
    return yes, valid


def _noisy(
    members: np.ndarray, measured: ReferenceStatistics, limit: float, probability: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of a group with NOISE above `limit` times its median, and pixels with NOISE."""
    from scipy.stats import chi2  # its import takes 0.3 s of every vote

    noise, degrees = measured.noise[members], measured.n_degrees[members]
    valid = np.isfinite(noise) & (degrees > 0)
    if valid.sum() < MIN_IN_GROUP or not (median := float(np.median(noise[valid]))) > 0:
        return np.zeros(members.size, bool), np.zeros(members.size, bool)
    # Sample variances are chi-square distributed: the quantile of a healthy pixel relative to the median of its group.
    number = np.maximum(degrees, 1)
    values, index = np.unique(number, return_inverse=True)
    scatter = np.sqrt(chi2.isf(probability, values) / chi2.median(values))[index]
    return valid & (noise > np.maximum(limit, scatter) * median), valid


def _outlying(
    members: np.ndarray, measured: ReferenceStatistics, groups: ReferenceGroups, limit: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of a group with LEVEL far from the median of its neighbours, and pixels with LEVEL."""
    level = measured.level[members].astype(np.float64)
    valid = np.isfinite(level)
    if valid.sum() < MIN_IN_GROUP:
        return np.zeros(members.size, bool), np.zeros(members.size, bool)
    used = np.flatnonzero(valid)
    order = used[np.argsort(groups.along[members[used]], kind="stable")]
    size = min(LEVEL_NEIGHBOURS, order.size - 1 + order.size % 2)
    distance = np.full(members.size, np.nan)
    distance[order] = level[order] - median_filter(level[order], size, mode="nearest")
    centre, scatter = typical_level_and_scatter(distance)
    with np.errstate(invalid="ignore"):
        yes = np.abs(distance - centre) > limit * scatter if scatter > 0 else np.zeros(members.size, bool)
    return yes & valid, valid


def _n_good(bad: np.ndarray, groups: ReferenceGroups) -> np.ndarray:
    """Number of good pixels of each group."""
    return np.bincount(groups.group[~bad], minlength=len(groups.names))


def _left_over(bad: np.ndarray, groups: ReferenceGroups, settings: ReferenceSettings) -> list[str]:
    """Warnings of groups with few good pixels left, or of which most are bad."""
    good, total = _n_good(bad, groups), np.bincount(groups.group, minlength=len(groups.names))
    lines = []
    for number, name in enumerate(groups.names):
        if good[number] < MIN_GOOD:
            kept = "; none of them gets DO_NOT_USE, so that refpix works" if settings.do_not_use else ""
            lines.append(
                f"bad_reference_pixels: only {good[number]} of {total[number]} reference pixels of a group are good"
                f" ({name}){kept}"
            )
        elif 2 * good[number] < total[number]:
            lines.append(
                f"bad_reference_pixels: {total[number] - good[number]} of {total[number]} reference pixels of a group"
                f" are bad ({name})"
            )
    return lines


def _notes(
    found: Mapping[str, np.ndarray], bad: np.ndarray, n_exposures: int, settings: ReferenceSettings
) -> tuple[str, ...]:
    by_test = ", ".join(f"{np.count_nonzero(pixels)} by {test}" for test, pixels in found.items())
    flags = "BAD_REF_PIXEL, DO_NOT_USE" if settings.do_not_use else "BAD_REF_PIXEL"
    lines = [
        f"Reference pixels: {np.count_nonzero(bad)} of {bad.size} are {flags} by a vote of {n_exposures} darks"
        f" ({by_test})"
    ]
    if bad.any() and not settings.do_not_use:
        lines.append(
            "BAD_REF_PIXEL without DO_NOT_USE: the refpix step still uses these pixels"
            " (bad_reference_pixels.do_not_use)"
        )
    return tuple(lines)
