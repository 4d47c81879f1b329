"""Measurements on the ramps of one integration: what each pixel did, without any threshold.

All functions take the `SCI` (group, y, x) and `GROUPDQ` (group, y, x) planes of a `jump` file, whole or some rows.
"""

from dataclasses import dataclass

import numpy as np

from badpix.dq import GROUP_FLAGS

DO_NOT_USE = GROUP_FLAGS["DO_NOT_USE"]
SATURATED = GROUP_FLAGS["SATURATED"]
JUMP_DET = GROUP_FLAGS["JUMP_DET"]

# The jump step takes the steep start of an RC pixel for the rule and its flat end for jumps; such are no steps.
STEP_SIGMA = 3

# Scale from the median absolute deviation to the standard deviation of a Gaussian, 1 / Phi^-1(3/4).
MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class GroupTimes:
    """When the groups of an integration were read.

    Attributes are the header's: `group_time_s` TGROUP, `frame_time_s` TFRAME, `n_frames` NFRAMES (frames averaged to
    a group), `dropped_frames` DRPFRMS1 (frames dropped before the first group).
    """

    group_time_s: float
    frame_time_s: float
    n_frames: int
    dropped_frames: int = 0

    def effective_time_s(self, group):
        """Time (s) since reset of the mean frame of `group` (0-based number or array of numbers)."""
        mean_frame = self.dropped_frames + (self.n_frames + 1) / 2
        return np.asarray(group) * self.group_time_s + mean_frame * self.frame_time_s


def early_late_window(n_groups, early_cutoff_fraction):
    """Length of the equal early and late windows, `int(early_cutoff_fraction * n_groups)` groups.

    The small term keeps products such as 0.29 * 100, which is below 29 in floating point, from losing a group.
    """
    return int(early_cutoff_fraction * n_groups + 1e-9)


def count_groups(groupdq, early_cutoff_fraction):
    """Count flagged and usable groups per pixel.

    Returns a dict of int16 images (y, x): `NJUMP`, `NJUMP_EARLY`, `NJUMP_LATE` (groups with JUMP_DET in all, the
    first and the last groups), `NGOOD`, `NGOOD_EARLY`, `NGOOD_LATE` (groups that could hold a jump: neither SATURATED
    nor DO_NOT_USE), `NSAT` (groups with SATURATED), `FIRST_SAT` (index of the first SATURATED group, -1 if none).
    """
    n_groups = groupdq.shape[0]
    window = early_late_window(n_groups, early_cutoff_fraction)
    jump = (groupdq & JUMP_DET) != 0
    good = (groupdq & (SATURATED | DO_NOT_USE)) == 0
    saturated = (groupdq & SATURATED) != 0

    def total(mask):
        return mask.sum(axis=0, dtype=np.int16)

    n_saturated = total(saturated)
    late = slice(n_groups - window, n_groups)
    return {
        "NJUMP": total(jump),
        "NJUMP_EARLY": total(jump[:window]),
        "NJUMP_LATE": total(jump[late]),
        "NGOOD": total(good),
        "NGOOD_EARLY": total(good[:window]),
        "NGOOD_LATE": total(good[late]),
        "NSAT": n_saturated,
        "FIRST_SAT": np.where(n_saturated > 0, saturated.argmax(axis=0), -1).astype(np.int16),
    }


