"""All searches of darks beyond the official algorithm in one pass over the exposures, combined with its tests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from astropy.io import fits

from badpix.formats.type_result import TypeResult
from badpix.instrument.readout import GroupTimes
from badpix.vote.coupling import TYPICAL, Coupling
from badpix.vote.dark_official import OFFICIAL_TYPES, DarkVote
from badpix.vote.halos import HaloFinder
from badpix.vote.searches.base import Context, Integration, Search, SearchRun
from badpix.vote.searches.ipc_neighbor import IpcNeighborRun
from badpix.vote.searches.noise import NoiseSearch, noise_ratio
from badpix.vote.searches.registry import measured_searches
from badpix.vote.significance import subsample


class DarkExtended:
    """Runs searches over darks that are added one after the other.

    `searches` are all searches of the configuration, on or off; at least one is on.
    """

    def __init__(self, searches: Sequence[Search], context: Context) -> None:
        self.context = context
        self.sample = subsample(context.science)
        runs = {search: search.start(context) for search in measured_searches(searches)}
        self.noise = next(run for search, run in runs.items() if isinstance(search, NoiseSearch))
        self.measuring: list[SearchRun] = list(runs.values())
        self.runs = [run for search, run in runs.items() if search.is_on()]
        self.planes = planes_of(run.search for run in self.measuring)
        self.halos = halo_finder(runs, context.science, context.coupling or TYPICAL)

    @property
    def replaced_tests(self) -> frozenset[str]:
        """Names of the official tests that do not vote."""
        return frozenset(name for run in self.runs for name in run.search.replaces)

    def add_exposure(self, *segments: fits.HDUList, pedestal_name: str) -> None:
        """Count the votes of an exposure: its open statistics files, one file per segment.

        Plane `pedestal_name` holds the pedestals that vote.
        """
        for statistics in segments:
            header = statistics[0].header
            times = GroupTimes.from_header(header)
            for i in range(statistics["SLOPE"].shape[0]):
                planes = {name: statistics[name].data[i] for name in self.planes}
                planes["PEDESTAL"] = statistics[pedestal_name].data[i]
                integration = Integration(planes, times, self.sample, header.get("EXPOSURE", ""), i + 1, pedestal_name)
                if self.halos:
                    integration = without_halos(integration, self.halos)
                for run in self.measuring:
                    run.add(integration)
                if self.context.levels is not None:
                    self.context.levels.end_integration()
        for run in self.measuring:
            run.end_exposure(segments[0][0].header.get("EXPOSURE", ""))

    def end(self) -> None:
        """All exposures are added: free the memory of what only further exposures need."""
        for run in self.measuring:
            run.end()

    def results(self, by_tests: Mapping[str, TypeResult] = MappingProxyType({})) -> dict[str, TypeResult]:
        """TypeResult per type, for the types whose search is on.

        `by_tests` are the results of the official tests, which explain pixels as those of the searches do.
        """
        scale = noise_ratio(self.noise)
        results: dict[str, TypeResult] = {}
        for run in self.runs:
            explained = [
                known[winner].found & ~np.asarray(run.keeps(winner))
                for winner in run.search.gives_way_to
                for known in (by_tests, results)
                if winner in known
            ]
            for name, result in run.results(scale).items():
                for pixels in explained:
                    result.found &= ~pixels
                results[name] = results[name].either(result) if name in results else result
        return results

    @property
    def halo_sources(self) -> np.ndarray | None:
        """Flat index of the source of each pixel in a halo, int32 (y, x), else -1; None if halos are not removed."""
        return next((run.source for run in self.runs if isinstance(run, IpcNeighborRun)), None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of pixels that the searches cannot test, and of local levels. Call it after `results`."""
        of_searches = tuple(warning for run in self.runs for warning in run.warnings)
        if self.context.levels is None:
            return of_searches
        subjects = [subject for run in self.runs for subject in run.level_subjects()]
        return *of_searches, *self.context.levels.warnings(subjects)


def halo_finder(searches: Iterable[Search], science: np.ndarray, coupling: Coupling) -> HaloFinder | None:
    """The HaloFinder of a vote with `searches`; None if none of them removes halos. Arguments as of HaloFinder."""
    return HaloFinder(science, coupling) if any(search.removes_halos for search in searches) else None


def without_halos(integration: Integration, finder: HaloFinder) -> Integration:
    """`integration` without the halos that `finder` finds."""
    halos = finder.find(integration.planes, integration.times, integration.sample)
    return replace(integration, planes=halos.without, halos=halos) if halos else integration


def planes_of(searches: Iterable[Search]) -> tuple[str, ...]:
    """Names of the statistics planes that `searches` read."""
    return tuple(dict.fromkeys(name for search in searches for name in search.planes))


def dark_results(official: DarkVote, extended: DarkExtended | None, science: np.ndarray) -> dict[str, TypeResult]:
    """TypeResult per dark type, from the official tests and from the searches that replace or complete them.

    `science` is the boolean image (y, x) of the pixels that may be flagged.
    """
    if extended is None:
        return official.results(science)
    by_tests = official.results(science, extended.replaced_tests)
    by_searches = extended.results(by_tests)
    # The order sets the bits of the evidence file. An official type keeps its position even if a search replaces all
    # its tests. Only rc then takes the position among the types of the searches.
    order = dict.fromkeys([*(name for name in OFFICIAL_TYPES if name != "rc" or name in by_tests), *by_searches])
    return {
        name: by_tests[name].either(by_searches[name])
        if name in by_tests and name in by_searches
        else (by_tests | by_searches)[name]
        for name in order
        if name in by_tests or name in by_searches
    }
