"""All searches of darks beyond the official algorithm; whatever walks the searches starts here."""

from collections.abc import Iterable, Mapping

from badpix.vote.searches.base import Search
from badpix.vote.searches.noise import NoiseSearch
from badpix.vote.searches.pedestal import PedestalSearch
from badpix.vote.searches.ramp_shape import RampShapeSearch
from badpix.vote.searches.rate import RateSearch
from badpix.vote.searches.telegraph import TelegraphSearch

# The order of their results: first the noise, by which the limits of the others are scaled.
SEARCHES: tuple[type[Search], ...] = (NoiseSearch, RateSearch, PedestalSearch, RampShapeSearch, TelegraphSearch)


def measured_searches(searches: Iterable[Search]) -> tuple[Search, ...]:
    """Those of `searches` that measure the darks: all that are on, and the noise, which scales limits of the others."""
    searches = tuple(searches)
    any_on = any(search.is_on() for search in searches)
    return tuple(search for search in searches if search.is_on() or any_on and isinstance(search, NoiseSearch))


def configured_searches(config: Mapping) -> tuple[Search, ...]:
    """All searches with their keys from `config`, on or off."""
    return tuple(search.from_config(config) for search in SEARCHES)
