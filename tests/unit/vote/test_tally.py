"""The vote: k, n_valid, fraction. The arithmetic is done by hand or with exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from badpix.vote.outlier_test import OutlierTest
from badpix.vote.tally import MAX_VOTES, Tally, decide, votes_needed


@pytest.mark.parametrize(
    ("n_valid", "fraction", "needed"),
    [
        (5, 0.8, 4),  # 4.0
        (8, 0.8, 7),  # 6.4
        (4, 0.8, 4),  # 3.2
        (10, 0.5, 5),
        (9, 0.5, 5),  # 4.5
        (1, 0.5, 1),  # 0.5
        (100, 0.55, 55),  # 55.00000000000001 in floating point
        (100, 0.29, 29),  # 28.999999999999996
        (100, 0.07, 7),  # 7.000000000000001
        (3, 0.0, 1),  # never without a single vote
        (7, 1.0, 7),
    ],
)
def test_votes_needed_by_hand(n_valid, fraction, needed):
    assert votes_needed(n_valid, fraction) == needed
    assert not decide(needed - 1, n_valid, fraction)
    assert decide(needed, n_valid, fraction)
    assert needed + 1 > n_valid or decide(needed + 1, n_valid, fraction)


@given(st.integers(1, 1000), st.integers(1, 100), st.data())
def test_inclusive_at_every_percentage(n_valid, percent, data):
    """Flagged exactly when k/n >= the fraction, in exact arithmetic."""
    k = data.draw(st.integers(0, n_valid))
    expected = k >= 1 and Fraction(k, n_valid) >= Fraction(percent, 100)
    assert bool(decide(k, n_valid, percent / 100)) == expected


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0.01, 1), st.integers(1, 10))
def test_properties(k, n_valid, fraction, min_valid):
    k = min(k, n_valid)
    flagged = bool(decide(k, n_valid, fraction, min_valid))
    if n_valid < min_valid or n_valid == 0:
        assert not flagged
    if flagged:
        assert decide(min(k + 1, n_valid), n_valid, fraction, min_valid), "a further yes removes no flag"
        assert decide(k, max(k, n_valid - 1), fraction) or n_valid == 1, "removing a no removes no flag"
    assert decide(n_valid, n_valid, fraction) == (n_valid > 0), "all valid votes are yes"


def test_without_votes_nothing_is_found():
    assert not decide(0, 0, 0.5)
    assert not decide(0, 0, 0.0, min_valid=0)


def test_arrays_and_scalars_agree():
    k, n = np.arange(5), np.array([0, 1, 4, 4, 5])
    assert decide(k, n, 0.75).tolist() == [bool(decide(a, b, 0.75)) for a, b in zip(k, n, strict=True)]


def test_an_abstention_is_neither_yes_nor_no():
    tally = Tally((1, 3))
    tally.add(np.array([[True, True, False]]), np.array([[True, False, True]]))
    tally.add(np.array([[True, True, False]]), np.array([[True, True, False]]))
    assert tally.k.tolist() == [[2, 1, 0]]
    assert tally.n_valid.tolist() == [[2, 1, 1]]


def test_votes_are_counted_to_the_limit_or_refused():
    tally, yes = Tally((1, 1)), np.ones((1, 1), bool)
    for _ in range(MAX_VOTES):
        tally.add(yes, yes)
    assert tally.k[0, 0] == tally.n_valid[0, 0] == MAX_VOTES == 32767
    assert decide(tally.k, tally.n_valid, 1.0)[0, 0]
    with pytest.raises(ValueError, match="32768 votes per pixel"):
        tally.add(yes, yes)
    with pytest.raises(ValueError, match="at most 32767"):
        OutlierTest(yes, MAX_VOTES + 1, 0.5, 1e-6)


@pytest.mark.parametrize("yes, valid", [((2, 3), (3, 2)), ((6,), (2, 3)), ((), (2, 3))])
def test_votes_of_another_shape_are_refused(yes, valid):
    with pytest.raises(ValueError, match=r"counted in \(2, 3\)"):
        Tally((2, 3)).add(np.ones(yes, bool), np.ones(valid, bool))


@pytest.mark.parametrize("n_votes", [255, 256, 1000])
def test_more_votes_than_8_bits_hold_are_counted(n_votes):
    tally, yes = Tally((2, 3)), np.ones((2, 3), bool)
    for _ in range(n_votes):
        for rows in (slice(0, 1), slice(1, 2)):
            tally.add(yes[rows], yes[rows], rows)
    assert (tally.k == n_votes).all() and (tally.n_valid == n_votes).all()
    assert decide(tally.k, tally.n_valid, 1.0).all()
