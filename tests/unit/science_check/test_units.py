"""Units of the science check: sources, exposures of a pointing with different levels, pointings, and notes on them."""

import numpy as np
import pytest
from astropy.io import fits

from badpix.config.settings import SkySettings
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.exp_types import DARK, LAMP, SKY
from badpix.instrument.geometry import Geometry
from badpix.science_check.units import measure_unit, same_pointings
from badpix.science_check.words import AREA, OUTLIERS
from unit.science_check.rate_files import HEADER, PIXEL_DEG, SIZE, noise, point, write_rates
from unit.science_check.test_check import GOOD, HOT, darks, flagged, flats, only, places, run

SETTINGS = SkySettings(source_threshold=3.0, source_growth=2)
FRAME = Geometry.from_header(HEADER)
SCIENCE = np.ones((SIZE, SIZE), bool)
STAR = 36, 30


def starry(path, number=1):
    """An image of the sky with a star and a hot pixel."""
    y, x = np.mgrid[:SIZE, :SIZE]
    image = noise(number, 20.0)[0] + 2000 * np.exp(-0.5 * ((y - STAR[0]) ** 2 + (x - STAR[1]) ** 2) / 1.2**2)
    image[HOT[0]] += 60
    return write_rates(path, image, None, number, EXP_TYPE="NIS_IMAGE")


def test_sources_are_left_out_of_images_of_the_sky(tmp_path):
    path = starry(tmp_path / "sky_rate.fits")
    of_sky, of_lamp = (measure_unit([path], FRAME, SCIENCE, 5.0, light, SETTINGS) for light in (SKY, LAMP))
    star = np.s_[STAR[0] - 1 : STAR[0] + 2, STAR[1] - 1 : STAR[1] + 2]
    assert np.isnan(of_sky.sigma[star]).all() and not of_sky.outlier[star].any()
    assert of_lamp.outlier[STAR], "a star is an outlier of an exposure without sources"
    assert of_sky.outlier[HOT[0]], "a hot pixel is no source"
    assert np.isfinite(of_sky.sigma).mean() > 0.9


def test_the_level_of_a_dark_is_no_light(tmp_path):
    images = noise(1, 400.0)
    images[:, *HOT[0]] += 30
    path = write_rates(tmp_path / "dark_rateints.fits", images)
    of_dark, of_lamp = (measure_unit([path], FRAME, SCIENCE, 5.0, light, SETTINGS) for light in (DARK, LAMP))
    assert of_dark.outlier[HOT[0]] and not of_dark.lit.any()
    assert not of_lamp.outlier[HOT[0]] and of_lamp.lit.all(), "flat fielding corrects it"


def test_exposures_of_a_pointing_may_have_different_levels(tmp_path):
    rates = {}
    for number in range(1, 5):
        for minute, level in enumerate((20.0, 5.0)):
            name = f"sky{number}{minute}"
            dq = np.zeros((SIZE, SIZE), np.uint32)
            if minute:
                dq[places(GOOD)] = PIXEL_FLAGS["DO_NOT_USE"]
            rates[name] = write_rates(
                tmp_path / f"{name}_rate.fits", noise(10 * number + minute, level)[0], dq, number, EXP_TYPE="NIS_IMAGE",
                **{"TIME-OBS": f"{number:02}:{minute:02}:00.000"},
            )  # fmt: skip
            point(rates[name], 5 * number)
    numbers = run(tmp_path, {}, flagged(GOOD, "HOT"), rates)
    assert numbers["lights"][0]["n_units"] == 4
    assert only(numbers, OUTLIERS)[:2] == (0, 0), "good pixels without a value at the lower level"
    assert only(numbers, AREA)[1] > 0


def test_the_mean_keeps_the_mean_level(tmp_path):
    images = np.stack([noise(1, 1000.0)[0], noise(2, 1200.0)[0]])
    path = write_rates(tmp_path / "lamp_rateints.fits", images, None, 1, EXP_TYPE="NIS_LAMP")
    unit = measure_unit([path], FRAME, SCIENCE, 5.0, LAMP, SETTINGS)
    assert unit.lit.all()
    assert np.nanmedian(unit.scatter) == pytest.approx(1, abs=0.1)
    assert np.nanquantile(unit.scatter, 0.9) > 3, "the level is no scatter of a pixel, which would be the same for all"


@pytest.mark.parametrize("names", ["abcd", "dcba", "bacd"])
def test_an_exposure_without_a_pointing_does_not_join_all_others(names):
    place = {
        name: {"CRVAL1": 80 + 10 * i * PIXEL_DEG, "CRVAL2": 0.0, "CDELT1": PIXEL_DEG} for i, name in enumerate("bcd")
    }
    headers = {name: place.get(name, {}) for name in names}
    groups = same_pointings(headers)
    first = next(name for name in names if name != "a")
    assert {frozenset(group) for group in groups} == {
        frozenset({name, "a"} if name == first else {name}) for name in "bcd"
    }
    assert same_pointings({"a": {}, "e": {}}) == [["a", "e"]]


def test_notes_are_on_exposures_of_the_check_only(tmp_path):
    rates = darks(tmp_path) | flats(tmp_path, 2)
    for name in ("flat1", "flat2", "dark3"):
        with fits.open(rates[name], mode="update") as hdus:
            hdus[0].header.update(R_MASK="crds://other_mask.fits", S_DARK="COMPLETE")
    numbers = run(tmp_path, {}, flagged(HOT, "HOT"), rates)
    assert set(numbers["left_out"]) == {"flat1", "flat2"}
    assert any(note.startswith("1 exposure (dark3) ") for note in numbers["notes"])
    assert not any("flat" in note for note in numbers["notes"])
