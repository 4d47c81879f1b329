"""The vote over flats, exposure by exposure, on a few small responses made by hand."""

import numpy as np
import pytest

from badpix.vote.flat_votes import FlatVotes
from badpix.vote.settings import FlatSettings
from unit.vote.test_flat_types import BRIGHT, DEFAULTS, positions

BEYOND = DEFAULTS | {
    "dead_search_type": "absolute_rate", "open_neighbour_rule": "mean", "open_includes_dead": True,
    "flat_vote_unit": "exposure",
}  # fmt: skip
SHAPE = (5, 5)
CENTRE = (2, 2)
NEIGHBOURS = ((1, 2), (3, 2), (2, 1), (2, 3))


def response(centre, neighbours=1.0):
    norm = np.ones(SHAPE)
    norm[CENTRE] = centre
    for position in NEIGHBOURS:
        norm[position] = neighbours
    return norm


def vote(exposures, science=None, lit=None, last_groups=None, **changes):
    science = np.ones(SHAPE, bool) if science is None else science
    lit = science if lit is None else lit
    votes = FlatVotes(science, lit, FlatSettings.from_config(BEYOND | changes))
    for norm in exposures:
        votes.add(norm)
    return votes.results(last_groups)


def found(exposures, **changes):
    return {name: positions(result.found) for name, result in vote(exposures, **changes).items() if result.found.any()}


@pytest.mark.parametrize(
    ("responses", "expected"),
    [
        ([0.01] * 4, {"DEAD": {CENTRE}}),
        ([0.01] * 3 + [1], {"DEAD": {CENTRE}}),  # 3 of 4 is three quarters
        ([0.01] * 2 + [1] * 2, {}),
        ([0.3] * 4, {"LOW_QE": {CENTRE}}),
        ([0.01, 0.3, 0.01, 0.3], {"LOW_QE": {CENTRE}}),  # at the limit: dead in half, low in all
        ([0.01] * 3 + [np.nan], {"DEAD": {CENTRE}}),
        ([0.6] * 4, {}),
    ],
)
def test_dead_and_low(responses, expected):
    assert found([response(value) for value in responses]) == expected


@pytest.mark.parametrize("centre", [0.01, 0.3])
def test_open_takes_priority_over_dead_and_low_qe(centre):
    types = found([response(centre, BRIGHT)] * 4)
    assert types.pop("ADJ_OPEN") == {(y, x) for y in (1, 2, 3) for x in (1, 2, 3)} - {CENTRE}
    assert types == {"OPEN": {CENTRE}}


def test_open_in_a_minority_of_flats_gets_the_type_of_all_flats():
    assert found([response(0.3, BRIGHT)] * 2 + [response(0.3)] * 2) == {"LOW_QE": {CENTRE}}


def test_dead_pixels_are_open_only_with_open_includes_dead():
    assert found([response(0.01, BRIGHT)] * 4, open_includes_dead=False) == {"DEAD": {CENTRE}}


def test_bright_neighbours_by_their_mean_or_all_of_them():
    norm = response(0.3, BRIGHT)
    norm[1, 2] = 1.0
    assert found([norm] * 4)["OPEN"] == {CENTRE}
    assert found([norm] * 4, open_neighbour_rule="all") == {"LOW_QE": {CENTRE}}


def test_a_neighbour_without_a_value_abstains():
    norm = response(0.3, BRIGHT)
    norm[1, 2] = np.nan
    assert found([norm] * 4)["OPEN"] == {CENTRE}
    norm[3, 2] = norm[2, 1] = np.nan
    assert found([norm] * 4) == {"LOW_QE": {CENTRE}}  # a single neighbour is too few


def test_pixels_that_are_not_lit_are_insufficient():
    lit = np.ones(SHAPE, bool)
    lit[:, :3] = False
    results = vote([response(0.01)] * 4, lit=lit)
    assert not any(result.found.any() for result in results.values())
    for name in ("DEAD", "LOW_QE", "OPEN"):
        assert np.array_equal(results[name].insufficient, ~lit)


def test_a_minority_is_listed_as_intermittent():
    result = vote([response(0.01)] + [response(1)] * 7)["DEAD"]
    assert not result.found.any()
    assert positions(result.intermittent) == {CENTRE}
    k, n_valid = result.votes["DEAD"]
    assert (k[CENTRE], n_valid[CENTRE]) == (1, 8)


def test_a_pixel_that_is_found_is_not_intermittent():
    assert not vote([response(0.3)] * 3 + [response(0.01)])["DEAD"].intermittent.any()


def test_the_flux_check_removes_dead_pixels_that_were_bright():
    signal = np.zeros(SHAPE)
    signal[CENTRE] = 50000
    assert found([response(0.01)] * 4, last_groups=signal) == {}
    assert found([response(0.01)] * 4, last_groups=signal - 10000) == {"DEAD": {CENTRE}}


def test_searches_that_are_off_find_nothing_and_leave_no_pixel_insufficient():
    results = vote([response(0.01)] * 4, dead_search=False)
    assert positions(results["LOW_QE"].found) == {CENTRE}
    assert not results["DEAD"].found.any() and not results["DEAD"].insufficient.any()
    results = vote([response(0.01)] * 4, low_qe_and_open_search=False)
    assert positions(results["DEAD"].found) == {CENTRE}
    assert not any(results[name].found.any() for name in ("LOW_QE", "OPEN", "ADJ_OPEN"))


def test_reference_pixels_are_never_found():
    science = np.ones(SHAPE, bool)
    science[2] = False
    assert found([response(0.01)] * 4, science=science) == {}
