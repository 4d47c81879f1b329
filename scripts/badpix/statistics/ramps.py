"""Measurements on the ramps of an integration, independent of the configured thresholds.

All functions take planes of a `jump` file, all rows or some: `sci` is SCI, float32 (group, y, x), in DN; `groupdq` is
GROUPDQ, uint8 (group, y, x).
"""

import numpy as np

from badpix.instrument.readout import GroupTimes, early_late_window
from badpix.numerics.column_sort import sorting_network
from badpix.statistics.ramp_kernels import count_flags, count_steps, first_good_group, measure_differences

COUNTS = ("NJUMP", "NJUMP_EARLY", "NJUMP_LATE", "NGOOD", "NGOOD_EARLY", "NGOOD_LATE", "NSAT", "FIRST_SAT")
DIFFERENCES = ("CDS_NOISE", "CDS_EARLY", "CDS_LATE", "CDS_FIRST")
STEPS = ("N_JUMP_DOWN", "N_JUMP_UP", "N_JUMP_DOWN_5SIG")


def count_type(n_groups: int) -> type[np.integer]:
    """The type of the counts of a ramp: a byte where it holds n_groups, since counts are a third of the planes."""
    return np.uint8 if n_groups <= np.iinfo(np.uint8).max else np.int16


def count_groups(groupdq: np.ndarray, early_cutoff_fraction: float) -> dict[str, np.ndarray]:
    """Count flagged and usable groups per pixel.

    The early and late windows have `early_cutoff_fraction` of the groups each. Returns a dict of images (y, x) of the
    type `count_type`: `NJUMP`, `NJUMP_EARLY`, `NJUMP_LATE` (groups with JUMP_DET: all, in the early and in the late
    window), `NGOOD`, `NGOOD_EARLY`, `NGOOD_LATE` (usable groups, neither SATURATED nor DO_NOT_USE), `NSAT` (groups with
    SATURATED), `FIRST_SAT` (0-based index of the first SATURATED group; the number of groups if none).
    """
    counts = np.empty((len(COUNTS), *groupdq.shape[1:]), count_type(len(groupdq)))
    count_flags(groupdq, early_late_window(len(groupdq), early_cutoff_fraction), counts)
    return dict(zip(COUNTS, counts, strict=True))


def group_differences(sci: np.ndarray, groupdq: np.ndarray, early_cutoff_fraction: float) -> dict[str, np.ndarray]:
    """Scatter, centre and steps of the differences between neighbouring groups.

    Returns a dict of images (y, x):

    `CDS_NOISE` (float32, DN): 1.4826 x the median absolute deviation, about their median, of the differences between
    unflagged groups; NaN with fewer than two.

    `CDS_FIRST`, `CDS_EARLY`, `CDS_LATE` (float32, DN/group): the first difference, and the medians in the early and in
    the late window; NaN without a difference. Groups with JUMP_DET are included, because the jump step flags much of an
    RC pixel's ramp; groups with SATURATED or DO_NOT_USE are not.

    `N_JUMP_DOWN`, `N_JUMP_UP` (`count_type`): groups with JUMP_DET after the early window whose difference from the
    group before is below -STEP_SIGMA x CDS_NOISE, or above STEP_SIGMA x CDS_NOISE, and as far from the median
    difference.

    `N_JUMP_DOWN_5SIG` (`count_type`): the groups in N_JUMP_DOWN beyond CLEAR_SIGMA x the larger of CDS_NOISE and its
    median over the pixels.

    A telegraph signal jumps down as often as up; a cosmic ray only jumps up.
    """
    shape, n_differences = sci.shape[1:], len(sci) - 1
    images = np.full((len(DIFFERENCES) + 1, *shape), np.nan, np.float32)
    steps = np.zeros((len(STEPS), *shape), count_type(len(sci)))
    if n_differences > 0:
        window = min(early_late_window(len(sci), early_cutoff_fraction), n_differences)
        measure_differences(sci, groupdq, window, sorting_network(n_differences), sorting_network(window), images)
        noise, middle = images[0], images[-1]
        # A pixel that jumps in every group has no CDS_NOISE; the median of all pixels is used instead.
        known = noise[np.isfinite(noise)]
        typical = np.median(known) if known.size else np.float32(0)
        count_steps(sci, groupdq, window, noise, middle, typical, steps)
    return dict(zip(DIFFERENCES, images, strict=False)) | dict(zip(STEPS, steps, strict=True))


def pedestal_t0(sci: np.ndarray, groupdq: np.ndarray, slope_dn_per_s: np.ndarray, times: GroupTimes) -> np.ndarray:
    """Signal extrapolated to the reset: signal of the first usable group minus slope x effective time of the group.

    `slope_dn_per_s` is float32 (y, x). Returns float32 (y, x) in DN, NaN where the slope is NaN or every group is
    SATURATED or DO_NOT_USE. PEDESTAL in the product `fitopt` is the first group minus slope x 1 s instead; 1 s is not
    the time of a group in any read pattern, so the pedestal of a hot pixel keeps nearly all signal of the first group.
    """
    first, signal = np.empty(sci.shape[1:], np.int16), np.empty(sci.shape[1:], np.float32)
    first_good_group(sci, groupdq, first, signal)
    time_s = times.effective_time_s(np.arange(len(sci)))[np.maximum(first, 0)]
    return (signal - slope_dn_per_s.astype(np.float64) * time_s).astype(np.float32)
