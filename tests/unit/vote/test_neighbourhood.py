"""The local level around pixels."""

import numpy as np

from badpix.vote import neighbourhood
from badpix.vote.neighbourhood import Neighbourhood, level_of

SHAPE = (20, 30)


def test_the_level_does_not_depend_on_the_number_of_pixels_in_memory(monkeypatch):
    image = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    near, pixels = Neighbourhood(np.ones(SHAPE, bool)), np.arange(image.size)
    at_once = level_of(image, near, pixels)
    monkeypatch.setattr(neighbourhood, "AT_ONCE", 7)
    np.testing.assert_array_equal(level_of(image, near, pixels), at_once)


def test_the_level_is_that_of_the_pixels_beyond_the_neighbours():
    image = np.full(SHAPE, 2.0, np.float32)
    image[9:12, 9:12] = 50
    image[8, 8:11] = np.nan
    assert level_of(image, Neighbourhood(np.ones(SHAPE, bool)), np.array([10 * SHAPE[1] + 10])) == [2.0]


def test_without_a_ring_the_level_is_that_of_the_other_pixels():
    image = np.arange(SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE)
    usable = np.zeros(SHAPE, bool)
    usable[:8, :8], usable[15, 20] = True, True
    level = level_of(image, Neighbourhood(usable), np.array([4 * SHAPE[1] + 4, 15 * SHAPE[1] + 20]))
    assert level[0] == level[1] and np.isfinite(level).all()
    assert level_of(image, Neighbourhood(usable), np.zeros(0, int)).size == 0
