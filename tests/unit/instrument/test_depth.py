"""Which darks of different numbers of groups vote in the tests that depend on it."""

import pytest

from badpix.instrument.depth import depth_warning, least_groups, similar_depth


@pytest.mark.parametrize(
    ("groups", "min_darks", "least"),
    [
        ([], 3, 0),
        ([20] * 5, 3, 14),  # all of 20 vote
        ([40] * 3 + [8] * 3, 3, 27),
        ([40] * 2 + [8] * 3, 3, 6),  # two darks do not decide alone
        ([40] * 3 + [30] * 3, 3, 27),  # 30 is more than two thirds of 40
        ([40] * 3 + [20] * 2 + [8] * 9, 5, 14),  # at least min_darks
        ([40, 8], 1, 6),
        ([40] * 2 + [8] * 3, 1, 6),
    ],
)
def test_the_least_number_of_groups_with_a_vote(groups, min_darks, least):
    assert least_groups(groups, min_darks) == least
    assert least_groups(groups[::-1], min_darks) == least


def test_exposures_of_similar_depth():
    assert similar_depth([]) == [] and similar_depth([20, 20]) == [[0, 1]]
    assert similar_depth([8, 40, 27, 8, 26, 17]) == [[1, 2], [4], [5], [0, 3]]


def test_the_warning_names_the_numbers_and_the_tests():
    assert depth_warning([20] * 3) is None and depth_warning([]) is None
    warning = depth_warning([8, 40, 8, 40, 40])
    assert "(2 of 8 groups, 3 of 40 groups): 2 darks of fewer than 27 groups have no vote" in warning
    assert (
        ": 1 dark of fewer than 27 groups has no vote in the tests that depend on the number of groups"
        in depth_warning([8, 40, 40, 40])
    )
    assert "all vote" in depth_warning([30, 40, 40, 40])
