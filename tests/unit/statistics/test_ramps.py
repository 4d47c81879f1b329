"""Measurements on ramps, each with the arithmetic by hand. Arrays are (group, y, x) of a few pixels."""

import numpy as np
import pytest

from badpix.instrument.readout import GroupTimes, early_late_window
from badpix.statistics.ramps import count_groups, group_differences, pedestal_t0

DNU, SAT, JUMP = 1, 2, 4


def ramp(*values):
    return np.array(values, dtype=np.float32).reshape(-1, 1, 1)


def flags(*values):
    return np.array(values, dtype=np.uint8).reshape(-1, 1, 1)


@pytest.mark.parametrize(
    ("n_groups", "fraction", "window"), [(20, 0.25, 5), (30, 0.25, 7), (3, 0.25, 0), (100, 0.29, 29), (7, 0.5, 3)]
)
def test_windows_are_whole_and_equal(n_groups, fraction, window):
    assert early_late_window(n_groups, fraction) == window


def test_counts_in_the_windows():
    # Eight groups, windows of two: jumps in groups 1, 2 and 7; saturated from group 6 on; group 0 not usable.
    counts = count_groups(flags(DNU, JUMP, JUMP, 0, 0, 0, SAT, SAT | JUMP), 0.25)
    expected = {
        "NJUMP": 3, "NJUMP_EARLY": 1, "NJUMP_LATE": 1, "NGOOD": 5, "NGOOD_EARLY": 1, "NGOOD_LATE": 0,
        "NSAT": 2, "FIRST_SAT": 6,
    }  # fmt: skip
    assert {name: int(image[0, 0]) for name, image in counts.items()} == expected
    assert all(image.dtype == np.uint8 for image in counts.values())


@pytest.mark.parametrize(("n_groups", "number"), [(255, np.uint8), (256, np.int16), (300, np.int16)])
def test_counts_hold_the_number_of_groups(n_groups, number):
    counts = count_groups(flags(*[0] * n_groups), 0.25)
    assert counts["NGOOD"].dtype == number
    assert counts["NGOOD"][0, 0] == counts["FIRST_SAT"][0, 0] == n_groups
    counts = count_groups(flags(*[SAT | JUMP] * n_groups), 0.25)
    assert (counts["NSAT"][0, 0], counts["NJUMP"][0, 0], counts["FIRST_SAT"][0, 0]) == (n_groups, n_groups, 0)


def test_never_saturated_has_no_first_group():
    assert count_groups(flags(0, JUMP, DNU, 0), 0.25)["FIRST_SAT"][0, 0] == 4


def test_counts_with_empty_windows():
    counts = count_groups(flags(JUMP, JUMP, 0), 0.25)
    assert counts["NJUMP_EARLY"][0, 0] == counts["NJUMP_LATE"][0, 0] == 0
    assert counts["NJUMP"][0, 0] == 2


def test_cds_noise_ignores_the_jump():
    # Differences 2, 4, 3, (jump 500: both differences with the flagged group are left out), 2, 6.
    sci = ramp(0, 2, 6, 9, 509, 512, 514, 520)
    planes = group_differences(sci, flags(0, 0, 0, 0, JUMP, 0, 0, 0), 0.25)
    # Left: 2, 4, 3, 2, 6; median 3; deviations 1, 1, 0, 1, 3; their median 1.
    assert planes["CDS_NOISE"][0, 0] == pytest.approx(1.4826)
    assert planes["CDS_EARLY"][0, 0] == 3.0  # 2 and 4
    assert planes["CDS_LATE"][0, 0] == 4.0  # 2 and 6


def test_cds_noise_needs_two_differences():
    planes = group_differences(ramp(0, 1, 5, 9), flags(0, 0, SAT, SAT), 0.25)
    assert np.isnan(planes["CDS_NOISE"][0, 0])
    assert planes["CDS_EARLY"][0, 0] == 1.0
    assert np.isnan(planes["CDS_LATE"][0, 0])


def test_a_single_group_has_no_differences():
    planes = group_differences(ramp(5), flags(0), 0.25)
    assert [planes.pop(name)[0, 0] for name in ("N_JUMP_DOWN", "N_JUMP_DOWN_5SIG", "N_JUMP_UP")] == [0, 0, 0]
    assert all(np.isnan(image[0, 0]) for image in planes.values())


def test_first_difference_includes_jumps_but_no_unusable_group():
    planes = group_differences(ramp(0, 7, 507, 520), flags(DNU, 0, JUMP, 0), 0.25)
    assert planes["CDS_FIRST"][0, 0] == 500.0
    planes = group_differences(ramp(0, 7, 60000, 60000), flags(0, SAT, SAT, SAT), 0.25)
    assert np.isnan(planes["CDS_FIRST"][0, 0])


def test_jumps_down_and_up_after_the_early_window():
    # Eight groups, the first two differences are early; then a jump up to group 4, and jumps down to groups 5 and 7.
    sci = ramp(0, -90, 2, 3, 104, 5, 6, -93)
    planes = group_differences(sci, flags(0, JUMP, 0, 0, JUMP, JUMP, 0, JUMP), 0.25)
    assert (planes["N_JUMP_DOWN"][0, 0], planes["N_JUMP_UP"][0, 0]) == (2, 1)
    assert planes["N_JUMP_DOWN"].dtype == planes["N_JUMP_UP"].dtype == np.uint8
    # A group without JUMP_DET is no step, and a saturated group has no difference.
    quiet = group_differences(sci, flags(0, 0, 0, 0, 0, 0, SAT | JUMP, JUMP), 0.25)
    assert quiet["N_JUMP_DOWN"][0, 0] == quiet["N_JUMP_UP"][0, 0] == 0


