"""The independent evaluation that masks are compared with: the types of darks, on arrays worked out by hand."""

import numpy as np
import pytest

from oracle import dark_types
from oracle.darks import pedestal_at_t0, votes_of_integration
from oracle.vote import DEFAULTS
from unit.oracle.exposures import DO_NOT_USE, JUMP_DET, REFERENCE_PIXEL, SATURATED, TIMING, Dark, pixels


def test_pedestal_at_t0_starts_at_the_first_valid_group():
    ramp = np.zeros((1, 3, 1, 4), dtype=np.float32)
    ramp[0, :, 0, :] = [[100], [150], [180]]
    groupdq = np.zeros((1, 3, 1, 4), dtype=np.uint8)
    groupdq[0, 0, 0, 1] = DO_NOT_USE
    groupdq[0, :2, 0, 2] = SATURATED, DO_NOT_USE
    groupdq[0, :, 0, 3] = DO_NOT_USE
    pedestal = pedestal_at_t0(ramp, groupdq, np.full((1, 1, 4), 2.0), TIMING)
    # 100 - 2 x 7 = 86;  150 - 2 x 17 = 116;  180 - 2 x 27 = 126;  no valid group
    np.testing.assert_array_equal(pedestal[0, 0], [86, 116, 126, np.nan])

    # Without dropped frames the first group lies at 2 (4 + 1) / 2 = 5 s: 100 - 2 x 5 = 90
    no_drop = {key: value for key, value in TIMING.items() if key != "DRPFRMS1"}
    assert pedestal_at_t0(ramp, groupdq, np.full((1, 1, 4), 2.0), no_drop)[0, 0, 0] == 90


def checkered_dark(**kwargs):
    """A dark of 10 x 10 science pixels in a border of reference pixels, whose pedestals are 99 and 101 in turn."""
    dark = Dark(shape=(12, 12), **kwargs)
    dark.pixeldq[:] = REFERENCE_PIXEL
    dark.pixeldq[1:11, 1:11] = 0
    dark.pedestal[:] = 99
    dark.pedestal[:, :, ::2] = 101
    # The reference pixels would change mean and std if they were used.
    dark.pedestal[:, dark.pixeldq != 0] = 1e6
    return dark


def test_pedestal_beyond_five_sigma(tmp_path):
    dark = checkered_dark()
    # Two pixels on either side leave 96 at 100 +- 1. All 100: variance (96 + 2 x 4.5^2 + 2 x 5.5^2) / 100 = 1.97, so
    # 3 sigma are 4.2 and all four are clipped. Survivors: mean 100, std 1, limits 95 and 105.
    # They replace two of 99 and two of 101, so that the mean does not change.
    dark.pedestal[0, 2, 2] = 105.5
    dark.pedestal[0, 2, 3] = 104.5
    dark.pedestal[0, 4, 4] = 94.5
    dark.pedestal[0, 4, 5] = 95.5
    exposure = dark.write(tmp_path, "a")
    types = dark_types([exposure], {})
    assert pixels(types["rc"]) == [(2, 2)]
    assert pixels(types["low_pedestal"]) == [(4, 4)]

    # A limit of 4 sigma includes all four.
    types = dark_types([exposure], {"pedestal_sigma_threshold": 4})
    assert pixels(types["rc"]) == [(2, 2), (2, 3)]
    assert pixels(types["low_pedestal"]) == [(4, 4), (4, 5)]

    # The pedestals of fitopt are all 0.
    types = dark_types([exposure], {"pedestal_source": "fitopt"})
    assert not types["rc"].any() and not types["low_pedestal"].any()


def test_pedestal_without_a_valid_vote(tmp_path):
    dark = checkered_dark()
    dark.pedestal[0, 2, 2:5] = 200
    dark.dq[0, 2, 2] = DO_NOT_USE
    dark.slope[0, 2, 3] = np.nan
    dark.groupdq[0, 0, 2, 4] = SATURATED
    types = dark_types([dark.write(tmp_path, "a")], {"max_jump_limit": 5})
    assert not types["rc"].any()
    assert pixels(types["insufficient"]["low_pedestal"]) == [(2, 2), (2, 3), (2, 4)]
    # rc still has the vote of the jumps.
    assert not types["insufficient"]["rc"].any()


def test_insufficient_for_rc_takes_both_votes(tmp_path):
    dark = Dark()
    dark.dq[0, 0, :2] = DO_NOT_USE
    dark.groupdq[0, :, 0, 1:3] = DO_NOT_USE
    types = dark_types([dark.write(tmp_path, "a")], {"max_jump_limit": 5})
    # (0, 0) has jumps to count, (0, 2) a slope but no group to start from, thus no pedestal at t0.
    assert pixels(types["insufficient"]["rc"]) == [(0, 1), (0, 2)]
    assert pixels(types["insufficient"]["high_cr"]) == [(0, 1), (0, 2)]


