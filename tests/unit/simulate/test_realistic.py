"""The realistic population: positions and growth as measured in flight, hot pixels in DN per second."""

import numpy as np
import pytest
from scipy import ndimage

from badpix.simulate.detector import make_detector
from badpix.simulate.effects import Effects
from badpix.simulate.evolution import evolve
from badpix.simulate.exposure import Exposure
from badpix.simulate.headers import make_geometry
from badpix.simulate.populations import REALISTIC, SURVEY
from badpix.simulate.ramps import exposure_maps
from badpix.simulate.realistic import LARGE, QUARTER_RATIO, SMALL, Surface
from badpix.simulate.truth import outliers_by_nature

TOUCHING = np.ones((3, 3))


def realistic(size=128, seed=1, effects=None):
    return make_detector(make_geometry("NIRISS", size), seed, REALISTIC, effects or Effects())


def cluster_sizes(pixels, shape):
    """Sizes of the clusters of pixels that touch."""
    image = np.zeros(shape, bool)
    image[pixels["y"], pixels["x"]] = True
    return np.bincount(ndimage.label(image, TOUCHING)[0].ravel())[1:]


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_half_of_the_pixels_are_in_clusters_of_two_to_five(seed):
    detector = realistic(256, seed)
    pixels = detector.pixels[detector.pixels["group"] != LARGE]
    sizes = cluster_sizes(pixels, detector.geometry.shape)
    assert sizes.sum() == len(pixels) and sizes.max() <= 5
    assert sizes[sizes > 1].sum() / len(pixels) == pytest.approx(0.5, abs=0.02)
    assert sizes[sizes > 1].sum() == np.count_nonzero(pixels["group"] == SMALL)
    assert not detector.reference[pixels["y"], pixels["x"]].any()
    opened = detector.planted_as("open")
    assert set(opened["group"]) == {""}


def test_density_differs_between_quarters():
    ratios, found = [], []
    for seed in range(12):
        surface = Surface(make_geometry("NIRISS", 128), np.random.default_rng(seed))
        shares = surface.quarter_shares
        ratios.append(shares.max() / shares.min())
        one = np.zeros((1, 2), int)
        y, x = (np.concatenate(values) for values in zip(*(surface.find(one) for _ in range(400)), strict=True))
        quarter = 2 * (y >= surface.first_y + surface.n_y / 2) + (x >= surface.first_x + surface.n_x / 2)
        found.append(np.bincount(quarter, minlength=4)[shares.argsort()])
    assert QUARTER_RATIO[0] <= min(ratios) and max(ratios) <= QUARTER_RATIO[1]
    sparsest, *_, densest = np.sum(found, axis=0)
    assert 1.2 < densest / sparsest < 1.75


def test_rarely_hundreds_of_pixels_are_together():
    sizes = []
    for seed in range(16):
        detector = realistic(256, seed)
        large = detector.pixels[detector.pixels["group"] == LARGE]
        sizes.append(len(large))
        assert cluster_sizes(large, detector.geometry.shape).tolist() == ([len(large)] if len(large) else [])
    assert 0 < np.count_nonzero(sizes) < 10 and max(sizes) >= 100


def test_hot_pixels_have_rates_per_second():
    short, long = realistic(), realistic(effects=Effects(full_frame_time=1))
    assert long.geometry.frame_time_s == pytest.approx(10.73677)
    hot = long.planted_as("hot")
    assert np.array_equal(hot["strength"], short.planted_as("hot")["strength"]) and 0.05 <= hot["strength"].min() < 0.3
    for detector in (short, long):
        maps = exposure_maps(detector, Exposure("dark", 1, 1, 10), 1)
        rate = maps.electrons_per_frame / detector.gain_e_per_dn / detector.geometry.frame_time_s
        assert np.allclose((rate - detector.dark_rate_dn_per_s)[hot["y"], hot["x"]], hot["strength"], rtol=1e-4)
    assert np.array_equal(outliers_by_nature(short), outliers_by_nature(long)), "rates do not depend on the frame"
    survey = make_detector(make_geometry("NIRISS", 128), 1, SURVEY)
    hot = survey.planted_as("hot")
    assert np.array_equal(survey.dn_per_frame(hot), hot["strength"])


def test_growth_is_mostly_hot_and_hardly_recovers():
    first = realistic(256)
    second, changes = evolve(first, 2, 1)
    counts = changes["change"].value_counts()
    assert counts.to_dict() == {"new": 30, "recovered": 1, "reclassified": 1}
    new = changes[changes["change"] == "new"]
    assert new["after"].isin(["hot", "intermittent_hot"]).sum() == 27
    assert (new["after"] == "intermittent_hot").sum() == 5
    grown = second.pixels[-30:]
    assert set(zip(grown["x"], grown["y"], strict=True)) == set(zip(new["x"], new["y"], strict=True))
    intermittent = grown[grown["code"] == REALISTIC.codes["intermittent_hot"]]
    assert (intermittent["phase"] >= 0).all() and (intermittent["bad_exposures"] < 8).all()
    assert 10 < np.count_nonzero(grown["group"] == SMALL) <= 17
    assert evolve(realistic(128), 2, 1)[1]["change"].tolist() == ["new"] * 8, "fewer than one recovers"
    old = {(pixel["y"], pixel["x"]) for pixel in first.pixels}
    assert not old & {(pixel["y"], pixel["x"]) for pixel in grown}


def test_time_constants_of_rc_pixels_are_in_groups():
    for population, frames in ((REALISTIC, 10), (SURVEY, 1)):
        detector = make_detector(make_geometry("NIRCAM", 160, readpatt="MEDIUM8"), 1, population)
        maps = exposure_maps(detector, Exposure("dark", 1, 1, 10), 1)
        planted = detector.select("rc", 1)["second"]  # in frames or in groups of 8 frames and a gap of 2
        assert np.allclose(maps.rc["second"][: len(planted)], frames * planted)
