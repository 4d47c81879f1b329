"""The coupling between pixels, measured from darks with known shares."""

import numpy as np
import pytest

from badpix.vote.coupling import TYPICAL, coupling_of, measure_coupling
from unit.vote.test_halos import DIRECT, N_DARKS, SCENES, SHAPE, SHARES, dark, measured


def test_the_coupling_is_measured_in_each_direction():
    coupling = measured([dark(number) for number in range(N_DARKS)])
    assert coupling.n_sources >= 9
    np.testing.assert_allclose(coupling.shares, SHARES, atol=0.0003)
    assert "hot pixels: left 0.5" in coupling.text and "below 0.4" in coupling.text


def test_without_hot_pixels_the_coupling_is_typical():
    few = {name: SCENES[name] for name in ("gauge 100.0", "gauge 250.0")}
    for scenes in ({}, few):
        assert measured([dark(number, scenes) for number in range(2)]) == TYPICAL
    assert measured([]) == TYPICAL and "too few hot pixels" in TYPICAL.text
    assert measure_coupling([], np.ones(SHAPE, bool)) == TYPICAL


@pytest.mark.parametrize("n_isolated", [0, 10])
def test_hot_pixels_whose_neighbours_are_hot_too_show_no_coupling(n_isolated):
    """Neighbours with dark currents of up to 3% of the brightest pixel of a cluster, and 0.55% by coupling."""
    rng = np.random.default_rng(1)
    rate = np.zeros((256, 256))
    for number, cell in enumerate(rng.permutation(225)[:20]):
        y, x, source = 8 + 16 * (cell // 15), 8 + 16 * (cell % 15), rng.uniform(100, 400)
        rate[y, x] = source
        for dy, dx in DIRECT:
            rate[y + dy, x + dx] = source * (0.0055 + 0.03 * rng.random() * (number >= n_isolated))
    darks = [((rate + rng.normal(0, 0.03, rate.shape)).astype(np.float32), np.zeros(rate.shape, int)) for _ in range(8)]
    assert coupling_of(darks, np.ones(rate.shape, bool)).direct == pytest.approx(0.0055, rel=0.1)
