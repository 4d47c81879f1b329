"""The darks of a vote, read integration by integration, each plane once for all tests and searches."""

from collections.abc import Iterator, Sequence

import numpy as np

from badpix.formats.statistics_planes import StatisticsPlanes
from badpix.numerics.workers import ONE, Workers
from badpix.vote.dark_extended import DarkExtended
from badpix.vote.dark_integration import DarkIntegration
from badpix.vote.dark_official import PLANES_USED, DarkVote, pedestal_plane


class DarkVoter:
    """Adds darks to the official tests and to the searches; None leaves out either.

    `pedestal_source` is the configuration key. The memory of the images is used again for the next integration.
    """

    def __init__(
        self,
        official: DarkVote | None,
        extended: DarkExtended | None,
        pedestal_source: str,
        workers: Workers = ONE,
    ) -> None:
        self.official, self.extended, self.workers = official, extended, workers
        self.pedestal_source = pedestal_source
        # Not the relative pedestal: it holds the charge of two groups, which cancels a low pedestal.
        self.searched_pedestal = pedestal_plane(pedestal_source, ())
        self.images: dict[str, np.ndarray] = {}

    def add(self, segments: Sequence[StatisticsPlanes], is_shallow: bool = False) -> None:
        """Count the votes of an exposure, whose files are `segments`; a shallow one has no vote in the searches."""
        extended = None if is_shallow else self.extended
        for integration in self._read(segments, extended):
            official = self.workers.start(self._add_official, integration, is_shallow)
            if extended:
                extended.add(integration, self.searched_pedestal, self.workers, official)
            official.result()
        if self.official:
            self.official.end_exposure()
        if extended:
            extended.end_exposure(segments[0].exposure)

    def _add_official(self, integration: DarkIntegration, is_shallow: bool) -> None:
        if self.official:
            self.official.add(integration, is_shallow)

    def _read(self, segments: Sequence[StatisticsPlanes], extended: DarkExtended | None) -> Iterator[DarkIntegration]:
        is_alone = sum(segment.n_integrations for segment in segments) == 1
        for segment in segments:
            voting = pedestal_plane(self.pedestal_source, segment.names)
            names = dict.fromkeys([*PLANES_USED, voting] if self.official else [])
            names |= dict.fromkeys([*extended.planes, self.searched_pedestal] if extended else [])
            for i in range(segment.n_integrations):
                before = self.images
                tasks = {name: self.workers.start(segment.read, name, i, before.get(name)) for name in names}
                self.images = {name: task.result() for name, task in tasks.items()}
                row = segment.rows[i] if len(segment.rows) else None
                yield DarkIntegration(self.images, row, segment.header, voting, segment.exposure, i + 1, is_alone)
