"""Halos of bad pixels: pixels that only the coupled signal of a neighbour would make bad."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from badpix.formats.pixel_types import HALO_TYPE
from badpix.formats.thresholds import vote_rows
from badpix.formats.type_result import TypeResult
from badpix.vote.searches.base import Context, Integration, Measured, Search, SearchRun, VoteCount
from badpix.vote.tally import Tally, decide


@dataclass(frozen=True)
class IpcNeighborSearch(Search):
    """ipc_neighbor: beyond the limits of another search, but not without the halo of a neighbour.

    While the search is on, the halos are removed from the quantities of all searches (`badpix.vote.halos`).
    """

    ipc_neighbor_search: bool
    hot_fraction: float

    planes = ("SLOPE", "CDS_FIRST", "CDS_EARLY", "CDS_LATE", "CDS_NOISE", "N_JUMP_UP", "NSAT", "FIRST_SAT", "NGOOD")
    counts = (VoteCount("halo", "Beyond the limits by the halo of a neighbour alone", (HALO_TYPE,)),)
    lists_intermittent = False

    def is_on(self) -> bool:
        return self.ipc_neighbor_search

    @property
    def removes_halos(self) -> bool:
        return self.is_on()

    def header_keys(self) -> tuple[str, ...]:
        return "ipc_neighbor_search", "hot_fraction"

    def fraction(self, measure: str) -> float:  # noqa: ARG002 - there is no measure
        return self.hot_fraction

    def measured(self, integration: Integration) -> Iterator[Measured]:  # noqa: ARG002 - there is no measure
        return iter(())

    def start(self, context: Context) -> "IpcNeighborRun":
        return IpcNeighborRun(self, context)


class IpcNeighborRun(SearchRun):
    """Counts the integrations in which a halo alone is beyond the limits; added after all other runs.

    `source` is the flat index of the source of each pixel, int32 (y, x); -1 without a source.
    """

    search: IpcNeighborSearch

    def __init__(self, search: IpcNeighborSearch, context: Context) -> None:
        super().__init__(search, context)
        self.votes = Tally(context.science.shape)
        self.source = np.full(context.science.shape, -1, np.int32)

    def add(self, integration: Integration) -> None:
        yes, halos = np.zeros(self.context.science.shape, bool), integration.halos
        if halos is not None:
            seen = halos.pixels[halos.seen]
            yes.reshape(-1)[seen] = True
            self.source.reshape(-1)[seen] = halos.sources[halos.seen]
        self.votes.add(yes, integration.planes["NGOOD"] > 0)

    def results(self, scale: np.ndarray) -> dict[str, TypeResult]:  # noqa: ARG002 - a vote of counts
        k, n_valid, min_valid = self.votes.k, self.votes.n_valid, self.context.min_valid
        found = decide(k, n_valid, self.search.hot_fraction, min_valid) & self.context.science
        thresholds = vote_rows("halo", self.search.hot_fraction, "integrations", min_valid)
        insufficient = (n_valid < max(1, min_valid)) & self.context.science
        return {HALO_TYPE: TypeResult(found, insufficient, {"halo": (k, n_valid)}, thresholds=thresholds)}
