"""The local level of darks: areas and lines with a level of their own have no bad pixels, clusters stay clusters."""

import numpy as np
import pytest
from astropy.io import fits

from badpix.vote.dark_extended import DarkExtended
from badpix.vote.level_record import LocalLevels
from badpix.vote.local_level import CELL, LevelFinder, interpolation
from badpix.vote.searches.base import WHOLE_ARRAY, Context
from badpix.vote.searches.registry import configured_searches
from unit.vote.adding import add
from unit.vote.test_dark_extended import COUNTS, GROUP_TIME_S, HEALTHY, SETTINGS

SHAPE = (128, 128)
Y, X = np.indices(SHAPE)
N_DARKS = 8
ROWS = slice(40, 56)
FOUR = tuple((slice(None), slice(start, start + 32)) for start in range(0, 128, 32))
# Found as a pixel of each type, wherever it lies.
STRONG = {"SLOPE": 40.0, "PEDESTAL_T0": 4000.0}


def dark(seed, changes):
    """The open statistics of a dark; `changes` maps a plane to an image that is added to it."""
    rng = np.random.default_rng(seed)
    images = {
        name: rng.normal(centre, width, (1, *SHAPE)).astype(np.float32) for name, (centre, width) in HEALTHY.items()
    }
    for name, image in changes.items():
        images[name] += np.asarray(image, np.float32)
    images |= {name: np.full((1, *SHAPE), value, np.int16) for name, value in COUNTS.items()}
    primary = fits.PrimaryHDU()
    primary.header["TGROUP"] = primary.header["TFRAME"] = GROUP_TIME_S
    primary.header["EXPOSURE"] = f"dark{seed}"
    return fits.HDUList([primary] + [fits.ImageHDU(image, name=name) for name, image in images.items()])


def vote(changes, local=True, amplifiers=WHOLE_ARRAY, n=N_DARKS):
    """DarkExtended after `n` darks; `changes(number)` (from 1) maps planes to images that are added to them."""
    science = np.ones(SHAPE, bool)
    levels = LocalLevels(science, amplifiers) if local else None
    context = Context(science, n, n, 5e-7, 1, amplifiers, levels=levels)
    extended = DarkExtended(configured_searches(SETTINGS | {"cold_rate_threshold": None}), context)
    for number in range(1, n + 1):
        add(extended, dark(number, changes(number)))
    return extended, extended.results()


def any_found(results):
    return np.logical_or.reduce([result.found for result in results.values()])


def pixel(plane, y, x, value):
    image = np.zeros(SHAPE)
    image[y, x] = value
    return {plane: image}


def added(*parts):
    """Sums of images by plane."""
    total = {}
    for part in parts:
        for name, image in part.items():
            total[name] = total.get(name, 0) + image
    return total


def drifted_rows(number):
    image = np.zeros(SHAPE)
    image[ROWS] = 200 * (1 + 0.2 * np.random.default_rng(100 + number).standard_normal())
    return {"PEDESTAL_T0": image}


def drifted_start(number):
    image = np.zeros(SHAPE)
    image[:, 70:80] = -60
    return {"CDS_FIRST": image}


def drifting_output(number):
    image = np.zeros(SHAPE)
    image[:, 96:] = 300
    return {"PEDESTAL_T0": image, "SLOPE": image / 300}


def glow(number, dn_per_s=3.0, scale=16):
    return {"SLOPE": dn_per_s * np.exp(-np.hypot(Y, X) / scale)}


def light_leak(number):
    return {"SLOPE": 5.0 * np.exp(-((Y - 60) ** 2 + (X - 60) ** 2) / (2 * 15**2)) * (number <= 2)}


def persistence(number):
    """A patch with the edge of an image of a star, that decays from dark to dark."""
    return {"SLOPE": 4.0 / number / (1 + np.exp((np.hypot(Y - 70, X - 50) - 11) / 1.5))}


def decaying_disc(number):
    """Persistence with an edge of one pixel, in all darks."""
    return {"SLOPE": np.where(np.hypot(Y - 70, X - 50) < 11, 4.0 * 0.85**number, 0)}


