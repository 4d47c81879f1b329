"""Measurements on the ramps of one integration: what each pixel did, without any threshold.

All functions take the `SCI` (group, y, x, float32) and `GROUPDQ` (group, y, x, uint8) planes of a `jump` file, whole or
some rows.
"""

import numpy as np

from badpix.instrument.readout import early_late_window
from badpix.numerics.column_sort import sorting_network
from badpix.statistics.ramp_kernels import count_flags, count_steps, first_good_group, measure_differences

COUNTS = ("NJUMP", "NJUMP_EARLY", "NJUMP_LATE", "NGOOD", "NGOOD_EARLY", "NGOOD_LATE", "NSAT", "FIRST_SAT")
DIFFERENCES = ("CDS_NOISE", "CDS_EARLY", "CDS_LATE", "CDS_FIRST")
STEPS = ("N_JUMP_DOWN", "N_JUMP_UP", "N_JUMP_DOWN_5SIG")


def count_groups(groupdq, early_cutoff_fraction):
    """Count flagged and usable groups per pixel.

    Returns a dict of int16 images (y, x): `NJUMP`, `NJUMP_EARLY`, `NJUMP_LATE` (groups with JUMP_DET in all, the
    first and the last groups), `NGOOD`, `NGOOD_EARLY`, `NGOOD_LATE` (groups that could hold a jump: neither SATURATED
    nor DO_NOT_USE), `NSAT` (groups with SATURATED), `FIRST_SAT` (index of the first SATURATED group, -1 if none).
    """
    counts = np.empty((len(COUNTS), *groupdq.shape[1:]), np.int16)
    count_flags(groupdq, early_late_window(len(groupdq), early_cutoff_fraction), counts)
    return dict(zip(COUNTS, counts, strict=True))


def group_differences(sci, groupdq, early_cutoff_fraction):
    """Scatter, centre and steps of the differences between neighbouring groups.

    Returns a dict of images (y, x), float32 but for the last. `CDS_NOISE` (DN) is 1.4826 x the median absolute
    deviation of the differences between unflagged groups about their median (NaN with fewer than two). The others are
    of all groups neither SATURATED nor DO_NOT_USE, because the jump step takes much of an RC pixel's ramp for jumps:
    `CDS_FIRST`, `CDS_EARLY`, `CDS_LATE` (DN/group), the first difference and the medians in the first and in the last
    window (NaN where there is none); `N_JUMP_DOWN` and `N_JUMP_UP` (int16), groups with JUMP_DET after the early window that lie
    below and above their predecessor, by more than STEP_SIGMA x CDS_NOISE both from it and from the median difference;
    `N_JUMP_DOWN_5SIG` (int16), those of N_JUMP_DOWN that are beyond CLEAR_SIGMA x CDS_NOISE, or x its median if that is more.
    A telegraph signal falls as often as it rises; a cosmic ray only rises.
    """
    shape, n_differences = sci.shape[1:], len(sci) - 1
    images = np.full((len(DIFFERENCES) + 1, *shape), np.nan, np.float32)
    steps = np.zeros((len(STEPS), *shape), np.int16)
    if n_differences > 0:
        window = min(early_late_window(len(sci), early_cutoff_fraction), n_differences)
        measure_differences(sci, groupdq, window, sorting_network(n_differences), sorting_network(window), images)
        noise, middle = images[0], images[-1]
        # A pixel that jumps all the time has no noise of its own to compare with; its neighbours have.
        known = noise[np.isfinite(noise)]
        typical = np.median(known) if known.size else np.float32(0)
        count_steps(sci, groupdq, window, noise, middle, typical, steps)
    return dict(zip(DIFFERENCES, images, strict=False)) | dict(zip(STEPS, steps, strict=True))


def pedestal_t0(sci, groupdq, slope_dn_per_s, times):
    """Signal extrapolated to the reset: first valid group minus slope x its effective time.

    `slope_dn_per_s` is float32 (y, x), `times` a GroupTimes. Returns float32 DN (y, x), NaN where the slope is NaN or
    no group is free of SATURATED and DO_NOT_USE.
    The product `fitopt` gives PEDESTAL = first group - slope[DN/s] x 1 s instead, which is no time of any read
    pattern and leaves a hot pixel nearly its whole first group.
    """
    first, signal = np.empty(sci.shape[1:], np.int16), np.empty(sci.shape[1:], np.float32)
    first_good_group(sci, groupdq, first, signal)
    time_s = times.effective_time_s(np.arange(len(sci)))[np.maximum(first, 0)]
    return (signal - slope_dn_per_s.astype(np.float64) * time_s).astype(np.float32)