def masked_median(values, valid):
    """Median of `values` along the first axis over `valid` elements; NaN where there are none. Same dtype as values."""
    ordered = np.sort(np.where(valid, values, np.inf), axis=0)
    n_valid = valid.sum(axis=0)
    upper = np.take_along_axis(ordered, np.minimum(n_valid // 2, len(values) - 1)[np.newaxis], axis=0)[0]
    lower = np.take_along_axis(ordered, np.maximum((n_valid - 1) // 2, 0)[np.newaxis], axis=0)[0]
    # Where nothing is valid both are +inf; their mean is replaced, so the arithmetic must not warn.
    with np.errstate(invalid="ignore"):
        median = lower + (upper - lower) / 2
    return np.where(n_valid > 0, median, np.nan).astype(values.dtype)


def group_differences(sci, groupdq, early_cutoff_fraction):
    """Scatter, centre and steps of the differences between neighbouring groups.

    Returns a dict of images (y, x), float32 but for the last. `CDS_NOISE` (DN) is 1.4826 x the median absolute
    deviation of the differences between unflagged groups about their median (NaN with fewer than two). The others are
    of all groups neither SATURATED nor DO_NOT_USE, because the jump step takes much of an RC pixel's ramp for jumps:
    `CDS_FIRST`, `CDS_EARLY`, `CDS_LATE` (DN/group), the first difference and the medians in the first and in the last
    window (NaN where there is none); `NFALL` and `NRISE` (int16), groups with JUMP_DET after the early window that lie
    below and above their predecessor, by more than STEP_SIGMA x CDS_NOISE both from it and from the median difference.
    A telegraph signal falls as often as it rises; a cosmic ray only rises.
    """
    usable = (groupdq & (SATURATED | DO_NOT_USE)) == 0
    jump = (groupdq & JUMP_DET) != 0
    usable_pair = usable[1:] & usable[:-1]
    differences = np.diff(sci, axis=0)
    empty = np.full(sci.shape[1:], np.nan, dtype=np.float32)
    if len(differences) == 0:
        planes = dict.fromkeys(("CDS_NOISE", "CDS_EARLY", "CDS_LATE", "CDS_FIRST"), empty)
        return planes | dict.fromkeys(("NFALL", "NRISE"), np.zeros(sci.shape[1:], dtype=np.int16))

    unflagged = usable_pair & ~jump[1:] & ~jump[:-1]
    deviations = differences - masked_median(differences, unflagged)
    noise = MAD_TO_SIGMA * masked_median(np.abs(deviations), unflagged)
    noise[unflagged.sum(axis=0) < 2] = np.nan
    first = np.take_along_axis(differences, usable_pair.argmax(axis=0)[np.newaxis], axis=0)[0]
    window = min(early_late_window(sci.shape[0], early_cutoff_fraction), len(differences))
    steps = (jump[1:] & usable_pair)[window:]
    # A pixel that jumps all the time has no noise of its own to compare with; its neighbours have.
    typical = np.nanmedian(noise) if np.isfinite(noise).any() else 0.0
    least = STEP_SIGMA * np.where(np.isnan(noise), typical, noise)
    fall = (differences < -least) & ~(deviations > -least)
    rise = (differences > least) & ~(deviations < least)
    return {
        "CDS_NOISE": noise.astype(np.float32),
        "CDS_EARLY": masked_median(differences[:window], usable_pair[:window]) if window else empty,
        "CDS_LATE": masked_median(differences[-window:], usable_pair[-window:]) if window else empty,
        "CDS_FIRST": np.where(usable_pair.any(axis=0), first, np.nan).astype(np.float32),
        "NFALL": (steps & fall[window:]).sum(axis=0, dtype=np.int16),
        "NRISE": (steps & rise[window:]).sum(axis=0, dtype=np.int16),
    }


def pedestal_t0(sci, groupdq, slope_dn_per_s, times):
    """Signal extrapolated to the reset: first valid group minus slope x its effective time.

    `slope_dn_per_s` is float32 (y, x), `times` a GroupTimes. Returns float32 DN (y, x), NaN where the slope is NaN or
    no group is free of SATURATED and DO_NOT_USE.
    The product `fitopt` gives PEDESTAL = first group - slope[DN/s] x 1 s instead, which is no time of any read
    pattern and leaves a hot pixel nearly its whole first group.
    """
    good = (groupdq & (SATURATED | DO_NOT_USE)) == 0
    first = good.argmax(axis=0)
    signal = np.take_along_axis(sci, first[np.newaxis], axis=0)[0].astype(np.float64)
    pedestal = signal - slope_dn_per_s.astype(np.float64) * times.effective_time_s(first)
    return np.where(good.any(axis=0), pedestal, np.nan).astype(np.float32)
