"""Flats of the sky: sources are found and covered, bad pixels are not, and all flats together have the response."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import flat_response
from badpix.core.errors import ProductError
from badpix.formats.response_file import read_response
from badpix.formats.sky_file import read_sky_flat
from badpix.instrument.detectors import detector_from_mapping
from badpix.response.covered import covered_pixels
from badpix.response.sources import find_sources
from badpix.vote.exposure_set import VoteFiles, select_exposures
from badpix.vote.settings import FlatSettings, RequiredExposures
from badpix.vote.sky_warnings import sky_warnings
from unit.response.sky_flats import BORDER, DETECTOR, DITHERS, RESPONSE, SCIENCE, SIZE, SKY, flats, sky_files
from unit.test_adapters import config

STARS = ((40.3, 40.2, 300.0), (70.0, 30.4, 3000.0), (25.0, 60.0, 100.0))
CLUSTER = (slice(50, 54), slice(60, 64))
LEVELS = (10.0, 10.0, 30.0, 10.0, 10.0)


def combined(folder, statistics, singles):
    flat_response.main(statistics, folder / "flat_response.fits", DETECTOR, RESPONSE, sky=singles, sky_settings=SKY)
    return read_response(folder / "flat_response.fits")


def noise_image(seed=3, level=10.0, noise=0.2):
    return level + noise * np.random.default_rng(seed).standard_normal((SIZE, SIZE))


# ---------------------------------------------------------------- sources of a single flat


def test_noise_has_no_sources_and_the_level_follows_a_gradient():
    gradient = np.linspace(8, 12, SIZE)[:, np.newaxis]
    sources, level = find_sources(noise_image(level=gradient), SCIENCE, SKY)
    assert sources.mean() < 0.002
    assert np.abs(level / gradient - 1)[SCIENCE].max() < 0.06


def test_stars_are_sources_and_single_hot_pixels_are_not(tmp_path):
    (path,) = flats(tmp_path, STARS, dithers=DITHERS[:1])
    image = fits.getdata(path, "SLOPE").mean(axis=0)
    hot = np.array([[20, 20], [33, 80], [80, 70]])
    image[hot[:, 0], hot[:, 1]] += 500
    sources, _ = find_sources(image, SCIENCE, SKY)
    assert all(sources[round(y), round(x)] for y, x, _ in STARS)
    assert not any(sources[y - 1 : y + 2, x - 1 : x + 2].any() for y, x in hot)
    assert sources.sum() < 0.05 * SCIENCE.sum()


def test_an_image_without_sky_is_covered():
    assert find_sources(np.full((SIZE, SIZE), np.nan), SCIENCE, SKY)[0][SCIENCE].all()


# ---------------------------------------------------------------- the same pixels in all flats


@pytest.fixture(scope="module")
def dithered(tmp_path_factory):
    """(folder, statistics, sky files) of five dithered flats with stars, a bright cluster and bad pixels."""
    folder = tmp_path_factory.mktemp("dithered")
    response, extra = np.ones((SIZE, SIZE)), np.zeros((SIZE, SIZE))
    extra[CLUSTER] = 40.0
    # A dead pixel and a pixel of low response under the same star in the first flat, and a dead pixel in the cluster.
    response[40, 40], response[70, 31] = 0.0, 0.3
    extra[51, 61], response[51, 61] = 0.0, 0.0
    # A hot pixel, a hundred times as bright as the sky.
    extra[80, 80] = 1000.0
    statistics = flats(folder, STARS, level=LEVELS, response=response, extra=extra)
    return folder, statistics, sky_files(folder, statistics)


def test_stars_are_covered_where_they_are_and_a_cluster_is_not(dithered):
    covered = covered_pixels(dithered[2])
    assert list(covered) == [f"f{number}" for number in range(5)]
    for image, dither in zip(covered.values(), DITHERS, strict=True):
        assert all(image[round(y + dither[0]), round(x + dither[1])] for y, x, _ in STARS)
        assert image.sum() < 0.1 * SCIENCE.sum()
    sources = read_sky_flat(dithered[2][0]).sources
    assert sources[CLUSTER].any(), "the cluster looks like a source"
    n_covered = sum(image.astype(int) for image in covered.values())
    assert (n_covered[CLUSTER] <= 1).all(), "a star is beside the cluster in one flat"


def test_bad_pixels_under_stars_are_measured_by_the_other_flats(dithered):
    response = combined(*dithered)
    assert abs(response.normalised[40, 40]) < 0.05 and response.n_covered[40, 40] >= 1
    assert response.normalised[70, 31] == pytest.approx(0.3, abs=0.05) and response.n_covered[70, 31] >= 1
    assert response.normalised[51, 61] < 0.3


def test_healthy_pixels_have_the_response_one_with_the_stated_error(dithered):
    response = combined(*dithered)
    healthy = SCIENCE.copy()
    for bad in ((40, 40), (70, 31), (80, 80), CLUSTER):
        healthy[bad] = False
    # The box of the smoothing is 15 pixels wide: the border has the official bias.
    inner = np.zeros_like(healthy)
    inner[BORDER + 8 : -BORDER - 8, BORDER + 8 : -BORDER - 8] = True
    significance = ((response.normalised - 1) / response.error)[healthy & inner]
    assert np.nanstd(significance) == pytest.approx(1, abs=0.1)
    assert np.nanmin(significance) > -5, "neither the level of a flat nor a hot pixel makes a pixel look bad"
    assert 0.005 < np.nanmedian(response.error[SCIENCE]) < 0.007, "0.2 / 10 DN/s of ten integrations, two at 30 DN/s"


@pytest.mark.parametrize("pointing", [{}, {"CRVAL1": None, "CRVAL2": None}])
def test_without_dithers_a_cluster_is_covered_like_a_star(tmp_path, pointing):
    """Also where the headers have no pointing."""
    extra = np.zeros((SIZE, SIZE))
    extra[CLUSTER] = 40.0
    dithers = DITHERS if pointing else ((0, 0),) * 3
    statistics = flats(tmp_path, STARS, dithers=dithers, extra=extra, **pointing)
    covered = covered_pixels(sky_files(tmp_path, statistics))
    assert all(image[CLUSTER].all() for image in covered.values())
    if not pointing:
        response = combined(tmp_path, statistics, [str(tmp_path / f"f{n}_sky_response.fits") for n in range(3)])
        assert np.isnan(response.normalised[CLUSTER]).all() and (response.n_covered[CLUSTER] == 3).all()
        assert np.isnan(response.normalised[40, 40]) and response.n_valid[40, 40] == 0


def test_a_lamp_beside_flats_of_the_sky_has_no_sources(tmp_path):
    statistics = flats(tmp_path, STARS, dithers=DITHERS[:1], exp_type="NIS_LAMP")
    (path,) = sky_files(tmp_path, statistics)
    assert not read_sky_flat(path).sources.any()


def test_a_flat_that_is_covered_completely_measures_nothing(tmp_path):
    statistics = flats(tmp_path, dithers=DITHERS[:1], response=np.full((SIZE, SIZE), np.nan))
    (path,) = sky_files(tmp_path, statistics)
    assert np.isnan(read_sky_flat(path).response).all() and read_sky_flat(path).sources[SCIENCE].all()


@pytest.fixture(scope="module")
def one_whole(tmp_path_factory):
    """(statistics, sky files) of five dithered flats with a bright cluster; sources cover the last flat whole."""
    folder = tmp_path_factory.mktemp("whole")
    extra = np.zeros((SIZE, SIZE))
    extra[CLUSTER] = 40.0
    good = flats(folder, STARS, extra=extra)
    covered = tmp_path_factory.mktemp("covered")
    statistics = [*good[:4], flats(covered, response=np.full((SIZE, SIZE), np.nan))[4]]
    return statistics, sky_files(tmp_path_factory.mktemp("singles"), statistics)


def test_a_flat_that_is_covered_completely_leaves_the_others_as_they_are(tmp_path, one_whole):
    statistics, singles = one_whole
    response = combined(tmp_path, statistics, singles)
    assert np.isfinite(response.normalised[SCIENCE]).all() and np.isfinite(response.error[SCIENCE]).all()
    n_covered = sum(image.astype(int) for image in covered_pixels(singles[:4]).values())
    assert (response.n_covered[SCIENCE] == n_covered[SCIENCE] + 1).all(), "the cluster is no star for the other flats"
    assert (n_covered[CLUSTER] <= 1).all()


def test_a_flat_that_is_covered_completely_is_named(tmp_path, one_whole):
    response = combined(tmp_path, *one_whole)
    required = RequiredExposures(1, 1, "reject")
    exposures = select_exposures(VoteFiles(flats=one_whole[0]), detector_from_mapping(DETECTOR), required)
    measured = {"ERROR": (response.error, None), "NCOVERED": (response.n_covered, None)}
    settings = FlatSettings.from_config(config())
    (warning,) = sky_warnings(exposures, {}, measured, settings)
    assert warning.startswith("flats: 1 of the 5 flats measure no pixel, because sources cover the whole array")
    measured["NCOVERED"] = (response.n_covered - 1, None)
    assert list(sky_warnings(exposures, {}, measured, settings)) == []


def test_a_damaged_file_of_a_flat_of_the_sky_is_noticed(tmp_path, dithered):
    singles = [shutil.copy(path, tmp_path) for path in dithered[2]]
    with fits.open(singles[2]) as hdus:
        start = hdus.fileinfo("LEVEL")["datLoc"]
    with Path(singles[2]).open("r+b") as file:
        file.seek(start + 4 * SIZE * 40)
        file.write(bytes(4 * SIZE))
    with pytest.raises(ProductError, match="LEVEL changed after it was written"):
        combined(tmp_path, dithered[1], singles)
