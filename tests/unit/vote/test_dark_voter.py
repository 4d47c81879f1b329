"""The vote of the darks depends neither on the number of threads nor on the size of the integers in the statistics."""

import numpy as np
import pytest
from astropy.io import fits

from badpix.instrument.readout import GroupTimes
from badpix.numerics.workers import workers_of
from badpix.vote.searches.base import Integration
from unit.vote.adding import add
from unit.vote.test_dark_extended import COUNTS, PIXEL, exposure, extended

PIXELS = {
    PIXEL: {"SLOPE": 3.0, "NSAT": 3, "FIRST_SAT": 20, "N_JUMP_UP": 140, "N_JUMP_DOWN": 140, "CDS_NOISE": 60.0},
    (10, 11): {"SLOPE": 4000.0, "PEDESTAL_T0": 900.0},
    (20, 20): {"N_JUMP_UP": 200, "N_JUMP_DOWN": 200},
    (25, 70): {"NGOOD": 0, "VAR_POISSON": 0.062, "CDS_NOISE": 40.0},
}
# In two of five darks.
SELDOM = {(40, 20): {"N_JUMP_UP": 200, "N_JUMP_DOWN": 200}}


def results(threads=1, change=lambda statistics: statistics, n_integrations=1):
    """Every image of a vote with halos and local levels."""
    beyond = extended(5, ipc_neighbor_search=True)
    with workers_of(threads) as workers:
        for seed in range(5):
            add(beyond, change(exposure(seed, PIXELS | (SELDOM if seed < 2 else {}), n_integrations)), workers=workers)
    beyond.end()
    return beyond.results()


def same(first, second):
    assert first.keys() == second.keys()
    for name, result in first.items():
        other = second[name]
        np.testing.assert_array_equal(result.found, other.found)
        np.testing.assert_array_equal(result.insufficient, other.insufficient)
        for test, counts in result.votes.items():
            for image, again in zip(counts, other.votes[test], strict=True):
                np.testing.assert_array_equal(image, again)
                assert image.dtype == again.dtype
        if result.intermittent is not None:
            np.testing.assert_array_equal(result.intermittent, other.intermittent)
        assert result.thresholds == other.thresholds


@pytest.mark.parametrize("n_integrations", [1, 3])
@pytest.mark.parametrize("threads", [2, 3])
def test_the_number_of_threads_changes_nothing(threads, n_integrations):
    same(results(1, n_integrations=n_integrations), results(threads, n_integrations=n_integrations))


@pytest.mark.parametrize("n_integrations", [1, 3])
def test_counts_of_8_bits_give_the_same_votes(n_integrations):
    """140 jumps, twice as many and a count minus one do not fit into 8 bits, or into those without a sign."""

    def narrow(statistics):
        for name in COUNTS.keys() - {"FIRST_SAT"}:
            statistics[name] = fits.ImageHDU(statistics[name].data.astype(np.uint8), name=name)
        return statistics

    same(results(n_integrations=n_integrations), results(change=narrow, n_integrations=n_integrations))


def test_jumps_of_many_exposures_do_not_overflow():
    """Sums beyond 16 bits, of 300 darks with 255 jumps."""
    beyond, n = extended(300, slow_telegraph_search=False), 300
    telegraph = next(run for run in beyond.measuring if hasattr(run, "totals"))
    images = {name: np.full((60, 80), 255, np.uint8) for name in (*telegraph.totals, "NGOOD")}
    for number in range(n):
        telegraph.add(Integration(images, GroupTimes(10.0, 10.0, 1), np.arange(4800), f"d{number}", 1, is_alone=True))
        telegraph.end_exposure(f"d{number}")
    assert all((total == 255 * n).all() for total in telegraph.totals.values())
    assert (telegraph.votes.n_valid == n).all()
