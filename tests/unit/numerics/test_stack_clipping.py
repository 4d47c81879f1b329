"""Sigma clipping along a stack, against astropy's."""

import numpy as np
import pytest
from astropy.stats import sigma_clip

from badpix.numerics.clipping import CLIP_ITERATIONS
from badpix.response.normalise import clipped_stack


def stack_of(n_integrations, seed):
    """Healthy pixels, outliers, some NaN, an infinite value, and pixels with no value, a single value, equal values."""
    rng = np.random.default_rng(seed)
    stack = rng.normal(100, 3, (n_integrations, 40, 50)).astype(np.float32)
    stack[rng.random(stack.shape) < 0.02] += 300
    stack[rng.random(stack.shape) < 0.05] = np.nan
    stack[0, 0, 0] = np.inf
    stack[:, 1, 1] = np.nan
    stack[1:, 2, 2] = np.nan
    stack[:, 3, 3] = 7
    return stack


@pytest.mark.parametrize("n_integrations", [1, 2, 7, 8, 25, 150])
@pytest.mark.parametrize("sigma", [0.5, 1.5, 3])
@pytest.mark.filterwarnings("ignore:Input data contains invalid values")
def test_as_astropy_clips(n_integrations, sigma):
    stack = stack_of(n_integrations, seed=n_integrations)
    expected = sigma_clip(np.ma.masked_invalid(stack.astype(np.float64)), sigma, maxiters=CLIP_ITERATIONS, axis=0)
    mean, std, number = clipped_stack(stack, sigma)
    assert np.array_equal(number, expected.count(axis=0))
    np.testing.assert_allclose(mean, np.ma.filled(expected.mean(axis=0), np.nan), rtol=1e-13)
    np.testing.assert_allclose(std, np.ma.filled(expected.std(axis=0), np.nan), rtol=1e-9, atol=1e-12)
    assert n_integrations < 8 or (number < np.isfinite(stack).sum(axis=0)).any()
