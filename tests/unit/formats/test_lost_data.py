"""Lost data in files with valid headers are found; dead or saturated parts of a detector are not lost data."""

import numpy as np
import pytest
from astropy.io import fits

from badpix.core.errors import BadExposure
from badpix.formats.lost_data import RUN_PIXELS, check_image, check_ramps, check_raw, check_variances
from badpix.instrument.dq import PIXEL_FLAGS

SHAPE = (2, 5, 100, 48)  # rows are not a multiple of a run
ALL = np.ones(SHAPE[2:], dtype=bool)


@pytest.fixture
def noise():
    return np.random.default_rng(1)


def stored(array, path):
    """The image as it comes from a file, where raw numbers are scaled."""
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(array, name="SCI")]).writeto(path)
    return fits.open(path)["SCI"]


@pytest.fixture
def raw(noise):
    return noise.integers(9000, 60000, SHAPE, dtype=np.uint16)


def test_complete_raw_data_pass(raw, tmp_path):
    check_raw(stored(raw, tmp_path / "a.fits"))


@pytest.mark.parametrize("value", [0, 32768])
def test_a_run_is_lost_only_if_all_of_it_is(raw, tmp_path, value):
    # Every run of this group begins and ends with the value; the first run differs only in its middle pixel.
    flat = raw[1, 3].reshape(-1)
    flat[:RUN_PIXELS] = value
    flat[RUN_PIXELS // 2] = value + 1
    flat[RUN_PIXELS::RUN_PIXELS] = flat[RUN_PIXELS - 1 :: RUN_PIXELS] = value
    check_raw(stored(raw, tmp_path / "a.fits"))


@pytest.mark.parametrize("value", [0, 32768])
@pytest.mark.parametrize("first", [0, 1, 63, 1000, 4800 - 256])
def test_a_lost_sector_is_found_wherever_it_lies(raw, tmp_path, value, first):
    raw[1, 3].reshape(-1)[first : first + 256] = value
    with pytest.raises(BadExposure, match=r"of SCI of the uncal file has no data .* integration 2, group 4$"):
        check_raw(stored(raw, tmp_path / "a.fits"))


def test_groups_are_counted_from_the_first_of_the_file(raw, tmp_path):
    raw[0, 3] = 0
    with pytest.raises(BadExposure, match="integration 1, group 4$"):
        check_raw(stored(raw, tmp_path / "a.fits"), slice(-4, None))
    raw[0, 3], raw[0, 0] = 5, 0
    check_raw(stored(raw, tmp_path / "b.fits"), slice(-4, None))


def test_zero_in_every_group_is_dead_not_lost(raw, tmp_path):
    raw[:, :, 10:20] = 0
    check_raw(stored(raw, tmp_path / "a.fits"))
    raw[...] = 0
    with pytest.raises(BadExposure, match=r"^100\.00% of SCI"):
        check_raw(stored(raw, tmp_path / "b.fits"))


@pytest.mark.parametrize("value", [65535, 12000])
def test_regions_of_equal_values_are_not_lost(raw, tmp_path, value):
    raw[1, 3, :50] = value
    check_raw(stored(raw, tmp_path / "a.fits"))


def test_lost_ramps(noise):
    sci, groupdq = noise.normal(size=SHAPE[1:]), np.zeros(SHAPE[1:], np.uint8)
    check_ramps(sci, groupdq, ALL, 0, 0)
    sci[2, 8:12] = 0
    with pytest.raises(BadExposure, match=r"integration 2, group 3, from row 3[0-9] on$"):
        check_ramps(sci, groupdq, ALL, 1, 25)
    for flag in ("SATURATED", "DO_NOT_USE"):
        check_ramps(sci, np.full_like(groupdq, PIXEL_FLAGS[flag]), ALL, 1, 25)
    check_ramps(sci, groupdq, ~ALL, 1, 25)


def test_images_without_values_or_with_lost_values(noise):
    image = noise.normal(size=ALL.shape).astype(np.float32)
    image[3, 3] = np.nan
    check_image(image, ALL, "SCI")
    half = ALL.copy()
    half[:, 20:] = False
    lost = image.copy()
    lost[40:50] = 0
    for where in (ALL, half):
        with pytest.raises(BadExposure, match=r"of SCI has no data \(zeros\)"):
            check_image(lost, where, "SCI")
        with pytest.raises(BadExposure, match=f"^SCI has no valid value in any of {where.sum()} pixels$"):
            check_image(np.full_like(image, np.nan), where, "SCI")
    check_image(lost, ~ALL, "SCI")


def test_images_smaller_than_a_run_are_not_checked():
    check_image(np.zeros((7, RUN_PIXELS // 8)), np.ones((7, RUN_PIXELS // 8), bool), "SCI")


def test_variances():
    slope = np.array([1.0, -1.0, np.nan])
    check_variances(slope, np.array([0.1, 0.0, 0.0]), "VAR")
    for variance in ([0, 1, 1], [np.nan, 1, 1]):
        with pytest.raises(BadExposure, match="VAR is above zero in none of the 1 pixels"):
            check_variances(slope, np.array(variance), "VAR")
    check_variances(-np.ones(3), np.zeros(3), "VAR")