LEVELS = {
    "drifted rows": (drifted_rows, "rc", WHOLE_ARRAY),
    "drifted rows of four outputs": (drifted_rows, "rc", FOUR),
    "drifted start of columns": (drifted_start, "inverse_rc", WHOLE_ARRAY),
    "drifting output": (drifting_output, "rc", FOUR),
    "glow": (glow, "warm", WHOLE_ARRAY),
    "glow of four outputs": (glow, "warm", FOUR),
    "persistence": (persistence, "warm", WHOLE_ARRAY),
    "persistence with a sharp edge": (decaying_disc, "warm", WHOLE_ARRAY),
}


@pytest.mark.parametrize("name", LEVELS)
def test_a_level_of_many_pixels_is_no_bad_pixel_of_each(name):
    changes, pixel_type, amplifiers = LEVELS[name]
    _, before = vote(changes, local=False, amplifiers=amplifiers)
    assert before[pixel_type].found.sum() > 100
    extended, after = vote(changes, amplifiers=amplifiers)
    assert any_found(after).sum() == 0
    assert any(warning.startswith(pixel_type) or f" {pixel_type}:" in warning for warning in extended.warnings)


@pytest.mark.parametrize("name", LEVELS)
def test_bad_pixels_within_a_level_are_found(name):
    changes, _, amplifiers = LEVELS[name]
    places = [(48, 75), (70, 50), (4, 4), (100, 110), (71, 74)]
    bad = added(*(pixel(plane, y, x, value) for y, x in places for plane, value in STRONG.items()))
    _, results = vote(lambda number: added(changes(number), bad), amplifiers=amplifiers)
    assert sorted(map(tuple, np.argwhere(any_found(results)))) == sorted(places)


def test_faint_pixels_within_drifted_rows_are_found():
    _, results = vote(lambda number: added(drifted_rows(number), pixel("PEDESTAL_T0", 48, 75, 120)))
    assert np.argwhere(any_found(results)).tolist() == [[48, 75]]


def test_light_in_some_darks_lists_no_intermittent_pixels():
    _, before = vote(light_leak, local=False)
    assert before["hot"].intermittent.sum() > 100
    extended, after = vote(light_leak)
    assert any_found(after).sum() == 0 and after["hot"].intermittent.sum() == 0
    (warning,) = extended.warnings
    assert "in 2 of 8 darks (dark1, dark2)" in warning and "hot, warm:" in warning


def test_a_patch_in_some_darks_lists_no_intermittent_pixels():
    def some(number):
        return persistence(1 if number <= 2 else 1e9)

    assert vote(some, local=False)[1]["hot"].intermittent.sum() > 100
    assert vote(some)[1]["hot"].intermittent.sum() == 0


def test_pixels_that_a_decaying_patch_may_explain_are_insufficient():
    extended, results = vote(decaying_disc)
    insufficient = results["warm"].insufficient
    np.testing.assert_array_equal(insufficient, results["hot"].insufficient)
    np.testing.assert_array_equal(insufficient, decaying_disc(1)["SLOPE"] > 0)
    assert any("another slope in each dark" in warning for warning in extended.warnings)
    # The pedestals of the pixels are as sufficient as before.
    assert results["rc"].insufficient.sum() == 0


def test_a_warning_has_the_area_and_the_strength_of_glow():
    extended, _ = vote(glow)
    (warning,) = extended.warnings
    assert "DN/s at most, at x = " in warning and "in most darks" in warning
    assert 2 < float(warning.split(" DN/s at most")[0].split()[-1]) < 3.2
    extended, _ = vote(lambda number: glow(number, 0.1))  # below the limit of warm pixels
    assert extended.warnings == ()


# ---------------------------------------------------------------- clusters of bad pixels

