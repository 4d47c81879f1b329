"""Votes with flats of the sky: where the error of the response does not allow a limit, a pixel is INSUFFICIENT."""

import dataclasses

import numpy as np
import pytest

from badpix.vote.flat_errors import below_is_bad, may_be_dead
from badpix.vote.flat_types import flat_results
from badpix.vote.flat_votes import FlatVotes
from badpix.vote.settings import FlatSettings
from unit.test_adapters import config

SHAPE = (9, 9)
SCIENCE = np.ones(SHAPE, bool)
ABSOLUTE = FlatSettings.from_config(config(dead_search_type="absolute_rate"))
FLIGHT = dataclasses.replace(ABSOLUTE, flat_vote_unit="exposure", open_neighbour_rule="mean", flat_vote_fraction=0.5)
NUMBER = np.full(SHAPE, 10)


def ones(**values):
    """A response of 1 but for pixels given as y_x: value."""
    image = np.ones(SHAPE)
    for name, value in values.items():
        y, x = name.strip("p").split("_")
        image[int(y), int(x)] = value
    return image


def by_mean(norm, error, settings=ABSOLUTE):
    return flat_results(norm, NUMBER, SCIENCE, settings, error=np.broadcast_to(error, SHAPE))


def by_votes(norms, error, settings=FLIGHT):
    vote = FlatVotes(SCIENCE, SCIENCE, settings)
    for norm in norms:
        vote.add(norm, error=np.broadcast_to(error, SHAPE))
    return vote.results()


def test_a_limit_needs_a_healthy_pixel_four_sigma_above():
    """(1 - 0.5) / 4 = 0.125."""
    assert below_is_bad(0.5, np.array([0.12, 0.125, 0.126])).tolist() == [True, True, False]
    assert not below_is_bad(0.5, np.array([np.nan])).any()
    assert may_be_dead(np.array([0.29, 0.31, np.nan]), np.array([0.1, 0.1, 0.1])).tolist() == [True, False, False]


def test_a_small_error_changes_nothing():
    norm = ones(p2_2=0.01, p5_5=0.3, p5_4=1.2, p5_6=1.2, p4_5=1.2, p6_5=1.2, p7_1=0.3)
    exact, without = by_mean(norm, 0.001), flat_results(norm, NUMBER, SCIENCE, ABSOLUTE)
    for name, result in without.items():
        assert (result.found == exact[name].found).all() and not exact[name].insufficient.any(), name
    assert without["OPEN"].found.sum() == without["LOW_QE"].found.sum() == without["DEAD"].found.sum() == 1


@pytest.mark.parametrize("classify", [by_mean, lambda norm, error: by_votes([norm] * 3, error)])
def test_a_sky_that_is_too_faint_for_low_qe_is_insufficient(classify):
    """Errors of 0.13 allow the limit 0.05 of DEAD, not 0.5."""
    results = classify(ones(p2_2=0.01, p5_5=0.3), 0.13)
    assert results["DEAD"].found.sum() == 1 and results["DEAD"].found[2, 2]
    for name in ("LOW_QE", "OPEN", "ADJ_OPEN"):
        assert not results[name].found.any() and results[name].insufficient.all(), name
    results = classify(ones(p2_2=0.01), 0.3)
    assert not any(result.found.any() for result in results.values())
    assert all(result.insufficient.all() for result in results.values())


@pytest.mark.parametrize("classify", [by_mean, lambda norm, error: by_votes([norm] * 3, error)])
def test_open_needs_exact_neighbours(classify):
    """1.05 - 1 is three errors of the mean of four neighbours where each has an error of 0.033."""
    norm = ones(p5_5=0.3, p5_4=1.2, p5_6=1.2, p4_5=1.2, p6_5=1.2)
    assert classify(norm, 0.033)["OPEN"].found[5, 5]
    results = classify(norm, 0.034)
    assert not results["OPEN"].found.any() and results["LOW_QE"].found[5, 5]
    assert results["OPEN"].insufficient.sum() == 1 and results["OPEN"].insufficient[5, 5]
    assert results["ADJ_OPEN"].insufficient.sum() == 9 and results["ADJ_OPEN"].insufficient[4:7, 4:7].all()
    assert not results["LOW_QE"].insufficient.any()


def test_a_pixel_that_may_be_dead_is_insufficient_for_dead():
    results = by_mean(ones(p2_2=0.1, p3_3=0.4), 0.1)
    assert not results["DEAD"].found.any() and results["LOW_QE"].found.sum() == 2
    assert results["DEAD"].insufficient.sum() == 1 and results["DEAD"].insufficient[2, 2]
    vote = FlatVotes(SCIENCE, SCIENCE, FLIGHT)
    vote.add(ones(p2_2=0.1), error=np.full(SHAPE, 0.05))
    assert (
        vote.results(undecided_dead=may_be_dead(ones(p2_2=0.1), np.full(SHAPE, 0.05)))["DEAD"].insufficient.sum() == 1
    )


def test_a_covered_pixel_is_decided_by_the_other_flats():
    bright, dead = ones(p2_2=np.nan, p3_3=np.nan), ones(p2_2=0.01, p3_3=np.nan)
    results = by_votes([bright, bright, dead], 0.01)
    assert results["DEAD"].found[2, 2] and results["DEAD"].votes["DEAD"][1][2, 2] == 1
    assert all(result.insufficient[3, 3] and result.insufficient.sum() == 1 for result in results.values())


def test_one_faint_flat_abstains():
    vote = FlatVotes(SCIENCE, SCIENCE, FLIGHT)
    for error, low in ((0.01, 1.0), (0.01, 1.0), (0.2, 0.1), (0.2, 0.1), (0.2, 0.1)):
        vote.add(ones(p4_4=low), error=np.full(SHAPE, error))
    results = vote.results()
    assert not results["LOW_QE"].found.any() and not results["LOW_QE"].insufficient.any()
    assert results["LOW_QE"].votes["LOW_QE"][1][4, 4] == 2
