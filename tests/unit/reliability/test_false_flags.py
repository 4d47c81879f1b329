"""The expected false flags, compared with the same votes on simulated detectors of healthy pixels."""

import numpy as np
import pytest

from badpix.reliability.false_flags import (
    Spread,
    VoteCounts,
    expected_below,
    expected_noisy,
    jump_probability,
    jump_rate,
    majority_probability,
    vote_counts_of,
)
from badpix.vote.tally import decide

PIXELS = 200_000


def rng():
    return np.random.default_rng(11)


def close(number, expected):
    """Within four standard deviations of a Poisson count."""
    return abs(number - expected) < 4 * np.sqrt(expected)


def votes(yes, fraction):
    """Number of pixels flagged by `yes`, bool (exposure, integration, pixel): majority of integrations, then vote."""
    n_exposures, n_integrations, _ = yes.shape
    votes = decide(yes.sum(axis=1), np.full(yes.shape[::2], n_integrations), 0.5)
    return np.count_nonzero(decide(votes.sum(axis=0), np.full(yes.shape[2], n_exposures), fraction))


def test_a_vote_by_hand():
    assert majority_probability(3, 0.5, 0.1) == pytest.approx(3 * 0.1**2 * 0.9 + 0.1**3)  # 2 or 3 of 3
    assert majority_probability(5, 0.8, 0.1) == pytest.approx(5 * 0.1**4 * 0.9 + 0.1**5)  # 4 or 5 of 5
    assert majority_probability(1, 0.01, 0.25) == 0.25


@pytest.mark.parametrize(("integrations", "fraction"), [(1, 0.8), (3, 0.5), (2, 0.4)])
def test_independent_votes(integrations, fraction):
    yes = rng().random((5, integrations, PIXELS)) < 0.2
    expected = VoteCounts({5: PIXELS}, fraction, integrations).expected(0.2)
    assert expected > 100 and close(votes(yes, fraction), expected)


def test_pixels_with_too_few_valid_votes_are_not_counted():
    n_valid = np.array([[0, 1, 2, 2], [2, 3, 3, 3]])
    science = np.ones((2, 4), bool)
    science[1, 3] = False
    assert vote_counts_of(n_valid, science, 2, 0.5).counts == {2: 3, 3: 2}
    assert vote_counts_of(n_valid, science, 1, 0.5).counts == {1: 1, 2: 3, 3: 2}


@pytest.mark.parametrize("fixed", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("side", [0, 1])
def test_pedestals_with_a_fixed_pattern(fixed, side):
    random = rng()
    pattern = np.sqrt(fixed) * random.standard_normal(PIXELS)
    spread, yes = Spread.empty(PIXELS), np.zeros((5, 2, PIXELS), bool)
    for exposure in range(5):
        for integration in range(2):
            values = 30 + 4 * (pattern + np.sqrt(1 - fixed) * random.standard_normal(PIXELS))
            spread.add(values, 30.0, 1.5 * 4)
            yes[exposure, integration] = (values > 36) if side == 0 else (values < 24)
    assert spread.share_fixed == pytest.approx(fixed, abs=0.02)
    expected = spread.expected(VoteCounts({5: PIXELS}, 0.6, 2), side)
    # The uncertainty of the share of the pattern adds to the uncertainty of the count.
    assert abs(votes(yes, 0.6) - expected) < 4 * np.sqrt(expected) + 0.05 * expected


@pytest.mark.parametrize("n", [5, 12])
def test_scatter_of_few_slopes(n):
    slopes = 0.02 * rng().standard_normal((n, PIXELS))
    std, cut = slopes.std(axis=0), 0.02 * np.sqrt(2.2)
    expected = expected_noisy(np.full(PIXELS, n), np.ones(PIXELS, bool), std, cut)
    number = np.count_nonzero(std > cut)
    assert number > 100 and abs(number - expected) < 4 * np.sqrt(number) + 0.05 * number


def test_scatter_of_different_numbers_of_slopes():
    n_clean = np.repeat([4, 10], PIXELS // 2)
    slopes = rng().standard_normal((10, PIXELS))
    std = np.where(n_clean == 4, slopes[:4].std(axis=0), slopes.std(axis=0))
    expected = expected_noisy(n_clean, np.ones(PIXELS, bool), std, 1.6)
    number = np.count_nonzero(std > 1.6)
    assert number > 100 and abs(number - expected) < 4 * np.sqrt(number) + 0.05 * number
    assert expected_noisy(n_clean, np.zeros(PIXELS, bool), std, 1.6) == 0


@pytest.mark.parametrize("rate", [0.01, 1.0, 2.5])
def test_jumps(rate):
    n_jump = rng().poisson(rate, PIXELS)
    n_jump[:1000] = 25  # a few bad pixels have little effect
    assert jump_rate(n_jump[1000:]) == pytest.approx(rate, rel=0.1)
    assert jump_rate(n_jump) == pytest.approx(rate, rel=0.1, abs=0.01)
    many = np.count_nonzero(n_jump[1000:] >= 5)
    assert abs(many - (PIXELS - 1000) * jump_probability(rate, 5)) <= 4 * np.sqrt(many) + 1
    assert jump_rate(np.full(10, 30)) == 30


def test_a_normal_tail():
    values = 1 + 0.1 * rng().standard_normal(PIXELS)
    assert close(np.count_nonzero(values < 0.75), expected_below(values, 0.75))
    assert expected_below(np.full(5, np.nan), 0.5) == 0