def test_ramps_too_short_for_the_limit_of_jumps_are_insufficient(tmp_path):
    darks = [Dark().write(tmp_path, "a")]  # 8 groups: at most 7 jumps
    assert dark_types(darks, {"max_jump_limit": 8})["insufficient"]["high_cr"].all()
    assert not dark_types(darks, {"max_jump_limit": 7})["insufficient"]["high_cr"].any()


def test_saturated_votes_by_integration(tmp_path):
    single, three = Dark(), Dark(n_integrations=3)
    single.groupdq[0, :, 0, 0] = SATURATED
    three.groupdq[0, :, 0, 0] = SATURATED  # 2 of 4 integrations
    three.groupdq[0, :, 0, 1] = SATURATED  # 1 of 4
    single.groupdq[0, :, 0, 2] = SATURATED
    three.groupdq[:, :, 0, 2] = DO_NOT_USE  # 1 of 1: the remaining votes are not valid
    single.groupdq[0, :, 0, 3] = SATURATED | DO_NOT_USE
    three.groupdq[:2, :, 0, 3] = SATURATED
    three.groupdq[1, 0, 0, 3] = 0  # not in all groups: 2 of 4
    single.groupdq[0, :, 1, 0] = DO_NOT_USE
    three.groupdq[:, :, 1, 0] = DO_NOT_USE
    # By exposure, (0, 1) would have 0 of 2 and (1, 1) 1 of 2.
    single.groupdq[0, :, 1, 1] = SATURATED
    single.pixeldq[2, 2] = REFERENCE_PIXEL
    single.groupdq[0, :, 2, 2] = SATURATED
    three.groupdq[:, :, 2, 2] = SATURATED
    types = dark_types([single.write(tmp_path, "single"), three.write(tmp_path, "three")], {})
    assert pixels(types["hot"]) == [(0, 0), (0, 2), (0, 3)]
    assert pixels(types["insufficient"]["hot"]) == [(1, 0)]

    types = dark_types([single.write(tmp_path, "1"), three.write(tmp_path, "3")], {"min_valid": 2})
    assert pixels(types["hot"]) == [(0, 0), (0, 3)]
    assert pixels(types["insufficient"]["hot"]) == [(0, 2), (1, 0)]


def test_reference_pixel_in_rateints_alone(tmp_path):
    dark = Dark()
    dark.groupdq[:] = SATURATED
    dark.dq[0, 1, 1] = REFERENCE_PIXEL
    types = dark_types([dark.write(tmp_path, "a")], {})
    assert types["hot"].sum() == 11 and not types["hot"][1, 1]
    assert not types["insufficient"]["low_pedestal"][1, 1]


def test_high_cr_by_exposure_and_by_integration(tmp_path):
    exposures = []
    for i in range(5):
        dark = Dark(n_integrations=2, n_groups=12)
        if i < 4:
            dark.groupdq[0, 1:11, 0, 0] = JUMP_DET  # 10 jumps in the first of two integrations, in 4 of 5 exposures
        if i < 3:
            dark.groupdq[:, 1:11, 0, 1] = JUMP_DET  # in both, in 3 of 5
        dark.groupdq[:, 1:10, 0, 2] = JUMP_DET  # 9 are too few
        if i < 4:
            dark.groupdq[:, 1:11, 0, 3] = JUMP_DET  # in both, in 4 of 5
        if i > 0:
            dark.groupdq[:, :, 1, 0] = DO_NOT_USE
        dark.groupdq[0, 1:11, 1, 0] |= JUMP_DET  # only the first exposure has a valid vote
        exposures.append(dark.write(tmp_path, f"dark{i}"))
    # Exposures: 4 / 5, 3 / 5, 0 / 5, 4 / 5, 1 / 1. Integrations: 4 / 10, 6 / 10, 0 / 10, 8 / 10, 1 / 2.
    assert pixels(dark_types(exposures, {})["high_cr"]) == [(0, 0), (0, 3), (1, 0)]
    assert pixels(dark_types(exposures, {"dark_vote_unit": "integration"})["high_cr"]) == [(0, 3)]
    types = dark_types(exposures, {"min_valid": 2})
    assert pixels(types["high_cr"]) == [(0, 0), (0, 3)]
    assert pixels(types["insufficient"]["high_cr"]) == [(1, 0)]


def rc_jumps(groupdq, **cfg):
    shape = groupdq.shape[1:]
    votes = votes_of_integration(np.zeros(shape), groupdq, np.ones(shape, dtype=bool), {**DEFAULTS, **cfg})
    return [both.ravel().tolist() for both in votes["rc_jumps"]]


