"""Pixels that switch about once per exposure, a minority of them, and additional cosmic rays."""

import numpy as np
import pytest

from badpix.simulate.detector import make_detector
from badpix.simulate.effects import Effects
from badpix.simulate.exposure import Exposure
from badpix.simulate.headers import make_geometry
from badpix.simulate.populations import POPULATIONS
from badpix.simulate.ramps import exposure_maps, simulate_exposure
from badpix.simulate.slow_telegraph import BEHAVIOUR, slow_telegraph_levels


def detector_with(population="survey", size=128, **effects):
    return make_detector(make_geometry("NIRISS", size), 3, POPULATIONS[population], Effects(**effects))


@pytest.mark.parametrize("population", POPULATIONS)
def test_the_planted_pixels_are_added_to_those_of_the_population(population):
    before, after = detector_with(population), detector_with(population, slow_telegraph=24)
    for name in before.pixels.dtype.names:
        np.testing.assert_array_equal(after.pixels[name][: len(before.pixels)], before.pixels[name])
    new = after.pixels[len(before.pixels) :]
    assert len(new) == 24 + 8 and len({(pixel["y"], pixel["x"]) for pixel in after.pixels}) == len(after.pixels)
    assert not after.reference[new["y"], new["x"]].any()
    assert new["strength"].min() >= 15 * 6.5 and new["strength"].max() <= 40 * 6.5
    minority = new[new["phase"] >= 0]
    assert len(minority) == 8 and (minority["bad_exposures"] < after.population.period / 2).all()
    exposures = range(1, after.population.period + 1)
    bad_in = sum(after.population.is_bad(minority, index).astype(int) for index in exposures)
    np.testing.assert_array_equal(bad_in, minority["bad_exposures"])


def test_pixels_switch_as_often_as_planted_and_start_in_a_random_state():
    pixels = np.repeat(detector_with(slow_telegraph=24).select(BEHAVIOUR)[:1], 400)
    pixels["second"], pixels["strength"] = 1.5, 100
    levels = slow_telegraph_levels(pixels, Exposure("dark", 1, 2, 30), seed=1).reshape(60, -1)
    assert set(np.unique(levels)) == {-50, 50}
    assert np.mean(np.sum(np.diff(levels, axis=0) != 0, axis=0)) == pytest.approx(1.5, abs=0.2)
    assert np.mean(levels[0] > 0) == pytest.approx(0.5, abs=0.1)


def test_no_room_for_the_pixels():
    with pytest.raises(ValueError, match=r"effect slow_telegraph=4000: an array of \(64, 64\) has no room"):
        detector_with("demo", 64, slow_telegraph=4000)


def test_counts_differ_at_the_planted_pixels_only():
    exposure = Exposure("dark", 1, 1, 5)
    before, after = detector_with(size=64), detector_with(size=64, slow_telegraph=12)
    maps = exposure_maps(after, exposure, 3)
    assert len(maps.slow_telegraph) >= 12
    changed = (simulate_exposure(after, exposure, 3) != simulate_exposure(before, exposure, 3)).any(axis=(0, 1))
    planted = np.zeros_like(changed)
    planted[maps.slow_telegraph["y"], maps.slow_telegraph["x"]] = True
    np.testing.assert_array_equal(changed, planted)


def test_more_cosmic_rays_are_added_to_the_usual_ones():
    exposure = Exposure("dark", 1, 1, 10)
    usual = simulate_exposure(detector_with(), exposure, 3).astype(int)
    more = simulate_exposure(detector_with(more_cosmic_rays=4), exposure, 3).astype(int)
    hit = (more - usual)[0, -1] > 50
    # 10 groups, 4 x 1.7e-4 hits per group, of 1.75 pixels each: 1.2%.
    assert np.mean(hit) == pytest.approx(0.012, rel=0.3)
    assert (more >= usual).all()
