"""Which quantities show halos, and bad neighbours that do not tell the halo of their source."""

import numpy as np
import pytest
from astropy.io import fits

from unit.vote.test_halos import DIRECT, HALO, N_DARKS, SATURATED, SCENES, WHOLE_ARRAY, Scene, at, dark, types, vote

ONLY_NOISE = {
    "hot_rate_threshold": None, "pedestal_test": "sigma", "ramp_shape_search": False, "telegraph_search": False,
    "slow_telegraph_search": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def darks():
    return [dark(number) for number in range(N_DARKS)]


def test_only_searches_that_are_on_show_halos(darks):
    """Halos raise noise and slopes; without their searches nothing is beyond limits."""
    by_noise = vote(darks, **ONLY_NOISE)[1]["ipc_neighbor"].found
    assert by_noise.any()
    # A slope or pedestal that changes is bad, not one that is beyond the limits.
    for slow_telegraph in (False, True):
        changes = ONLY_NOISE | {"noisy_test": "slopes", "slow_telegraph_search": slow_telegraph}
        found = vote(darks, **changes)[1]["ipc_neighbor"].found
        assert not found.any()


def test_halos_are_compared_with_the_noise_of_their_own_amplifier(darks):
    """An amplifier without values hides no halo of another."""
    left, right = (np.s_[:, :72], np.s_[:, 72:])
    lost = [fits.HDUList([hdu.copy() for hdu in statistics]) for statistics in darks]
    for statistics in lost:
        statistics["CDS_NOISE"].data[0][right] = np.nan
    whole, split = (
        vote(given, amplifiers, **ONLY_NOISE)[1]["ipc_neighbor"].found[left]
        for given, amplifiers in ((darks, WHOLE_ARRAY), (lost, (left, right)))
    )
    assert whole.sum() >= 4 and split.sum() >= 0.7 * whole.sum()


def test_bad_neighbours_above_the_largest_halo_do_not_tell_the_halo():
    """Three neighbours with a pedestal that no halo reaches: the fourth is healthy, and nothing is taken from it."""
    bad, healthy = dict.fromkeys(DIRECT[:3], 2000.0), DIRECT[3]
    name = f"source {SATURATED}"
    scene = Scene({(0, 0): SATURATED}, pedestal=bad)
    _, results = vote([dark(number, SCENES | {name: scene}) for number in range(N_DARKS)])
    assert all(types(results, position) == {"rc"} for position in at(name, bad))
    (position,) = at(name, [healthy])
    assert types(results, position) == HALO


@pytest.mark.parametrize("n_bad", [2, 3, 4])
def test_pedestals_beside_a_source_that_saturates_late_are_no_halo(n_bad):
    """Full after nine groups: in its first group the halo is 33 DN, and no pedestal of 250 DN."""
    bad = dict.fromkeys(DIRECT[:n_bad], 250.0)
    name = "source 3000.0"
    _, results = vote([dark(n, SCENES | {name: Scene({(0, 0): 3000.0}, pedestal=bad)}) for n in range(N_DARKS)])
    assert all(types(results, position) == {"rc"} for position in at(name, bad))
    assert all(types(results, position) == HALO for position in at(name, DIRECT[n_bad:]))