def test_rc_jumps():
    # 40 groups: windows of 10 at either end.
    groupdq = np.zeros((40, 1, 8), dtype=np.uint8)
    groupdq[:10, 0, 0] = JUMP_DET
    groupdq[30:32, 0, 0] = JUMP_DET  # 10/10 over 2/10 = 5
    groupdq[:10, 0, 1] = JUMP_DET
    groupdq[30:33, 0, 1] = JUMP_DET  # 10/10 over 3/10 = 3.3
    groupdq[1:10, 0, 2] = JUMP_DET
    groupdq[10, 0, 2] = JUMP_DET  # 9/10 over 0/10, which counts as 1e-6
    groupdq[1:10, 0, 3] = JUMP_DET  # the same, but 9 jumps in all
    groupdq[10:30, 0, 4] = JUMP_DET  # 0/10 over 0/10
    groupdq[:10, 0, 5] = SATURATED | JUMP_DET  # nothing early
    groupdq[:8, 0, 6] = JUMP_DET
    groupdq[8:10, 0, 6] = DO_NOT_USE
    groupdq[30:32, 0, 6] = JUMP_DET  # 8/8 over 2/10 = 5: by group that could hold a jump
    groupdq[:10, 0, 7] = JUMP_DET
    groupdq[30:, 0, 7] = SATURATED  # nothing late
    valid, yes = rc_jumps(groupdq)
    assert valid == [True] * 5 + [False, True, False]
    assert yes[:5] + yes[6:7] == [True, False, True, False, False, True]


def test_rc_jumps_at_exactly_the_threshold():
    # 20 groups: windows of 5. 3/5 over 1/5 is 3, though 2.9999999999999996 in floating point.
    groupdq = np.zeros((20, 1, 1), dtype=np.uint8)
    groupdq[[0, 1, 2, 19]] = JUMP_DET
    assert rc_jumps(groupdq, max_jump_limit=4, jump_ratio_threshold=3) == [[True], [True]]
    assert rc_jumps(groupdq, max_jump_limit=4, jump_ratio_threshold=3.01) == [[True], [False]]


@pytest.mark.parametrize(
    ("n_groups", "fraction", "too_short"),
    [
        (3, 0.5, True),  # fewer than four groups
        (4, 0.25, False),  # windows of a single group
        (9, 0.1, True),  # windows of none
        (100, 0.29, False),  # 28.999999999999996 groups are 29
    ],
)
def test_jump_tests_are_not_valid_on_short_ramps(n_groups, fraction, too_short):
    groupdq = np.zeros((n_groups, 1, 1), dtype=np.uint8)
    groupdq[:29] = JUMP_DET
    cfg = {"early_cutoff_fraction": fraction, "max_jump_limit": 1, "jump_ratio_threshold": 1}
    valid, yes = rc_jumps(groupdq, **cfg)
    assert valid == [not too_short] and yes == [not too_short]


def noisy_darks(folder):
    """Six darks whose slopes are +s and -s in turn, thus of std s: 1 in half of the rows, 3 in the rest."""
    exposures = []
    for i in range(6):
        dark = Dark(shape=(10, 10))
        dark.slope[:] = 1
        dark.slope[:, ::2] = 3
        dark.slope[0, 0, 0] = 6.5
        dark.slope[0, 1, 1] = 7.5
        if i % 2:
            dark.slope *= -1
        if i >= 4:
            dark.groupdq[0, 3, 5, 5] = JUMP_DET
            dark.dq[0, 6, 6] = DO_NOT_USE
        if i == 5:
            # A jump leaves five clean slopes, without the outlier.
            dark.groupdq[0, 3, 7, 7] = JUMP_DET
            dark.slope[0, 7, 7] = 1000
        exposures.append(dark.write(folder, f"dark{i}"))
    return exposures


def test_noisy(tmp_path):
    # Clipped at 3 sigma about the median (3, or 1) the stds 6.5 and 7.5 leave about as many 1 as 3: mean 2, std 1, and
    # the limit is 7. (7, 7) has s = 1 from three +1 and two -1: sqrt(1 - 0.2^2) = 0.98, which moves that by 0.0002.
    types = dark_types(noisy_darks(tmp_path), {"dark_stdev_clipping_sigma": 3})
    assert pixels(types["noisy"]) == [(1, 1)]
    assert pixels(types["insufficient"]["noisy"]) == [(5, 5), (6, 6)]  # four clean slopes


def test_noisy_unclipped(tmp_path):
    # 98 stds, mean (48 x 1 + 48 x 3 + 14) / 98 = 2.102. Without clipping, variance about 2 is
    # (96 + 4.5^2 + 5.5^2) / 98 = 1.495, std 1.22: the limit is 8.2 and nothing is noisy.
    exposures = noisy_darks(tmp_path)
    assert not dark_types(exposures, {"dark_stdev_clipping_sigma": 100})["noisy"].any()
    # Three standard deviations: 5.8.
    cfg = {"dark_stdev_clipping_sigma": 100, "dark_noisy_threshold": 3, "min_clean_slopes": 4}
    types = dark_types(exposures, cfg)
    assert pixels(types["noisy"]) == [(0, 0), (1, 1)]
    assert not types["insufficient"]["noisy"].any()
