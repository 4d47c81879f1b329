"""The local level of the lamp's light: exact for a gradient, unbiased at the border and around clusters."""

import numpy as np
import pytest

from badpix.response.background import background, block_median, local_plane

SHAPE = (128, 160)


def gradient(shape=SHAPE):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return 1000 + 2.0 * x - 1.5 * y


def border(shape=SHAPE, width=4):
    science = np.zeros(shape, bool)
    science[width:-width, width:-width] = True
    return science


def test_a_plane_is_its_own_local_plane_up_to_the_corners():
    np.testing.assert_allclose(local_plane(gradient(), np.ones(SHAPE, bool), 15), gradient(), rtol=1e-9)


def test_too_few_pixels_in_the_box_give_no_value():
    weights = np.zeros(SHAPE, bool)
    weights[:7, :15] = True
    plane = local_plane(np.ones(SHAPE), weights, 15)
    # Around (3, 7) 7 x 15 = 105 of 225 pixels count; around (30, 30) none.
    assert plane[3, 7] == pytest.approx(1)
    assert np.isnan(plane[30, 30])


def test_values_on_lines_give_their_mean():
    weights = np.zeros(SHAPE, bool)
    weights[::3] = True
    narrow = local_plane(np.full(SHAPE, 7.0), weights, 3)
    assert narrow[9, 9] == pytest.approx(7)


def test_the_background_of_a_gradient_with_noise_and_reference_pixels():
    rng = np.random.default_rng(1)
    image = gradient() * rng.normal(1, 0.01, SHAPE)
    image[~border()] = 0
    ratio = (background(image, border(), 15) / gradient())[border()]
    assert abs(ratio.mean() - 1) < 1e-3
    # At a corner 64 of 225 pixels of 1% determine three numbers.
    assert np.abs(ratio - 1).max() < 0.02


@pytest.mark.parametrize("value", [0.0, np.nan, 1e6])
def test_a_cluster_does_not_bias_the_background(value):
    image = gradient()
    block = np.s_[40:70, 50:80]
    image[block] = value
    image[:, 100] = value
    level = background(image, np.ones(SHAPE, bool), 15)
    np.testing.assert_allclose(level, gradient(), rtol=1e-6)


def test_a_cluster_of_low_response_does_not_bias_the_background():
    image = gradient()
    image[40:46, 50:56] *= 0.7
    np.testing.assert_allclose(background(image, np.ones(SHAPE, bool), 15), gradient(), rtol=1e-6)


def test_a_cluster_as_large_as_a_block_of_the_first_estimate():
    image = gradient()
    image[64:128, 64:128] = 0
    level = background(image, np.ones(SHAPE, bool), 15)
    lit = image > 0
    np.testing.assert_allclose(level[lit], gradient()[lit], rtol=1e-6)


def test_a_cluster_in_a_corner_has_the_level_beside_it():
    image = np.full((100, 100), 1000.0)
    image[:60, :60] = 0
    np.testing.assert_allclose(background(image, np.ones((100, 100), bool), 15), 1000, rtol=0.01)


def test_block_median_ignores_values_that_are_not_finite():
    image = np.array([[1.0, 2, 3, np.nan], [np.nan, np.inf, 5, 7]])
    assert block_median(image, 2).tolist() == [[1.5, 1.5, 5, 5], [1.5, 1.5, 5, 5]]