RNG = np.random.default_rng(3)
VARIED = np.exp(RNG.uniform(np.log(1.0), np.log(200.0), SHAPE))
CLUSTERS = {
    "block of equal pixels": (np.abs(Y - 60) < 15) & (np.abs(X - 60) < 15),
    "block at a corner": (Y < 30) & (X < 30),
    "half a row of cells": (Y < 8) & (X < 64),
    "column": X == 77,
    "three columns": np.abs(X - 77) <= 1,
    "row": Y == 77,
    "scratch": (np.abs(Y - X) <= 1) & (Y > 30) & (Y < 90),
    "groups of two to five": np.isin((Y // 6) * 100 + X // 6, RNG.choice(2121, 60)) & (Y % 6 < 2) & (X % 6 < 2),
    "hundreds together": np.hypot(Y - 90, X - 30) < 10,
    "most pixels of a disc": (np.hypot(Y - 64, X - 64) < 20) & (RNG.random(SHAPE) < 0.8),
    "a tenth of the detector": RNG.random(SHAPE) < 0.1,
}


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_of_hot_pixels_is_no_level(name, equal):
    cluster = CLUSTERS[name]
    image = np.where(cluster, 5.0 if equal else VARIED, 0)
    extended, results = vote(lambda number: {"SLOPE": image})
    found = any_found(results)
    assert (found & cluster).sum() >= 0.995 * cluster.sum()
    assert (found & ~cluster).sum() == 0


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_of_pedestals_is_no_level(name, sign):
    """Strengths differ: lines of equal pixels are a drift of the bias."""
    cluster = CLUSTERS[name]
    image = np.where(cluster, sign * (100 + 20 * VARIED), 0)
    _, results = vote(lambda number: {"PEDESTAL_T0": image}, amplifiers=FOUR)
    found = results["rc" if sign > 0 else "low_pedestal"].found
    assert (found & cluster).sum() >= 0.995 * cluster.sum()
    assert (any_found(results) & ~cluster).sum() == 0


def test_a_block_of_hot_pixels_within_glow_is_no_level():
    block = (np.abs(Y - 30) < 10) & (np.abs(X - 30) < 10)
    extended, results = vote(lambda number: added(glow(number), {"SLOPE": np.where(block, 6.0, 0)}))
    found = any_found(results)
    assert (found & block).sum() >= 0.99 * block.sum() and (found & ~block).sum() == 0
    assert any("sharp edges" in warning and "x = 29, y = 29" in warning for warning in extended.warnings)


def test_cells_with_few_values_are_no_holes_in_glow():
    missing = np.zeros(SHAPE)
    missing[8:24, 8:15] = np.nan
    _, results = vote(lambda number: added(glow(number, 6.0, 30), {"SLOPE": missing}))
    assert not any_found(results).any() and results["hot"].insufficient.sum() == np.isnan(missing).sum()


def test_a_warm_block_whose_rate_follows_the_temperature_is_no_persistence():
    block = (np.abs(Y - 60) < 15) & (np.abs(X - 60) < 15)
    _, results = vote(lambda number: {"SLOPE": np.where(block, 2.0 * (1 + 0.05 * (number % 3 - 1)), 0)})
    assert (results["warm"].found & block).sum() == block.sum()


# ---------------------------------------------------------------- a sound detector, and the parts


def test_a_detector_without_levels_is_classified_as_before():
    bad = added(*(pixel(plane, y, 8 * y % 128, value) for y in range(5, 128, 9) for plane, value in STRONG.items()))
    extended, local = vote(lambda number: bad)
    _, whole = vote(lambda number: bad, local=False)
    assert extended.warnings == ()
    for name, result in local.items():
        np.testing.assert_array_equal(result.found, whole[name].found)
        np.testing.assert_array_equal(result.insufficient, whole[name].insufficient)
        for count, votes in result.votes.items():
            np.testing.assert_array_equal(votes, whole[name].votes[count])


def test_reference_pixels_and_missing_values_have_no_level():
    science = np.zeros(SHAPE, bool)
    science[4:-4, 4:-4] = True
    values = np.where(science, np.random.default_rng(1).normal(5, 1, SHAPE), 1000).astype(np.float32)
    values[10:40, 10:40] = np.nan
    level = LevelFinder(science, WHOLE_ARRAY).find(values, lines=True)
    assert level.image is None and level.smooth is None
    assert LevelFinder(science, WHOLE_ARRAY).find(np.full(SHAPE, 3, np.float32), lines=True).image is None
    assert LevelFinder(science, WHOLE_ARRAY).find(np.full(SHAPE, np.nan, np.float32), lines=True).image is None


def test_interpolation_reproduces_a_curved_level_up_to_the_border():
    pixels = np.arange(100)
    centres = [(start + min(start + CELL, 100) - 1) / 2 for start in range(0, 100, CELL)]
    for curve in (lambda x: 2 + 0.1 * x, lambda x: 0.01 * (x - 30) ** 2):
        np.testing.assert_allclose(interpolation(100) @ curve(np.array(centres)), curve(pixels), atol=1e-4)
    decay = interpolation(100) @ np.exp(-np.array(centres) / 12)
    np.testing.assert_allclose(decay, np.exp(-pixels / 12), atol=0.06)
