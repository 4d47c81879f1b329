"""Parts of a flat without light against clusters of dead pixels: by the profile of the edge and the light inside."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from badpix.response.background import background
from badpix.response.dark_parts import Flat, find_dark_parts, typical_light
from badpix.response.illumination import find_illumination, light_text, light_warnings

SHAPE = (128, 160)
EVERYWHERE = np.ones(SHAPE, bool)


def lamp(seed=1):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (1000 + 2.0 * x - 1.5 * y) * np.random.default_rng(seed).normal(1, 0.01, SHAPE)


def shadow(part, blur, scattered=0.0):
    """The share of light beside a shadow on `part` (slices) with a blurred edge and scattered light."""
    share = np.ones(SHAPE)
    share[part] = 0
    return scattered + (1 - scattered) * (gaussian_filter(share, blur, mode="nearest") if blur else share)


def dead(image, part, seed=2):
    """`image` with dead pixels at `part`, each of which sees up to 4% of the light."""
    image = image.copy()
    image[part] *= np.random.default_rng(seed).uniform(0, 0.04, image[part].shape)
    return image


def border(width=4):
    science = np.zeros(SHAPE, bool)
    science[width:-width, width:-width] = True
    return science


def lit(image, science=EVERYWHERE, smallest=0.01):
    return find_illumination(image, science, smallest, None).lit


@pytest.mark.parametrize("blur", [0.6, 1.5, 3.0])
def test_a_strip_with_a_soft_edge_is_not_lit_with_its_margin(blur):
    share = shadow(np.s_[:20], blur)
    found = lit(lamp() * share)
    assert not found[share < 0.5].any()
    # The light is below a fifth up to 0.84 standard deviations from the edge; the margin is five pixels from there.
    end = 20 + 5 - int(0.84 * blur)
    assert found[end + 1 :].all() and not found[: end - 1].any()


def test_hot_pixels_in_the_dark_are_no_edges():
    image = lamp() * shadow(np.s_[:20], 1.5)
    for y, x in np.random.default_rng(4).integers([1, 1], [18, 158], (40, 2)):
        image[y, x] += 3000
    assert not lit(image)[:20].any()


def test_beside_reference_pixels():
    found = lit(lamp() * shadow(np.s_[:, :14], 1.0), border())
    assert not found[:, :18].any() and found[4:-4, 19:-4].all() and not found[:4].any()


@pytest.mark.parametrize(
    "part",
    [np.s_[40:70, 50:80], np.s_[:, 90], np.s_[0:6, 0:6], np.s_[0:48, 0:48], np.s_[:, :10], np.s_[100:, 60:110]],
    ids=["a block inside", "a column", "a small corner", "a corner", "columns at the border", "a block at the border"],
)
def test_dead_pixels_are_lit_whatever_their_area(part):
    assert lit(dead(lamp(), part)).all()


def test_dead_pixels_that_see_nothing_at_all():
    image = lamp()
    image[:48, :48] = np.random.default_rng(3).normal(0, 0.5, (48, 48))
    assert lit(image).all()


def test_pixels_without_a_value_are_as_dead_pixels():
    image = lamp()
    image[:48, :48] = np.nan
    assert lit(image).all()


@pytest.mark.parametrize("scattered", [0.0, 0.01])
def test_scattered_light_decides_where_the_edge_is_sharp_in_part(scattered):
    """A shadow of which a third of the edge is soft: its pixels all respond alike, or see nothing."""
    part = np.s_[:40, 60:100]
    share = np.where(np.arange(SHAPE[1]) < 70, shadow(part, 1.5), shadow(part, 0))
    found = lit(lamp() * (scattered + (1 - scattered) * share))
    assert found[:35, 80:100].any() == (scattered == 0)


def test_sharp_edges_decide_although_there_is_light():
    found = find_illumination(lamp() * shadow(np.s_[:, :20], 0, scattered=0.01), EVERYWHERE, 0.01, None)
    assert found.lit.all()
    assert "although they have light" in found.warnings[0]


def test_a_soft_shadow_inside_the_array_is_not_lit():
    share = shadow(np.s_[40:80, 60:90], 2.0)
    found = lit(lamp() * share)
    assert not found[share < 0.5].any()
    assert found[share > 0.999].mean() > 0.9


def test_the_area_of_all_parts_counts():
    parts = [np.s_[y : y + 8, x : x + 8] for y in (10, 50, 90) for x in (20, 60, 100, 130)]
    share = np.prod([shadow(part, 1.0) for part in parts], axis=0)
    image = lamp() * share
    # 12 parts of at most 64 of 20480 pixels.
    assert not lit(image, smallest=0.01)[share < 0.3].any()
    assert lit(image, smallest=0.05).all()


def test_a_dead_cluster_at_the_edge_of_a_shadow():
    """The edge nearby decides: dead where it is sharp, not lit where it is soft."""
    image = dead(lamp() * shadow(np.s_[:, :30], 1.5), np.s_[40:80, 20:70])
    found = lit(image)
    assert found[40:80, 50:70].all()
    assert not found[:30, :32].any() and not found[90:, :32].any()


def test_a_small_shadow_beside_a_large_dead_cluster_is_too_small():
    assert lit(dead(lamp() * shadow(np.s_[100:108, 100:108], 1.0), np.s_[:48, :48])).all()


def test_warnings_of_a_dead_cluster_and_of_a_large_unlit_area():
    found = find_illumination(dead(lamp(), np.s_[:48, :48]), EVERYWHERE, 0.01, None)
    assert len(found.warnings) == 1
    assert (
        "2304 dark pixels around x = 24, y = 24 (0-based) touch the border; 2304 are taken for dead"
        in found.warnings[0]
    )
    found = find_illumination(lamp() * shadow(np.s_[:, :40], 1.5), EVERYWHERE, 0.01, None)
    assert found.warnings == ()
    (warning,) = light_warnings(found.lit, EVERYWHERE)
    n_unlit = (~found.lit).sum()
    assert f"{n_unlit / 20480:.1%} of the science pixels are not illuminated" in warning
    assert f"{n_unlit} science pixels ({n_unlit / 20480:.2%})" in light_text(found.lit, EVERYWHERE)
    assert light_warnings(lit(lamp()), EVERYWHERE) == []


def test_an_edge_that_is_sharp_in_part_is_ambiguous():
    """A dead block of which half of the edge has a soft rim."""
    image = dead(lamp(), np.s_[:40, 60:100])
    rim = shadow(np.s_[:40, 60:100], 1.5)
    image[:, :80] = (lamp() * rim)[:, :80]
    found = find_illumination(image, EVERYWHERE, 0.01, None)
    assert len(found.warnings) == 1 and "may be dead or not lit" in found.warnings[0]


@pytest.mark.parametrize("blur, low, high", [(0, 0.97, 1), (0.6, 0, 0.05), (1.5, 0, 0)])
def test_share_of_sharp_steps(blur, low, high):
    image = lamp() * shadow(np.s_[:40, 30:90], blur)
    dark = image < 0.2 * np.median(image)
    parts = find_dark_parts(Flat(image, background(image, EVERYWHERE, 41), EVERYWHERE, dark, ~dark, image))
    assert parts.n == 1 and low <= parts.sharp[1] <= high


@pytest.mark.parametrize("n_dark", [70, 90, 110])
def test_more_than_half_is_not_lit(n_dark):
    """The median of the flat is that of the dark part then."""
    share = shadow(np.s_[:, :n_dark], 1.5, scattered=0.01)
    image = lamp() * share
    found = find_illumination(image, EVERYWHERE, 0.01, None)
    assert not found.lit[share < 0.2].any() and found.lit[:, n_dark + 8 :].all()
    response = image / background(image, EVERYWHERE, 41)
    np.testing.assert_allclose(response[found.lit], 1, atol=0.1)
    assert len(light_warnings(found.lit, EVERYWHERE)) == 1


def test_the_typical_light_of_a_flat_with_many_hot_pixels_is_its_median():
    values = np.array([1.0] * 80 + [100.0] * 20 + [np.nan] * 5)
    assert typical_light(values) == 1 and np.isnan(typical_light(values[100:]))


def test_a_dark_part_inside_the_array_that_is_not_lit_has_a_warning():
    """A cluster whose sensitivity fades at its edge looks the same."""
    (warning,) = find_illumination(lamp() * shadow(np.s_[40:80, 60:100], 2.0), EVERYWHERE, 0.01, None).warnings
    assert "around x = 79, y = 60" in warning and "inside the array" in warning and "not for dead" in warning
