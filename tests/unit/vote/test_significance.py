"""Thresholds from false-alarm rates: the arithmetic against the distributions themselves."""

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


def test_one_ballot_has_the_whole_probability():
    assert vote_probability(1, 0.75, 1e-3) == pytest.approx(1e-3)


def test_two_of_two_ballots_share_it():
    # p^2 = 1e-4
    assert vote_probability(2, 1.0, 1e-4) == pytest.approx(0.01)


@given(st.integers(1, 200), st.floats(0.05, 1), st.floats(1e-9, 1e-2))
def test_a_false_majority_is_as_probable_as_asked(n, fraction, probability):
    p = vote_probability(n, fraction, probability)
    assert binom.sf(votes_needed(n, fraction) - 1, n, p) == pytest.approx(probability, rel=1e-5)


@given(st.integers(1, 200), st.floats(0.5, 1), st.floats(1e-9, 1e-2))
def test_a_ballot_is_never_cast_on_little(n, fraction, probability):
    assert vote_sigma(n, fraction, probability) >= MIN_VOTE_SIGMA


@given(st.floats(1e-6, 5), st.floats(1e-9, 1e-2))
def test_steps_needed_is_the_smallest_count_that_is_rare_enough(rate, probability):
    needed = poisson_threshold(rate, probability)
    assert needed >= 1
    assert poisson.sf(needed - 1, rate) <= probability * (1 + 1e-9)
    assert needed == 1 or poisson.sf(needed - 2, rate) > probability


def test_bulk_of_a_normal_distribution_with_bad_pixels_on_one_side():
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
def test_the_bulk_of_a_full_frame_is_that_of_a_sample_spread_over_all_columns(width):
    """Every column has its own level: were some columns left out, the bulk would not be that of all."""
    rng = np.random.default_rng(2)
    values = rng.normal(0, 1, (2040, width)) + np.arange(width) % 17 / 10
    judged = subsample(np.ones(values.shape, bool))
    assert SUBSAMPLE_SIZE <= judged.size < values.size
    assert typical_level_and_scatter(values.ravel()[judged]) == pytest.approx(
        typical_level_and_scatter(values), abs=0.015
    )


def test_few_pixels_all_stand_for_themselves():
    chosen = np.random.default_rng(3).random((256, 256)) < 0.9
    assert np.array_equal(subsample(chosen), np.flatnonzero(chosen))


def test_bulk_of_nothing():
    assert np.isnan(typical_level_and_scatter(np.full(5, np.nan))).all()
