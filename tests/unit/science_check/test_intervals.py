"""Intervals of the science check, with values from tables, and the verdict."""

import numpy as np
import pytest

from badpix.science_check.intervals import Count, cluster_size, share_interval, verdict
from badpix.science_check.words import BETTER, MIXED, OPEN, SAME, WORSE


def count(only_old, only_new, open_new=0, measured=1000, **changes):
    common = {"old": only_old + 5, "new": only_new + 5, "open_old": 0, "cluster": 1.0, "cluster_of_difference": 1.0}
    return Count(measured, only_old=only_old, only_new=only_new, open_new=open_new, **common | changes)


@pytest.mark.parametrize(
    ("number", "of", "low", "high"),
    [(0, 100, 0, 0.03622), (5, 10, 0.18709, 0.81291), (10, 10, 0.69150, 1), (0, 0, 0, 1)],
)
def test_a_share_has_the_interval_of_clopper_and_pearson(number, of, low, high):
    assert share_interval(number, of) == pytest.approx((low, high), abs=1e-5)


def test_clusters_of_four_have_the_interval_of_a_quarter_of_the_pixels():
    assert share_interval(20, 40, cluster=4) == share_interval(5, 10)


def test_the_size_of_clusters_is_weighted_by_their_pixels():
    pixels = np.zeros((12, 12), bool)
    assert cluster_size(pixels) == 1
    pixels[0, 0] = pixels[0, 6] = True
    assert cluster_size(pixels) == 1
    pixels[5:7, 5:7] = True
    assert cluster_size(pixels) == pytest.approx((1 + 1 + 16) / 6)
    diagonal = np.eye(3, dtype=bool)
    assert cluster_size(diagonal) == 3, "pixels that touch at a corner are a cluster"


def test_the_difference_is_that_of_the_pixels_on_which_the_masks_differ():
    # 0 of 10: the share is 0 to 0.30850.
    assert count(10, 0).difference() == pytest.approx((-10, -10, -3.830), abs=1e-3)
    assert count(0, 10, measured=2000).difference() == pytest.approx((5, 1.915, 5), abs=1e-3)
    assert count(0, 0).difference() == (0, 0, 0)
    assert count(10, 0).share(15)[0] == 15


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (count(10, 0), BETTER),
        (count(0, 10), WORSE),
        (count(6, 0), BETTER),  # 0 of 6: 0 to 0.4593
        (count(5, 0), SAME),  # 0 of 5: 0 to 0.5218
        (count(40, 40), SAME),
        (count(24, 0, cluster_of_difference=5.0), SAME),  # less than five events
        (count(30, 2, open_new=3), BETTER),
        (count(30, 2, open_new=20), SAME),
        (count(30, 2, open_new=100), OPEN),
        (count(0, 0, open_new=10), OPEN),
        (count(0, 10, open_new=100), WORSE),
        (count(120, 0, open_new=200, cluster_of_difference=10.0, cluster_with_open=4.4), OPEN),
        (count(40, 0, cluster_of_difference=10.0), SAME),  # also with single open pixels
    ],
)
def test_a_number_is_better_only_if_open_pixels_cannot_change_it(given, expected):
    assert given.result == expected


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ((BETTER, BETTER), BETTER), ((BETTER, SAME), BETTER), ((SAME, SAME), SAME), ((BETTER, OPEN), SAME),
        ((BETTER, WORSE), MIXED), ((SAME, WORSE), WORSE), ((OPEN, WORSE), WORSE), ((OPEN, OPEN), SAME),
    ],
)  # fmt: skip
def test_a_mask_is_better_only_if_it_is_worse_in_nothing(results, expected):
    assert verdict(list(results)) == expected
    assert verdict(list(results[::-1])) == expected
