"""The independent evaluation that masks are compared with: the types of flats, on arrays worked out by hand."""

import numpy as np
import pytest

from oracle import flat_types
from oracle.flats import clipped_mean_image, normalise, signal_of_last_groups
from oracle.vote import DEFAULTS
from unit.oracle.exposures import DO_NOT_USE, REFERENCE_PIXEL, pixels, write_flat


def test_mean_of_flats_clips_along_the_stack(tmp_path):
    # Two exposures of six integrations: 10 eleven times, and 1000 once in (0, 0). Mean 92.5, std 990 sqrt(11) / 12 =
    # 274, so 1000 lies more than 3 std from the median, 10.
    first, second = np.full((6, 2, 3), 10.0), np.full((6, 2, 3), 10.0)
    second[5, 0, 0] = 1000
    # (0, 1): NaN is ignored, and 16 in the other half: 16
    first[:, 0, 1] = np.nan
    second[:, 0, 1] = 16
    # (0, 2): DO_NOT_USE is ignored: 10
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
    # Rows above and below are 2. 1: (1 + 2 + 7 x 2) / 9; 2: (9 + 6 x 2) / 9; 6: (8 + 6 x 2) / 8, a NaN left out
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
    # 19 of 2 and a 40: mean 3.9, std 38 sqrt(19) / 20 = 8.3, so 40 is clipped and the mean is 2.
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
    # 98 pixels at 100 +- 1, a 94.5 and a 95.5. Clipping at 3 sigma (all: std about 1.2) removes both: mean 100,
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
    # NIRCam, not normalised: 25 DN/s for A1. Normalised: the limit of all detectors.
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
    # The last of the four integrations is three times brighter: (1 + 1 + 1 + 3) / 4 = 1.5 times 250, 500 and 750.
    assert signal_of_last_groups(exposures).tolist() == [[375, 750, 1125, 0]]
    cfg = {**PLAIN, "dead_search_type": "absolute_rate", "flux_check": 750}
    assert pixels(flat_types(exposures, cfg)["DEAD"]) == [(0, 0), (0, 1), (0, 2)]
    assert pixels(flat_types(exposures, {**cfg, "run_dead_flux_check": True})["DEAD"]) == [(0, 0)]


def test_low_qe_open_and_adjacent(tmp_path):
    rate = np.full((1, 9, 9), 1.2)
    rate[0, 2, 2] = 0.3  # OPEN: all four neighbours are bright
    rate[0, 0, 8] = 0.3  # OPEN: a corner has two neighbours
    rate[0, 5, 2] = rate[0, 5, 3] = 0.3  # LOW_QE both: each is a dim neighbour
    rate[0, 2, 6] = 0.3  # LOW_QE: a neighbour is not bright enough
    rate[0, 2, 7] = 1.0
    rate[0, 5, 6] = rate[0, 6, 7] = 0.3  # OPEN both, as they meet at a corner only
    rate[0, 7, 1] = 0.01  # below max_dead_norm_signal: neither
    rate[0, 8, 8] = 0.3  # LOW_QE: a corner with a NaN beside it has a single neighbour
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
    # Nor DEAD. Of the science pixels, all but (1, 1) are 1.2: their std is 0, so (1, 1) is DEAD by sigma_rate.
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
    # 99 pixels of 1.25 and a pixel of 0.375: the survivors' std is 0, so 0.375 is DEAD by sigma_rate; and it is OPEN.
    rate = np.full((1, 10, 10), 1.25)
    rate[0, 4, 4] = 0.375
    types = flat_types([write_flat(tmp_path, "a", rate)], PLAIN)
    assert pixels(types["DEAD"]) == pixels(types["OPEN"]) == [(4, 4)]
