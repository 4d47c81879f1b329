"""Sigma clipping of sorted values, compared with astropy."""

import numpy as np
import pytest
from astropy.stats import sigma_clip

from badpix.numerics.clipping import clipped_mean_std


@pytest.mark.parametrize("sigma", [2, 3, 4.5])
@pytest.mark.parametrize("iterations", [1, 3, 10, None])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_as_astropy(sigma, iterations, dtype):
    rng = np.random.default_rng(7)
    values = np.concatenate([rng.normal(1e4, 5, 20_001), rng.exponential(300, 500), rng.normal(-4e4, 9e3, 200)])
    values = values.astype(dtype)
    kept = sigma_clip(values.astype(np.float64), sigma=sigma, maxiters=iterations, masked=False)
    mean, std, number = clipped_mean_std(np.append(values, [np.nan, np.inf]), sigma, iterations)
    assert (mean, std) == (pytest.approx(kept.mean(), rel=1e-9), pytest.approx(kept.std(), rel=1e-9))
    assert number == values.size


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("outliers", [300, 9_000])
def test_median_that_moves_as_astropy(side, outliers):
    """The median moves by little with few outliers, and by much with many."""
    rng = np.random.default_rng(8)
    values = side * np.concatenate([rng.normal(100, 5, 20_000), 10 ** rng.uniform(3, 8, outliers)])
    kept = sigma_clip(values, sigma=3, maxiters=None, masked=False)
    assert kept.size <= 20_050
    mean, std, _ = clipped_mean_std(values, 3)
    assert (mean, std) == (pytest.approx(kept.mean(), rel=1e-9), pytest.approx(kept.std(), rel=1e-9))


@pytest.mark.parametrize("seed", range(100))
def test_few_values_as_astropy(seed):
    """The limits move with each iteration: with seeds 40 and 61 a value clipped before lies within the last limits.

    Such a value is kept, as in the masked array of astropy; with `masked=False` astropy does not keep it.
    """
    values = np.random.default_rng(seed).normal(0, 1, 25)
    kept = sigma_clip(values, sigma=1.2, maxiters=5).compressed()
    assert clipped_mean_std(values, 1.2, 5)[:2] == (pytest.approx(kept.mean()), pytest.approx(kept.std()))


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0, 5.0], [1.0, 2.0]])
def test_nothing_to_clip(values):
    assert clipped_mean_std(values, 3) == (np.mean(values), np.std(values), len(values))


def test_values_at_the_limits_stay():
    assert clipped_mean_std([1.0, 2.0], 1) == (1.5, 0.5, 2)


def test_nothing_finite():
    mean, std, number = clipped_mean_std([np.nan, -np.inf], 3)
    assert np.isnan(mean) and np.isnan(std) and number == 0
