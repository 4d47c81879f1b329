"""The scatter of slopes of darks of several numbers of groups."""

import numpy as np
import pytest

from badpix.vote.slope_scatter import SlopeScatter

N_PIXELS = 20_000
# Noise of a slope in DN/s by the number of groups.
SIGMA = {40: 0.1, 8: 1.1}


def scatter_of(sets, factor=1.0, offset=0.0, seed=1):
    """The scatter of pixels whose noise is `factor` x SIGMA; `sets` lists (groups, integrations)."""
    rng, scatter = np.random.default_rng(seed), SlopeScatter((1, N_PIXELS))
    noise = np.ones(N_PIXELS)
    noise[0] = factor
    for n_groups, count in sets:
        for _ in range(count):
            level = offset if n_groups == 8 else 0.0
            slope = level + SIGMA[n_groups] * noise * rng.normal(size=(1, N_PIXELS))
            scatter.add(slope, np.ones((1, N_PIXELS), bool), n_groups)
    return scatter.result()


def test_short_ramps_do_not_hide_a_pixel_that_is_noisy_in_all():
    std, n = scatter_of([(40, 6), (8, 6)], factor=6)
    assert (n == 12).all()
    # In a single scatter of all slopes, the noise of the short ramps would decide alone.
    assert np.median(std) == pytest.approx(SIGMA[40] * 0.9, rel=0.05)
    assert std[0, 0] > std[0, 1:].mean() + 5 * std[0, 1:].std()


def test_healthy_pixels_scatter_no_more_than_with_slopes_of_one_number_of_groups():
    (mixed, _), (equal, _) = scatter_of([(40, 6), (8, 6)]), scatter_of([(40, 12)])
    ratio = [std.max() / np.median(std) for std in (mixed, equal)]
    assert ratio[0] < 1.1 * ratio[1]


def test_a_level_of_its_own_of_the_short_ramps_is_no_noise():
    (plain, _), (offset, _) = (scatter_of([(40, 4), (8, 4)], offset=level) for level in (0, 50))
    np.testing.assert_allclose(plain, offset, rtol=1e-3)


def test_a_single_slope_of_a_number_of_groups_does_not_count():
    _, n = scatter_of([(40, 4), (8, 1)])
    assert (n == 4).all()
    std, n = scatter_of([(40, 1), (8, 1)])
    assert (n == 0).all() and (std == 0).all()


def test_a_pixel_with_a_single_slope_of_a_number_of_groups_has_one_slope_less():
    scatter, rng = SlopeScatter((1, 3)), np.random.default_rng(1)
    for n_groups, last in ((40, True), (40, True), (8, True), (8, False)):
        scatter.add(rng.normal(size=(1, 3)), np.array([[True, True, last]]), n_groups)
    assert scatter.result()[1].tolist() == [[4, 4, 2]]