def test_the_flat_end_of_an_rc_ramp_is_no_step():
    # Of noise 2 x 1.4826 about the median 3 the last group lies 6 below, within three sigma.
    sci = ramp(0, 400, 600, 605, 608, 609, 614, 611)
    planes = group_differences(sci, flags(0, JUMP, JUMP, 0, 0, 0, 0, JUMP), 0.25)
    assert planes["CDS_NOISE"][0, 0] == pytest.approx(2 * 1.4826)
    assert planes["N_JUMP_DOWN"][0, 0] == planes["N_JUMP_UP"][0, 0] == 0


def test_the_medians_of_the_windows_include_jumps():
    # Differences 100, 200, then 0, 3, 4, 5, 6; windows of two. The jump step flagged the flat end.
    planes = group_differences(ramp(0, 100, 300, 300, 303, 307, 312, 318), flags(0, 0, 0, 0, 0, JUMP, JUMP, JUMP), 0.25)
    assert planes["CDS_EARLY"][0, 0] == 150.0
    assert planes["CDS_LATE"][0, 0] == 5.5


def test_a_pixel_without_noise_of_its_own_is_compared_with_the_typical_one():
    # Two pixels: differences 10, 14, 12, 10, 14, 8, 16 have median 12 and deviation 2; the second jumps in every group.
    quiet = [0, 10, 24, 36, 46, 60, 68, 84]
    restless = [0, 50, 0, 50, 45, 95, 45, 95]
    sci = np.array([quiet, restless], dtype=np.float32).T[:, np.newaxis]
    groupdq = np.zeros((8, 1, 2), dtype=np.uint8)
    groupdq[1:, 0, 1] = JUMP
    planes = group_differences(sci, groupdq, 0.25)
    assert planes["CDS_NOISE"][0, 0] == pytest.approx(2 * 1.4826)
    # After the early window: up, -5 within three sigma, up, down, up.
    assert (planes["N_JUMP_DOWN"][0, 1], planes["N_JUMP_UP"][0, 1]) == (1, 3)


def test_a_5_sigma_jump_down_is_too_large_for_noise():
    """Two pixels with noise 1.4826 and 2.9652, median 2.2239; both jump down by 10, which is 12 below their slope."""
    ramp_down = [0, 1, 4, 7, 8, -2]
    sci = np.array([ramp_down, [2 * value for value in ramp_down[:5]] + [6]], dtype=np.float32).T[:, np.newaxis]
    groupdq = np.zeros((6, 1, 2), dtype=np.uint8)
    groupdq[5] = JUMP
    planes = group_differences(sci, groupdq, 0.25)
    np.testing.assert_allclose(planes["CDS_NOISE"][0], [1.4826, 2 * 1.4826], rtol=1e-6)
    assert planes["N_JUMP_DOWN"][0].tolist() == [1, 1]
    # Five times the noise is 7.4 and 14.8, but at least 11.1 is required: -10 is not enough for either pixel.
    assert planes["N_JUMP_DOWN_5SIG"][0].tolist() == [0, 0]
    sci[5, 0] = [-4, 0]
    assert group_differences(sci, groupdq, 0.25)["N_JUMP_DOWN_5SIG"][0].tolist() == [1, 1]


def test_jumps_down_where_every_difference_is_a_jump():
    planes = group_differences(ramp(0, 50, 0, 50, 0), flags(0, JUMP, JUMP, JUMP, JUMP), 0.25)
    assert np.isnan(planes["CDS_NOISE"][0, 0])
    assert (planes["N_JUMP_DOWN"][0, 0], planes["N_JUMP_UP"][0, 0]) == (2, 1)  # the first jump up is early


def test_effective_time():
    # Four frames of 10 s averaged after two dropped: the mean frame of group 0 is frame 2 + 2.5.
    times = GroupTimes(group_time_s=50.0, frame_time_s=10.0, n_frames=4, dropped_frames=2)
    assert times.effective_time_s(0) == 45.0
    assert times.effective_time_s(3) == 195.0


@pytest.mark.parametrize(("n_frames", "gap"), [(1, 0), (1, 1), (4, 1), (8, 0), (8, 12)])
def test_shot_noise_of_the_difference_of_two_averaged_groups(n_frames, gap):
    times = GroupTimes(2.0 * (n_frames + gap), 2.0, n_frames)
    counts = np.cumsum(np.random.default_rng(1).poisson(30 * 2.0, (40_000, 2 * n_frames + gap)), axis=1)
    difference = counts[:, -n_frames:].mean(axis=1) - counts[:, :n_frames].mean(axis=1)
    assert difference.var() == pytest.approx(30 * times.shot_noise_time_s, rel=0.03)
    assert times.shot_noise_time_s == times.group_time_s or n_frames > 1


def test_pedestal_is_the_signal_at_reset():
    times = GroupTimes(group_time_s=10.0, frame_time_s=10.0, n_frames=1)
    slope = np.array([[5.0]], dtype=np.float32)
    # 100 DN at reset and 5 DN/s: group 0 is read at 10 s with 150 DN, group 1 at 20 s with 200 DN.
    assert pedestal_t0(ramp(150, 200, 250), flags(0, 0, 0), slope, times)[0, 0] == 100.0
    assert pedestal_t0(ramp(0, 200, 250), flags(DNU, 0, 0), slope, times)[0, 0] == 100.0


def test_no_pedestal_without_a_valid_ramp():
    times = GroupTimes(10.0, 10.0, 1)
    slope = np.array([[5.0]], dtype=np.float32)
    assert np.isnan(pedestal_t0(ramp(1, 2), flags(SAT, SAT), slope, times)[0, 0])
    assert np.isnan(pedestal_t0(ramp(1, 2), flags(0, 0), slope * np.nan, times)[0, 0])
