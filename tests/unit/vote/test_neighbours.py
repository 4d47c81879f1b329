"""The eight neighbours of a pixel, and what they say about it."""

import numpy as np

from badpix.vote.neighbours import beside_decided, with_neighbours


def corner(*pixels):
    """Boolean image (4, 5) with these pixels (x, y)."""
    image = np.zeros((4, 5), bool)
    for x, y in pixels:
        image[y, x] = True
    return image


def test_a_pixel_at_the_edge_has_five_neighbours():
    found = with_neighbours(corner((0, 1)))
    assert np.array_equal(found, corner((0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)))


def test_a_neighbour_of_a_pixel_that_may_be_open_is_not_decided():
    everywhere = np.ones((4, 5), bool)
    assert np.array_equal(beside_decided(everywhere, ~corner((0, 1))), ~with_neighbours(corner((0, 1))))
    # A pixel without a response is neither decided nor the reason of doubts.
    unknown = corner((2, 2))
    assert np.array_equal(beside_decided(~unknown, ~unknown), ~unknown)
