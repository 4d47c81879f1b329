"""The list of all searches of darks beyond the official algorithm."""

from collections.abc import Iterable, Mapping

from badpix.vote.searches.base import Search
from badpix.vote.searches.cold import ColdSearch
from badpix.vote.searches.ipc_neighbor import IpcNeighborSearch
from badpix.vote.searches.noise import NoiseSearch
from badpix.vote.searches.pedestal import PedestalSearch
from badpix.vote.searches.ramp_shape import RampShapeSearch
from badpix.vote.searches.rate import RateSearch
from badpix.vote.searches.slow_telegraph import SlowTelegraphSearch
from badpix.vote.searches.telegraph import TelegraphSearch

# The order of the results. The noise comes first, because it scales the limits of the remaining searches. A search that
# gives way to types comes after the searches of these types. The halos come last: they depend on all other searches.
SEARCHES: tuple[type[Search], ...] = (
    NoiseSearch, RateSearch, PedestalSearch, RampShapeSearch, TelegraphSearch, ColdSearch,
    SlowTelegraphSearch, IpcNeighborSearch,
)  # fmt: skip


def measured_searches(searches: Iterable[Search]) -> tuple[Search, ...]:
    """The searches that measure the darks: all that are on, and NoiseSearch, whose noise scales the limits."""
    searches = tuple(searches)
    any_on = any(search.is_on() for search in searches)
    return tuple(search for search in searches if search.is_on() or any_on and isinstance(search, NoiseSearch))


def configured_searches(config: Mapping) -> tuple[Search, ...]:
    """All searches with their keys from `config`, on or off."""
    return tuple(search.from_config(config) for search in SEARCHES)
