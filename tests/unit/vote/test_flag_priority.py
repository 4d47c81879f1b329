"""Priorities: a type loses the pixels that a type of higher priority explains."""

import numpy as np
import pytest

from badpix.formats.pixel_types import PIXEL_TYPES
from badpix.formats.type_result import TypeResult
from badpix.vote.flag_priority import apply_priority, intermittent_only, priorities
from badpix.vote.searches.telegraph import TelegraphSearch


def remaining(*names, telegraph_search=False):
    """The types that a pixel keeps which was found as all `names`."""
    results = {name: TypeResult(np.array([[name in names]]), np.array([[False]]), {}) for name in PIXEL_TYPES}
    kept = apply_priority(results, priorities([TelegraphSearch(True, 0.5)] if telegraph_search else []))
    assert list(kept) == list(PIXEL_TYPES)
    return {name for name, result in kept.items() if result.found[0, 0]}


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (("rc", "hot", "warm", "high_cr", "noisy"), {"rc"}),
        (("inverse_rc", "low_pedestal", "high_cr", "noisy"), {"inverse_rc"}),
        (("hot", "noisy"), {"hot"}),
        (("high_cr", "noisy"), {"high_cr"}),
        (("warm", "noisy"), {"warm", "noisy"}),
        (("OPEN", "DEAD", "LOW_QE"), {"OPEN"}),
        (("DEAD", "LOW_QE"), {"DEAD"}),
        (("DEAD", "hot", "ADJ_OPEN"), {"DEAD", "hot", "ADJ_OPEN"}),
        (("rc", "low_pedestal"), {"rc", "low_pedestal"}),
    ],
)
def test_what_remains(names, kept):
    assert remaining(*names) == kept


def test_downward_jumps_explain_types_that_jumps_do_not():
    assert remaining("high_cr", "rc") == {"rc"}
    assert remaining("high_cr", "rc", "inverse_rc", "hot", "low_pedestal", "noisy", telegraph_search=True) == {
        "high_cr"
    }


def test_priority_needs_no_results_of_all_types():
    results = {"hot": TypeResult(np.array([[True]]), np.array([[False]]), {})}
    assert apply_priority(results, priorities([]))["hot"].found[0, 0]


def test_a_pixel_that_is_found_is_not_intermittent():
    no_pixel = np.zeros((1, 3), bool)
    intermittent = np.array([[True, True, False]])
    results = {
        "hot": TypeResult(no_pixel, no_pixel, {}, intermittent),
        "rc": TypeResult(np.array([[True, False, False]]), no_pixel, {}),
    }
    result = intermittent_only(results)
    assert result["hot"].intermittent.tolist() == [[False, True, False]]
    assert result["rc"].intermittent is None


def test_two_searches_for_one_type():
    first = TypeResult(
        np.array([True, False, False]), np.array([False, True, True]), {"a": 1}, np.array([False, True, True])
    )
    second = TypeResult(np.array([False, True, False]), np.array([True, False, True]), {"b": 2})
    both = first.either(second)
    assert both.found.tolist() == [True, True, False]
    assert both.insufficient.tolist() == [False, False, True]
    assert both.intermittent.tolist() == [False, False, True]
    assert both.votes == {"a": 1, "b": 2}
