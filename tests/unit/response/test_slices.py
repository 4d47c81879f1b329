"""Flats behind an image slicer: curved slices with blurred edges and dark gaps."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, minimum_filter

from badpix.response.background import background
from badpix.response.illumination import find_illumination
from badpix.response.normalise import smooth
from badpix.response.slices import find_slices
from badpix.simulate.blocked_light import blocked_light
from badpix.simulate.effects import Effects
from badpix.simulate.headers import make_geometry

SIZE = 128
SCIENCE = np.ones((SIZE, SIZE), bool)


@pytest.fixture(params=[1, 2, 3], ids="seed {}".format)
def slicer(request):
    """(share of light, flat with noise and a response of 1% scatter) of an array at the steep end of the slices."""
    geometry = make_geometry("MIRI", 256, "MIRIFUSHORT")
    share, light = blocked_light(geometry, Effects(slicer=5), request.param)
    cut = np.s_[:SIZE, :SIZE]
    return share[cut], 1000 * light[cut] * np.random.default_rng(request.param).normal(1, 0.01, (SIZE, SIZE))


def test_the_level_is_right_up_to_the_edges_of_the_slices(slicer):
    share, flat = slicer
    response = flat / background(flat, SCIENCE, 15, "y")
    lit = share > 0.5
    # At an edge, 0.1 pixels are 5% of the light.
    assert np.abs(response[lit] - 1).max() < 0.22
    assert np.abs(response[share > 0.99] - 1).max() < 0.08
    assert np.isnan(response[share < 0.1]).mean() > 0.95


def test_gaps_are_not_lit_and_slices_are(slicer):
    share, flat = slicer
    found = find_illumination(flat, SCIENCE, 0.01, "y")
    assert not found.lit[share < 0.25].any() and found.lit[share < 0.4].mean() < 0.05
    assert found.lit[share > 0.5].mean() > 0.99
    assert found.warnings == ()


def test_slices_along_x(slicer):
    share, flat = slicer
    found = find_slices(flat.T, SCIENCE, "x")
    np.testing.assert_array_equal(found.in_slice, find_slices(flat, SCIENCE, "y").in_slice.T)


@pytest.mark.parametrize(
    "part",
    [np.s_[50:53, 36:56], np.s_[40:80, 30:70], np.s_[:25, 60:90], np.s_[:, 64], np.s_[:, 64:66], np.s_[126:, 70:80]],
    ids=["a cluster", "a block over slices", "a border cluster", "a column", "two columns", "rows at the border"],
)
def test_dead_pixels_in_slices_keep_the_level_of_their_slice(slicer, part):
    share, flat = slicer
    dead = np.zeros_like(SCIENCE)
    dead[part] = True
    flat = np.where(dead, np.random.default_rng(9).uniform(0, 0.04, flat.shape) * flat, flat)
    light = find_illumination(flat, SCIENCE, 0.01, "y")
    response = flat / background(flat, SCIENCE, 15, "y")
    found = light.lit & (response < 0.05)
    # No healthy pixel looks dead or of low response.
    assert not (light.lit & ~dead & (response < 0.5)).any()
    # Narrow dead lines cannot be told from a gap up to two pixels beside the gap.
    inside = minimum_filter(share > 0.8, (1, 7)) if dead[:, 64].all() else share > 0.8
    assert found[dead & inside].sum() >= 0.97 * (dead & inside).sum()


def test_a_flat_without_gaps_has_no_slices():
    flat = np.random.default_rng(1).normal(1000, 10, SCIENCE.shape)
    flat[:, 60] = flat[30:60, 30:60] = 0
    assert find_slices(flat, SCIENCE, "y") is None
    assert find_slices(flat, SCIENCE, None) is None


def test_a_dead_corner_is_no_gap():
    flat = np.random.default_rng(1).normal(1000, 10, SCIENCE.shape)
    flat[:40, :40] = 0
    assert find_illumination(flat, SCIENCE, 0.01, "y").lit.all()


def test_gaps_with_sharp_edges_are_ambiguous():
    flat = np.random.default_rng(1).normal(1000, 10, SCIENCE.shape)
    gaps = np.arange(SIZE) % 27 < 5
    flat[:, gaps] = 0
    found = find_illumination(flat, SCIENCE, 0.01, "y")
    np.testing.assert_array_equal(found.lit, np.broadcast_to(~gaps, SCIENCE.shape))
    assert len(found.warnings) == 1 and f"{gaps.sum() * SIZE} dark pixels in lines" in found.warnings[0]


def test_curved_gaps_with_sharp_edges_have_no_dead_pixels(slicer):
    gaps = slicer[0] < 0.5
    flat = np.where(gaps, 0, 1000) * np.random.default_rng(1).normal(1, 0.01, SCIENCE.shape)
    light = find_illumination(flat, SCIENCE, 0.01, "y")
    # In the outermost rows the window is on one side.
    assert not light.lit[2:-2][gaps[2:-2]].any()
    assert light.lit[~gaps].mean() > 0.9


def test_a_single_wide_line_with_sharp_edges_is_dead():
    flat = np.random.default_rng(1).normal(1000, 10, SCIENCE.shape)
    flat[:, 60:64] = 0
    assert find_illumination(flat, SCIENCE, 0.01, "y").lit.all()


def test_a_soft_shadow_across_the_slices_is_not_lit(slicer):
    """Of a flat with slices, and of a flat without."""
    shadow = np.clip((np.arange(SIZE) - 15) / 8, 0, 1)[:, np.newaxis]
    for flat in (slicer[1], np.random.default_rng(1).normal(1000, 10, SCIENCE.shape)):
        lit = find_illumination(flat * shadow, SCIENCE, 0.01, "y").lit
        assert not lit[:18].any()
        assert lit[32:].mean() > 0.75


@pytest.mark.parametrize(("normalised", "followed"), [("Plane", True), ("Median", False)])
def test_the_edges_are_lit_where_the_normalisation_follows_them(slicer, normalised, followed):
    share, flat = slicer
    response = flat / smooth(flat, SCIENCE, normalised, 15, "y")
    found = find_illumination(flat, SCIENCE, 0.01, "y", response)
    edge, inside = (share > 0.55) & (share < 0.8), share > 0.995
    assert found.lit[inside].mean() > 0.95
    assert found.lit[edge].mean() > 0.97 if followed else found.lit[edge].mean() < 0.25
    assert any("does not follow the edges of the slices" in warning for warning in found.warnings) != followed


@pytest.mark.parametrize("first", [3, 40])
def test_outer_edges_beside_a_wide_dark_part_and_beside_the_border(first):
    """Three slices of 22 pixels: the outer edges are edges too, and pixels with little light are not lit."""
    light = np.zeros(SCIENCE.shape)
    for start in (first, first + 28, first + 56):
        light[:, start : start + 22] = 1
    light = gaussian_filter(light, (0, 1.2))
    flat = 1000 * light * np.random.default_rng(1).normal(1, 0.01, SCIENCE.shape)
    found = find_slices(flat, SCIENCE, "y")
    shown = light > 0.2
    np.testing.assert_allclose(found.share[shown], light[shown], atol=0.05)
    assert (found.in_slice == (light > 0.5)).mean() > 0.999


@pytest.mark.parametrize("columns", [[64], [64, 65]])
def test_dead_columns_along_straight_slices(columns):
    position = np.abs(np.mod(np.arange(SIZE) - 64 + 13.5, 27) - 13.5)
    share = np.clip((10.5 - position) / 3 + 0.5, 0.005, 1)
    flat = 1000 * share * np.random.default_rng(1).normal(1, 0.01, SCIENCE.shape)
    flat[:, columns] *= 0.01
    light = find_illumination(flat, SCIENCE, 0.01, "y")
    response = flat / background(flat, SCIENCE, 15, "y")
    assert light.lit[:, columns].all() and (response[:, columns] < 0.05).all()
    assert not light.lit[:, share < 0.4].any() and light.lit[:, share > 0.6].all()


@pytest.mark.parametrize(("gap", "seed"), [(5, 8), (5, 9), (5, 16), (4, 1), (4, 8)])
def test_narrow_gaps_are_not_lit(gap, seed):
    """Gaps of which fewer than three pixels are dark in some rows: the blurred edges beside them are no light."""
    share, light = blocked_light(make_geometry("MIRI", 256, "MIRIFUSHORT"), Effects(slicer=gap), seed)
    flat = 1000 * light * np.random.default_rng(seed).normal(1, 0.01, light.shape)
    lit = find_illumination(flat, np.ones(light.shape, bool), 0.01, "y").lit
    assert not lit[share < 0.1].any()
    assert lit[share > 0.5].mean() > 0.97


def test_gaps_that_are_too_narrow_are_warned_of():
    """And an even flat, as NIRSpec's mirror gives, is not."""
    flat = np.random.default_rng(1).normal(1000, 10, SCIENCE.shape)
    assert find_illumination(flat, SCIENCE, 0.01, "y").warnings == ()
    flat[:, 10::27] = 10
    (warning,) = find_illumination(flat, SCIENCE, 0.01, "y").warnings
    assert "are dark in narrow parts, and no gaps between slices or spectra were found" in warning
    assert find_illumination(flat, SCIENCE, 0.01, None).warnings == ()
