"""Priorities between types of bad pixel that exclude each other, because one type explains the other."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from badpix.formats.pixel_types import PIXEL_TYPES
from badpix.formats.type_result import TypeResult
from badpix.vote.searches.base import Search


def priorities(searches: Iterable[Search]) -> dict[str, tuple[str, ...]]:
    """Type -> the types that take priority over it, while `searches` are on."""
    explained_by = {name: pixel_type.explained_by for name, pixel_type in PIXEL_TYPES.items()}
    for search in searches:
        losers = search.takes_priority_over
        for name in search.types() if losers else ():
            explained_by[name] = tuple(winner for winner in explained_by[name] if winner not in losers)
            for loser in losers:
                explained_by[loser] = (*explained_by[loser], name)
    return explained_by


def apply_priority(
    results: Mapping[str, TypeResult], explained_by: Mapping[str, tuple[str, ...]]
) -> dict[str, TypeResult]:
    """`results` by type, each without the pixels of the types that take priority over it."""
    exclusive = {}
    for name, result in results.items():
        found = result.found.copy()
        for winner in explained_by[name]:
            if winner in results:
                found &= ~results[winner].found
        exclusive[name] = replace(result, found=found)
    return exclusive


def intermittent_only(results: Mapping[str, TypeResult]) -> dict[str, TypeResult]:
    """`results`, with the pixels found as any type removed from all lists of intermittent pixels."""
    found = np.logical_or.reduce([result.found for result in results.values()])
    return {
        name: result if result.intermittent is None else replace(result, intermittent=result.intermittent & ~found)
        for name, result in results.items()
    }
