"""The plain evaluation that the workflow's masks are compared with, on arrays small enough to be done by hand."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from astropy.io import fits

from oracle import combine, dark_types, decide, flat_types
from oracle.darks import ballots_of_integration, pedestal_at_t0
from oracle.flats import clipped_mean_image, normalise, signal_of_last_groups
from oracle.vote import DEFAULTS

DO_NOT_USE = 1
SATURATED = 2
JUMP_DET = 4
REFERENCE_PIXEL = 2**31

# The effective time of group g is 10 g + 2 (1 + (4 + 1) / 2) = 10 g + 7 seconds.
TIMING = {"NFRAMES": 4, "GROUPGAP": 0, "TFRAME": 2.0, "TGROUP": 10.0, "DRPFRMS1": 1}


def write(path, header, **extensions):
    hdus = [fits.PrimaryHDU()]
    hdus[0].header.update(header)
    hdus += [fits.ImageHDU(data, name=name) for name, data in extensions.items()]
    fits.HDUList(hdus).writeto(path)
    return path


class Dark:
    """One exposure: a ramp that starts at `pedestal` and rises by `slope`, with no flags until they are set."""

    def __init__(self, n_integrations=1, n_groups=8, shape=(3, 4)):
        self.slope = np.zeros((n_integrations, *shape), dtype=np.float32)
        self.pedestal = np.zeros((n_integrations, *shape), dtype=np.float32)
        self.dq = np.zeros((n_integrations, *shape), dtype=np.uint32)
        self.groupdq = np.zeros((n_integrations, n_groups, *shape), dtype=np.uint8)
        self.pixeldq = np.zeros(shape, dtype=np.uint32)

    def write(self, folder, name, fitopt_pedestal=0):
        times = 10 * np.arange(self.groupdq.shape[1]) + 7
        ramp = self.pedestal[:, None] + self.slope[:, None] * times[:, None, None]
        return {
            "rateints": write(folder / f"{name}_rateints.fits", {}, SCI=self.slope, DQ=self.dq),
            "jump": write(
                folder / f"{name}_jump.fits",
                TIMING,
                SCI=ramp.astype(np.float32),
                GROUPDQ=self.groupdq,
                PIXELDQ=self.pixeldq,
            ),
            "fitopt": write(folder / f"{name}_fitopt.fits", {}, PEDESTAL=np.full_like(self.pedestal, fitopt_pedestal)),
        }


def write_flat(folder, name, rate, dq=None, header=None, uncal=None):
    rate = np.asarray(rate, dtype=np.float32)
    dq = np.zeros(rate.shape, dtype=np.uint32) if dq is None else dq
    exposure = {"rateints": write(folder / f"{name}_rateints.fits", header or {}, SCI=rate, DQ=dq)}
    if uncal is not None:
        exposure["uncal"] = write(folder / f"{name}_uncal.fits", {}, SCI=np.asarray(uncal, dtype=np.uint16))
    return exposure


def pixels(image):
    return [(int(y), int(x)) for y, x in np.argwhere(image)]


# The vote


@pytest.mark.parametrize(
    ("fraction", "n_valid", "needed"),
    [
        (0.5, 1, 1),  # 0.5 -> 1
        (0.5, 4, 2),  # half is enough
        (0.5, 5, 3),  # 2.5 -> 3
        (0.8, 5, 4),
        (0.8, 8, 7),  # 6.4 -> 7
        (0.55, 100, 55),  # 55.00000000000001 in floating point: still 55
        (0.0, 5, 1),  # one yes is always needed
        (1.0, 5, 5),
    ],
)
def test_decide(fraction, n_valid, needed):
    assert not decide(needed - 1, n_valid, fraction, 1)
    assert decide(needed, n_valid, fraction, 1)
    assert decide(needed + 1, n_valid, fraction, 1)


def test_decide_is_exact_for_every_percentage():
    for percent in range(1, 101):
        for n in range(1, 121):
            needed = ceil(Fraction(percent, 100) * n)
            assert decide(np.array([needed - 1, needed]), n, percent / 100, 1).tolist() == [False, True]


def test_decide_needs_enough_valid_ballots():
    assert decide([0, 1, 2, 3], [0, 1, 2, 3], 0.5, 3).tolist() == [False, False, False, True]


# Darks


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
    # The reference pixels would spoil mean and std, if they took part.
    dark.pedestal[:, dark.pixeldq != 0] = 1e6
    return dark


def test_pedestal_beyond_five_sigma(tmp_path):
    dark = checkered_dark()
    # Two pixels on either side leave 96 at 100 +- 1. All 100: variance (96 + 2 x 4.5^2 + 2 x 5.5^2) / 100 = 1.97, so
    # 3 sigma are 4.2 and all four are clipped. Survivors: mean 100, std 1, limits 95 and 105.
    # They replace two of 99 and two of 101, so that the mean stays where it is.
    dark.pedestal[0, 2, 2] = 105.5
    dark.pedestal[0, 2, 3] = 104.5
    dark.pedestal[0, 4, 4] = 94.5
    dark.pedestal[0, 4, 5] = 95.5
    exposure = dark.write(tmp_path, "a")
    types = dark_types([exposure], {})
    assert pixels(types["rc"]) == [(2, 2)]
    assert pixels(types["low_pedestal"]) == [(4, 4)]

    # A limit of 4 sigma takes in the others.
    types = dark_types([exposure], {"pedestal_sigma_threshold": 4})
    assert pixels(types["rc"]) == [(2, 2), (2, 3)]
    assert pixels(types["low_pedestal"]) == [(4, 4), (4, 5)]

    # The pedestals of fitopt are all 0.
    types = dark_types([exposure], {"pedestal_source": "fitopt"})
    assert not types["rc"].any() and not types["low_pedestal"].any()


def test_pedestal_abstains(tmp_path):
    dark = checkered_dark()
    dark.pedestal[0, 2, 2:5] = 200
    dark.dq[0, 2, 2] = DO_NOT_USE
    dark.slope[0, 2, 3] = np.nan
    dark.groupdq[0, 0, 2, 4] = SATURATED
    types = dark_types([dark.write(tmp_path, "a")], {})
    assert not types["rc"].any()
    assert pixels(types["insufficient"]["low_pedestal"]) == [(2, 2), (2, 3), (2, 4)]
    # rc still has the vote of the jumps.
    assert not types["insufficient"]["rc"].any()


def test_insufficient_for_rc_takes_both_votes(tmp_path):
    dark = Dark()
    dark.dq[0, 0, :2] = DO_NOT_USE
    dark.groupdq[0, :, 0, 1:3] = DO_NOT_USE
    types = dark_types([dark.write(tmp_path, "a")], {})
    # (0, 0) has jumps to count, (0, 2) a slope but no group to start from, thus no pedestal at t0.
    assert pixels(types["insufficient"]["rc"]) == [(0, 1), (0, 2)]
    assert pixels(types["insufficient"]["high_cr"]) == [(0, 1), (0, 2)]


def test_saturated_votes_by_integration(tmp_path):
    one, three = Dark(), Dark(n_integrations=3)
    one.groupdq[0, :, 0, 0] = SATURATED
    three.groupdq[0, :, 0, 0] = SATURATED  # 2 of 4 integrations
    three.groupdq[0, :, 0, 1] = SATURATED  # 1 of 4
    one.groupdq[0, :, 0, 2] = SATURATED
    three.groupdq[:, :, 0, 2] = DO_NOT_USE  # 1 of 1: the others abstain
    one.groupdq[0, :, 0, 3] = SATURATED | DO_NOT_USE
    three.groupdq[:2, :, 0, 3] = SATURATED
    three.groupdq[1, 0, 0, 3] = 0  # not in all groups: 2 of 4
    one.groupdq[0, :, 1, 0] = DO_NOT_USE
    three.groupdq[:, :, 1, 0] = DO_NOT_USE
    # By exposure, (0, 1) would have 0 of 2 and (1, 1) 1 of 2.
    one.groupdq[0, :, 1, 1] = SATURATED
    one.pixeldq[2, 2] = REFERENCE_PIXEL
    one.groupdq[0, :, 2, 2] = SATURATED
    three.groupdq[:, :, 2, 2] = SATURATED
    types = dark_types([one.write(tmp_path, "one"), three.write(tmp_path, "three")], {})
    assert pixels(types["hot"]) == [(0, 0), (0, 2), (0, 3)]
    assert pixels(types["insufficient"]["hot"]) == [(1, 0)]

    types = dark_types([one.write(tmp_path, "1"), three.write(tmp_path, "3")], {"min_valid": 2})
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
            dark.groupdq[0, 1:11, 0, 0] = JUMP_DET  # 10 jumps in one of two integrations, in 4 of 5 exposures
        if i < 3:
            dark.groupdq[:, 1:11, 0, 1] = JUMP_DET  # in both, in 3 of 5
        dark.groupdq[:, 1:10, 0, 2] = JUMP_DET  # 9 are too few
        if i < 4:
            dark.groupdq[:, 1:11, 0, 3] = JUMP_DET  # in both, in 4 of 5
        if i > 0:
            dark.groupdq[:, :, 1, 0] = DO_NOT_USE
        dark.groupdq[0, 1:11, 1, 0] |= JUMP_DET  # only the first exposure can be judged, and only it counts
        exposures.append(dark.write(tmp_path, f"dark{i}"))
    # Exposures: 4 / 5, 3 / 5, 0 / 5, 4 / 5, 1 / 1. Integrations: 4 / 10, 6 / 10, 0 / 10, 8 / 10, 1 / 2.
    assert pixels(dark_types(exposures, {})["high_cr"]) == [(0, 0), (0, 3), (1, 0)]
    assert pixels(dark_types(exposures, {"ballot": "integration"})["high_cr"]) == [(0, 3)]
    types = dark_types(exposures, {"min_valid": 2})
    assert pixels(types["high_cr"]) == [(0, 0), (0, 3)]
    assert pixels(types["insufficient"]["high_cr"]) == [(1, 0)]


def rc_jumps(groupdq, **cfg):
    shape = groupdq.shape[1:]
    ballots = ballots_of_integration(np.zeros(shape), groupdq, np.ones(shape, dtype=bool), {**DEFAULTS, **cfg})
    return [both.ravel().tolist() for both in ballots["rc_jumps"]]


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
    ("n_groups", "fraction", "abstains"),
    [
        (3, 0.5, True),  # fewer than four groups
        (4, 0.25, False),  # windows of one group
        (9, 0.1, True),  # windows of none
        (100, 0.29, False),  # 28.999999999999996 groups are 29
    ],
)
def test_jump_tests_abstain_on_short_ramps(n_groups, fraction, abstains):
    groupdq = np.zeros((n_groups, 1, 1), dtype=np.uint8)
    groupdq[:29] = JUMP_DET
    cfg = {"early_cutoff_fraction": fraction, "max_jump_limit": 1, "jump_ratio_threshold": 1}
    valid, yes = rc_jumps(groupdq, **cfg)
    assert valid == [not abstains] and yes == [not abstains]


def noisy_darks(folder):
    """Six darks whose slopes are +s and -s in turn, thus of std s: 1 in one half of the rows, 3 in the other."""
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
            # One jump leaves five clean slopes and keeps the outlier away from them.
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


# Flats


def test_mean_of_flats_clips_along_the_stack(tmp_path):
    # Two exposures of six integrations: 10 eleven times, and 1000 once in (0, 0). Mean 92.5, std 990 sqrt(11) / 12 =
    # 274, so 1000 lies more than 3 std from the median, 10.
    first, second = np.full((6, 2, 3), 10.0), np.full((6, 2, 3), 10.0)
    second[5, 0, 0] = 1000
    # (0, 1): NaN abstains, and 16 in the other half: 16
    first[:, 0, 1] = np.nan
    second[:, 0, 1] = 16
    # (0, 2): DO_NOT_USE abstains: 10
    dq = np.zeros((6, 2, 3), dtype=np.uint32)
    first[:, 0, 2] = 77
    dq[:, 0, 2] = DO_NOT_USE
    # (1, 0): 4 and 10 in halves, nothing to clip: 7
    first[:, 1, 0] = 4
    # (1, 1): nothing at all; (1, 2): a reference pixel
    first[:, 1, 1] = second[:, 1, 1] = np.nan
    dq[:, 1, 2] = REFERENCE_PIXEL
    exposures = [write_flat(tmp_path, "a", first, dq), write_flat(tmp_path, "b", second)]
    types = flat_types(exposures, {"flat_mean_normalization_method": "none"})
    np.testing.assert_array_equal(types["norm"], [[10, 16, 10], [7, np.nan, np.nan]])
    for name in ("DEAD", "LOW_QE", "OPEN", "ADJ_OPEN"):
        assert pixels(types["insufficient"][name]) == [(1, 1)]
        assert not types[name].any()

    # With 5 sigma instead, 1000 survives: std 274 and 1000 is 3.6 std away from 10. (11 x 10 + 1000) / 12 = 92.5
    cfg = {"flat_mean_normalization_method": "none", "flat_mean_sigma_threshold": 5}
    assert flat_types(exposures, cfg)["norm"][0, 0] == 92.5


def test_reference_pixels_do_not_enter_the_mean_image():
    science = np.array([[True, False]])
    image = clipped_mean_image([np.array([[1.0, 1.0]])], science, DEFAULTS)
    np.testing.assert_array_equal(image, [[1, np.nan]])


def test_normalise_by_box():
    mean_image = np.full((7, 7), 2.0)
    mean_image[3, 3] = 0.2
    mean_image[0, 0] = 1.1
    mean_image[5, 5] = np.nan
    science = np.ones((7, 7), dtype=bool)
    norm = normalise(mean_image, science, {**DEFAULTS, "smoothing_box_width": 3})
    assert norm[3, 3] == pytest.approx(0.2 / ((8 * 2 + 0.2) / 9))
    # In the corner five of nine pixels lie outside and count as the median, 2.
    assert norm[0, 0] == pytest.approx(1.1 / ((8 * 2 + 1.1) / 9))
    assert norm[0, 1] == pytest.approx(2 / ((8 * 2 + 1.1) / 9))
    # Beside the NaN, the mean is over the eight others.
    assert norm[4, 4] == pytest.approx(2 / ((7 * 2 + 0.2) / 8))
    assert norm[6, 5] == pytest.approx(1)
    assert np.isnan(norm[5, 5])


def test_normalise_by_box_fills_the_outside_with_the_median_of_science():
    # Science is 1, 2, 6: median 2. The reference pixel is NaN in the mean image and interpolated.
    mean_image = np.array([[1.0, 2.0, 6.0, np.nan]])
    science = np.array([[True, True, True, False]])
    norm = normalise(mean_image, science, {**DEFAULTS, "smoothing_box_width": 3})
    # Rows above and below are 2. 1: (1 + 2 + 7 x 2) / 9; 2: (9 + 6 x 2) / 9; 6: (8 + 6 x 2) / 8, one being NaN
    np.testing.assert_allclose(norm[0, :3], [1 / (17 / 9), 2 / (21 / 9), 6 / (20 / 8)])


def test_normalise_by_median():
    mean_image = np.full((5, 5), 4.0)
    mean_image[2, 2] = 1.0
    mean_image[0, :] = 8.0
    mean_image[4, 4] = np.nan
    cfg = {**DEFAULTS, "smoothing_type": "Median", "smoothing_box_width": 3}
    norm = normalise(mean_image, np.ones((5, 5), dtype=bool), cfg)
    assert norm[2, 2] == 0.25
    # (0, 2): three outside (4), three of 8, three of 4: median 4.
    assert norm[0, 2] == 2
    assert np.isnan(norm[4, 4])


def test_normalise_by_mean():
    # 19 of 2 and one of 40: mean 3.9, std 38 sqrt(19) / 20 = 8.3, so 40 is clipped and the mean is 2.
    mean_image = np.full((1, 21), 2.0)
    mean_image[0, 0] = 40
    mean_image[0, 20] = np.nan
    science = np.ones((1, 21), dtype=bool)
    science[0, 20] = False
    norm = normalise(mean_image, science, {**DEFAULTS, "flat_mean_normalization_method": "mean"})
    np.testing.assert_array_equal(norm[0], [20] + [1] * 19 + [np.nan])


# No normalisation, so that the rates are what the limits are compared with.
PLAIN = {"flat_mean_normalization_method": "none"}


def test_dead_by_sigma(tmp_path):
    # 98 pixels at 100 +- 1, one 94.5 and one 95.5. Clipping at 3 sigma (all: std about 1.2) removes both: mean 100,
    # std 1 and the limit is 95.
    rate = np.full((1, 10, 10), 99.0)
    rate[0, ::2] = 101
    rate[0, 0, 0] = 94.5
    rate[0, 1, 1] = 95.5
    exposures = [write_flat(tmp_path, "a", rate)]
    assert pixels(flat_types(exposures, PLAIN)["DEAD"]) == [(0, 0)]
    assert pixels(flat_types(exposures, {**PLAIN, "dead_sigma_threshold": 4})["DEAD"]) == [(0, 0), (1, 1)]
    assert not flat_types(exposures, {**PLAIN, "dead_search": False})["DEAD"].any()


def test_dead_by_absolute_rate(tmp_path):
    rate = [[[0.04, 0.0625, 0.25, 1.0, 24.0, 26.0, -1.0]]]
    absolute = {**PLAIN, "dead_search_type": "absolute_rate"}
    miri = [write_flat(tmp_path, "a", rate, header={"DETECTOR": "MIRIMAGE"})]
    assert flat_types(miri, absolute)["DEAD"].tolist() == [[True, False, False, False, False, False, True]]
    # The limit itself is not dead: it is exactly representable.
    given = flat_types(miri, {**absolute, "max_dead_norm_signal": 0.25})
    assert given["DEAD"].tolist() == [[True, True, False, False, False, False, True]]
    assert given["LOW_QE"].tolist() == [[False, False, True, False, False, False, False]]
    # NIRCam, not normalised: 25 DN/s for A1. Normalised: as any other.
    nircam = [write_flat(tmp_path, "b", rate, header={"DETECTOR": "NRCA1"})]
    assert flat_types(nircam, absolute)["DEAD"].tolist() == [[True, True, True, True, True, False, True]]
    normalised = flat_types(nircam, {**absolute, "flat_mean_normalization_method": "mean"})
    assert not normalised["DEAD"][0, 4]


def test_dead_searches_are_ored(tmp_path):
    rate = np.full((1, 10, 10), 99.0)
    rate[0, ::2] = 101
    rate[0, 0, 0] = 50
    exposures = [write_flat(tmp_path, "a", rate)]
    cfg = {**PLAIN, "max_dead_norm_signal": 100, "dead_search_type": ["sigma_rate", "absolute_rate"]}
    assert flat_types(exposures, cfg)["DEAD"].sum() == 51  # five rows of 99, and 50
    assert flat_types(exposures, {**cfg, "dead_search_type": ["sigma_rate"]})["DEAD"].sum() == 1
    # Below 100 - 100 x 1 = 0 lies nothing.
    assert not flat_types(exposures, {**cfg, "dead_search_type": "sigma_rate", "dead_sigma_threshold": 100})[
        "DEAD"
    ].any()
    cfg["dead_sigma_threshold"] = 100
    assert flat_types(exposures, cfg)["DEAD"].sum() == 51


def test_flux_check_reads_the_last_four_groups(tmp_path):
    # Three pixels of rate 0, and ramps of six groups: the mean of the last four is 2.5 times 100, 200 and 300.
    ramp = np.array([9000, 9000, 1, 2, 3, 4])[:, None, None] * np.array([[1, 1, 1, 1]])
    ramp[2:] *= np.array([[100, 200, 300, 0]])
    flat = np.array([[[0, 0, 0, 1.0]]])
    exposures = [
        write_flat(tmp_path, "a", flat, uncal=ramp[None]),
        write_flat(tmp_path, "b", np.repeat(flat, 3, axis=0), uncal=[ramp, ramp, 3 * ramp]),
    ]
    # One of the four integrations is three times brighter: (1 + 1 + 1 + 3) / 4 = 1.5 times 250, 500 and 750.
    assert signal_of_last_groups(exposures).tolist() == [[375, 750, 1125, 0]]
    cfg = {**PLAIN, "dead_search_type": "absolute_rate", "flux_check": 750}
    assert pixels(flat_types(exposures, cfg)["DEAD"]) == [(0, 0), (0, 1), (0, 2)]
    assert pixels(flat_types(exposures, {**cfg, "run_dead_flux_check": True})["DEAD"]) == [(0, 0)]


def test_low_qe_open_and_adjacent(tmp_path):
    rate = np.full((1, 9, 9), 1.2)
    rate[0, 2, 2] = 0.3  # OPEN: all four neighbours are bright
    rate[0, 0, 8] = 0.3  # OPEN: a corner has two neighbours
    rate[0, 5, 2] = rate[0, 5, 3] = 0.3  # LOW_QE both: each is a dim neighbour of the other
    rate[0, 2, 6] = 0.3  # LOW_QE: one neighbour is not bright enough
    rate[0, 2, 7] = 1.0
    rate[0, 5, 6] = rate[0, 6, 7] = 0.3  # OPEN both, as they meet at a corner only
    rate[0, 7, 1] = 0.01  # below max_dead_norm_signal: neither
    rate[0, 8, 8] = 0.3  # LOW_QE: a corner with a NaN beside it has one neighbour
    rate[0, 7, 8] = np.nan
    types = flat_types([write_flat(tmp_path, "a", rate)], PLAIN)
    assert pixels(types["OPEN"]) == [(0, 8), (2, 2), (5, 6), (6, 7)]
    assert pixels(types["LOW_QE"]) == [(2, 6), (5, 2), (5, 3), (8, 8)]
    around = {(0, 7), (1, 7), (1, 8)}
    around |= {(y, x) for y in (1, 2, 3) for x in (1, 2, 3)} - {(2, 2)}
    # Two blocks of 3 x 3 that overlap; of (7, 8) nothing is known but that an OPEN pixel lies beside it.
    around |= {(y, x) for y in (4, 5, 6) for x in (5, 6, 7)} | {(y, x) for y in (5, 6, 7) for x in (6, 7, 8)}
    assert set(pixels(types["ADJ_OPEN"])) == around - {(5, 6), (6, 7)}

    types = flat_types([write_flat(tmp_path, "b", rate)], {**PLAIN, "low_qe_and_open_search": False})
    assert not any(types[name].any() for name in ("LOW_QE", "OPEN", "ADJ_OPEN"))


def test_open_beside_reference_pixels(tmp_path):
    # Reference pixels are no neighbours, whatever their rate, and never ADJ_OPEN.
    rate = np.full((1, 4, 4), 1.2)
    rate[0, :, 0] = 0.0
    rate[0, 1, 1] = 0.3
    dq = np.zeros((1, 4, 4), dtype=np.uint32)
    dq[0, :, 0] = REFERENCE_PIXEL
    types = flat_types([write_flat(tmp_path, "a", rate, dq)], PLAIN)
    assert pixels(types["OPEN"]) == [(1, 1)]
    assert pixels(types["ADJ_OPEN"]) == [(0, 1), (0, 2), (1, 2), (2, 1), (2, 2)]
    # Nor DEAD. Of the science pixels, all but one are 1.2: their std is 0, and the one is DEAD by sigma_rate.
    assert pixels(types["DEAD"]) == [(1, 1)]


def test_limits_of_low_qe_and_open(tmp_path):
    # Limits that floats hold exactly: 0.25 <= norm < 0.5, neighbours > 1.0
    cfg = {**PLAIN, "max_dead_norm_signal": 0.25, "max_open_adj_norm_signal": 1.0}
    rate = np.full((1, 3, 9), 1.25)
    rate[0, 1, 1] = 0.25
    rate[0, 1, 4] = 0.5
    rate[0, 1, 7] = 0.375
    rate[0, 0, 7] = 1.0
    types = flat_types([write_flat(tmp_path, "a", rate)], cfg)
    assert pixels(types["OPEN"]) == [(1, 1)]
    assert pixels(types["LOW_QE"]) == [(1, 7)]


def test_a_pixel_can_be_dead_and_open(tmp_path):
    # 99 pixels of 1.2 and one of 0.3: the survivors' std is 0, so 0.3 is DEAD by sigma_rate; and it is OPEN.
    rate = np.full((1, 10, 10), 1.25)
    rate[0, 4, 4] = 0.375
    types = flat_types([write_flat(tmp_path, "a", rate)], PLAIN)
    assert pixels(types["DEAD"]) == pixels(types["OPEN"]) == [(4, 4)]


# The flags


def test_combine():
    names = ("hot", "rc", "low_pedestal", "high_cr", "noisy", "DEAD", "LOW_QE", "OPEN", "ADJ_OPEN")
    # Pixel i is of type i alone; the last two are HOT and DEAD, and a reference pixel.
    types = {name: np.arange(11)[None] == i for i, name in enumerate(names)}
    types["hot"][0, 9] = types["DEAD"][0, 9] = True
    reference = np.arange(11)[None] == 10
    dq = combine(types, {}, reference)
    assert dq.dtype == np.uint32
    expected = [2049, 16385, 2**30 + 1, 32769, 32769, 1024, 8192, 2**26, 2**27, 2049, 2**31]
    assert dq[0].tolist() == expected

    # DO_NOT_USE for some others. HOT without it does not keep what DEAD would have brought.
    cfg = {"dark_do_not_use": ["rc"], "flat_do_not_use": ["DEAD", "OPEN"]}
    expected = [2048, 16385, 2**30, 32768, 32768, 1025, 8192, 2**26 + 1, 2**27, 2048, 2**31]
    assert combine(types, cfg, reference)[0].tolist() == expected

    # A flag of its own for noisy, which then needs its own DO_NOT_USE.
    cfg = {"flag_values": {**DEFAULTS["flag_values"], "noisy": ["OTHER_BAD_PIXEL", "WARM"]}}
    assert combine(types, cfg, reference)[0, 4] == 2**30 + 4096
    cfg["dark_do_not_use"] = ["noisy"]
    assert combine(types, cfg, reference)[0, 3:5].tolist() == [32768, 2**30 + 4096 + 1]


def test_combine_hot_and_dead_and_more():
    # A pixel that is HOT, DEAD and OPEN: DO_NOT_USE from OPEN stays.
    yes = np.ones((1, 1), dtype=bool)
    cfg = {"dark_do_not_use": [], "flat_do_not_use": ["DEAD", "OPEN"]}
    assert combine({"hot": yes, "DEAD": yes, "OPEN": yes}, cfg, ~yes)[0, 0] == 2048 + 2**26 + 1
    # What counts is the flag, not the type's name.
    cfg["flag_values"] = {"hot": ["OTHER_BAD_PIXEL"]}
    assert combine({"hot": yes, "DEAD": yes}, cfg, ~yes)[0, 0] == 2**30 + 1024 + 1


def test_combine_with_darks_or_flats_alone():
    image = np.array([[True, False]])
    assert combine({"hot": image}, {}, ~image)[0].tolist() == [2049, 2**31]
    assert combine({"LOW_QE": image}, {}, ~image)[0].tolist() == [8192, 2**31]
