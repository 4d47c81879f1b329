"""Thresholds from false-alarm rates, compared with the distributions of scipy.stats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm, poisson

from badpix.vote.significance import (
    MIN_VOTE_SIGMA,
    SUBSAMPLE_SIZE,
    poisson_threshold,
    significance,
    subsample,
    typical_level_and_scatter,
    vote_probability,
    vote_sigma,
)
from badpix.vote.tally import votes_needed


def test_significance_is_the_upper_tail_of_a_normal_distribution():
    assert significance(norm.sf(4.2)) == pytest.approx(4.2)
    # Half a false flag per million lies beyond 4.89 standard deviations.
    assert significance(0.5e-6) == pytest.approx(4.8916, abs=1e-4)


def test_a_single_vote_has_the_full_probability():
    assert vote_probability(1, 0.75, 1e-3) == pytest.approx(1e-3)


def test_two_of_two_votes_share_the_probability():
    # p^2 = 1e-4
    assert vote_probability(2, 1.0, 1e-4) == pytest.approx(0.01)


@given(st.integers(1, 200), st.floats(0.05, 1), st.floats(1e-9, 1e-2))
def test_a_false_majority_has_the_configured_probability(n, fraction, probability):
    p = vote_probability(n, fraction, probability)
    assert binom.sf(votes_needed(n, fraction) - 1, n, p) == pytest.approx(probability, rel=1e-5)


@given(st.integers(1, 200), st.floats(0.5, 1), st.floats(1e-9, 1e-2))
def test_the_vote_threshold_has_a_minimum(n, fraction, probability):
    assert vote_sigma(n, fraction, probability) >= MIN_VOTE_SIGMA


@given(st.floats(1e-6, 5), st.floats(1e-9, 1e-2))
def test_poisson_threshold_is_the_smallest_count_that_is_rare_enough(rate, probability):
    needed = poisson_threshold(rate, probability)
    assert needed >= 1
    assert poisson.sf(needed - 1, rate) <= probability * (1 + 1e-9)
    assert needed == 1 or poisson.sf(needed - 2, rate) > probability


def test_level_and_scatter_of_a_normal_distribution_with_bad_pixels_on_one_side():
    rng = np.random.default_rng(1)
    values = rng.normal(10, 2, 100_000)
    values[:3000] = 1000
    values[3000:3010] = np.nan
    values[3010:3020] = np.inf
    median, sigma = typical_level_and_scatter(values)
    # 3% of bad pixels move the median by 0.04 sigma.
    assert median == pytest.approx(10, abs=0.1)
    assert sigma == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("width", [2040, 508, 512, 1024])
def test_a_subsample_spread_over_all_columns_has_the_level_and_scatter_of_a_full_frame(width):
    """Every column has its own level, so a sample without some columns would have another level."""
    rng = np.random.default_rng(2)
    values = rng.normal(0, 1, (2040, width)) + np.arange(width) % 17 / 10
    sample = subsample(np.ones(values.shape, bool))
    assert SUBSAMPLE_SIZE <= sample.size < values.size
    assert typical_level_and_scatter(values.ravel()[sample]) == pytest.approx(
        typical_level_and_scatter(values), abs=0.015
    )


def test_the_subsample_of_few_pixels_is_all_of_them():
    chosen = np.random.default_rng(3).random((256, 256)) < 0.9
    assert np.array_equal(subsample(chosen), np.flatnonzero(chosen))


def test_level_and_scatter_without_values_are_nan():
    assert np.isnan(typical_level_and_scatter(np.full(5, np.nan))).all()
