"""The number of votes that chance does not explain, against numbers by hand."""

import numpy as np
import pytest

from badpix.vote.chance_votes import tail_probabilities, votes_beyond_chance


def test_equal_shares_have_the_binomial_distribution():
    # Of 3 votes with 1/2 each: at least 0, 1, 2, 3 have 8, 7, 4, 1 eighths.
    np.testing.assert_allclose(tail_probabilities(np.full(3, 0.5))[3], np.array([8, 7, 4, 1]) / 8)


def test_different_shares():
    # 0.1 and 0.5: none 0.45, both 0.05.
    np.testing.assert_allclose(tail_probabilities(np.array([0.1, 0.5]))[2], [1, 0.55, 0.05])


@pytest.mark.parametrize(
    ("share", "n_darks", "needed"),
    [
        (0.01, 8, 5),  # 56 x 0.01^5 = 5.6e-9, four votes 7e-7; a minority of three lacks two hits in five darks: 1.0e-3
        (0.02, 8, 6),  # a minority of three with two hits in five darks has 3.8e-3, with three 7.8e-5
        (0.09, 8, 7),  # 8 x 0.09^7 x 0.91 = 3.5e-7; six votes: 1.3e-5
        (0.0003, 8, 4),  # a majority; a minority of three lacks one hit in five darks: 1.5e-3
        (0.3, 8, 9),  # 0.3^8 = 6.6e-5: more than there are
        (0.02, 3, 4),  # 0.02^3 = 8e-6
        (0.01, 1, 2),  # one dark alone never decides
    ],
)
def test_needed_by_hand(share, n_darks, needed):
    assert votes_beyond_chance(np.full(n_darks, share), 0.5, 1e-6)[n_darks] == needed


def test_a_dark_in_which_every_pixel_votes_yes_costs_one_vote():
    quiet = votes_beyond_chance(np.full(7, 0.01), 0.1, 1e-6)[7]
    assert votes_beyond_chance(np.array([0.01] * 7 + [1.0]), 0.1, 1e-6)[8] == quiet + 1


def test_the_fraction_is_kept():
    assert votes_beyond_chance(np.full(8, 1e-6), 1.0, 1e-6)[8] == 8


def test_a_minority_is_counted_in_exposures():
    """Eight darks of two integrations: three bad darks have six votes, and two more by chance have 0.16% in ten."""
    shares = np.full(16, 0.006)
    assert votes_beyond_chance(shares, 0.1, 1e-6, 2)[16] == 8
    # Sixteen darks: seven are bad, and two of nine votes more have 0.13%.
    assert votes_beyond_chance(shares, 0.1, 1e-6, 1)[16] == 9


@pytest.mark.parametrize("n_integrations", [2, 4, 5])
def test_a_single_dark_of_several_integrations(n_integrations):
    """It has no minority, whatever the number of votes of a pixel."""
    needed = votes_beyond_chance(np.full(n_integrations, 0.01), 0.5, 1e-6, n_integrations)
    assert len(needed) == n_integrations + 1 and (needed >= 1).all()
    # Of one vote, 1% of the pixels have it.
    assert needed[1] == 2


def test_of_fewer_votes_those_of_the_largest_shares_are_assumed():
    needed = votes_beyond_chance(np.array([0.01] * 4 + [0.3] * 4), 0.1, 1e-6)
    np.testing.assert_array_equal(needed[:5], votes_beyond_chance(np.full(4, 0.3), 0.1, 1e-6))
