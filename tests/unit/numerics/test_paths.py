"""The typical value along paths: curved structures, clusters, the border, missing values."""

import numpy as np
import pytest

from badpix.numerics.paths import MIN_VALUES, Path, typical_along

STRAIGHT = np.zeros((60, 40))


@pytest.mark.parametrize("reach", [3, 8])
def test_a_slope_is_its_own_typical_value_up_to_the_border(reach):
    image = 100 + np.arange(60.0)[:, None] * np.ones(40)
    found = typical_along(image, STRAIGHT, Path(reach, symmetric=True), 0.5)
    np.testing.assert_allclose(found[reach:-reach], image[reach:-reach])
    finite = found[np.isfinite(found)] - image[np.isfinite(found)]
    # On one side of the border pixel there are at most five rows.
    assert np.abs(finite).max() <= 2.5


def test_the_median_is_that_of_numpy():
    image = np.random.default_rng(1).uniform(10, 11, (60, 40))
    image[10:14, 2] = np.nan
    found = typical_along(image, STRAIGHT, Path(6), 0.5)
    for y in (0, 12, 30, 59):
        np.testing.assert_allclose(found[y], np.nanmedian(image[max(0, y - 6) : y + 7], axis=0))


def test_a_path_follows_a_curved_structure():
    y, x = np.mgrid[:60, :40]
    shift = 0.01 * (y - 30.0) ** 2
    image = 100 + np.rint(x - shift)
    found = typical_along(image, shift, Path(30), 0.5)
    assert np.abs(found - image)[:, 12:30].max() <= 1


def test_dark_pixels_of_the_path_do_not_count():
    image = np.full((60, 40), 7.0)
    image[:38] = 0.1
    assert (typical_along(image, STRAIGHT, Path(100, 2), 0.7) == 7).all()
    assert (typical_along(image, STRAIGHT, Path(100, 2), 0.3) < 1).all()


def test_too_few_values():
    image = np.full((60, 40), np.nan)
    image[: MIN_VALUES - 1, 0] = image[:MIN_VALUES, 1] = 3.0
    found = typical_along(image, STRAIGHT, Path(60), 0.5)
    assert np.isnan(found[:, 0]).all() and (found[:, 1] == 3).all()
    assert (typical_along(-np.ones((60, 40)), STRAIGHT, Path(5), 0.5) == -1).all()
