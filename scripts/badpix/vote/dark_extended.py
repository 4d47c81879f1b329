"""All searches of darks beyond the official algorithm in one pass over the exposures, combined with its tests."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from badpix.formats.type_result import TypeResult
from badpix.instrument.readout import GroupTimes
from badpix.numerics.workers import ONE, Workers
from badpix.vote.coupling import TYPICAL, Coupling
from badpix.vote.dark_integration import DarkIntegration
from badpix.vote.dark_official import OFFICIAL_TYPES, DarkVote
from badpix.vote.halos import HaloFinder
from badpix.vote.level_record import FOLLOWS
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
        # The halos that are seen depend on all other searches.
        self.last = [run for run in self.measuring if isinstance(run, IpcNeighborRun)]
        self.needs = {run: levels_before(run, self.measuring) for run in self.measuring}
        # Those that find local levels have the most work, and others wait for them: they begin first.
        others = [run for run in self.measuring if run not in self.last]
        self.order = sorted(others, key=lambda run: not run.search.levels())
        if context.levels is not None:
            names = Counter(m.level for run in self.measuring for m in run.search.measures.values() if m.level)
            context.levels.shared = {name for name, number in names.items() if number > 1}
        self.halos = halo_finder(runs, context.science, context.coupling or TYPICAL)

    @property
    def replaced_tests(self) -> frozenset[str]:
        """Names of the official tests that do not vote."""
        return frozenset(name for run in self.runs for name in run.search.replaces)

    def add(
        self, integration: DarkIntegration, pedestal_name: str, workers: Workers = ONE, before: Future | None = None
    ) -> None:
        """Count the votes of an integration; plane `pedestal_name` holds the pedestals that vote.

        The halos are removed from the planes of `integration`, in place, after the task `before`.
        """
        planes = {name: integration.planes[name] for name in self.planes}
        planes["PEDESTAL"] = integration.planes[pedestal_name]
        times = GroupTimes.from_header(integration.header)
        names = integration.segment, integration.number, pedestal_name
        measured = Integration(planes, times, self.sample, *names, is_alone=integration.is_alone)
        halos = self.halos.find(planes, times, self.sample) if self.halos else None
        if before is not None:
            before.result()
        if halos:
            halos.remove(planes)
            measured = replace(measured, halos=halos)
        started: dict[SearchRun, Future] = {}
        for run in self.order:
            started[run] = workers.start(self._add_to, run, measured, [started[other] for other in self.needs[run]])
        for task in started.values():
            task.result()
        for run in self.last:
            run.add(measured)
        if self.context.levels is not None:
            self.context.levels.end_integration()

    @staticmethod
    def _add_to(run: SearchRun, integration: Integration, needed: Sequence[Future]) -> None:
        """Add an integration to a run whose local levels the tasks `needed` find."""
        for task in needed:
            task.result()
        run.add(integration)

    def end_exposure(self, exposure: str) -> None:
        """All integrations of an exposure are added."""
        for run in self.measuring:
            run.end_exposure(exposure)

    def end(self) -> None:
        """All exposures are added: free the memory of what only further exposures need."""
        for run in self.measuring:
            run.end()

    def results(self, by_tests: Mapping[str, TypeResult] = MappingProxyType({})) -> dict[str, TypeResult]:
        """TypeResult per type, for the types whose search is on. Call it once: it frees the sums.

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
            for test in run.tests.values():
                test.forget_sums()
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
    """`integration` without the halos that `finder` finds; its images are not changed."""
    halos = finder.find(integration.planes, integration.times, integration.sample)
    if not halos:
        return integration
    planes = {
        name: image.astype(image.dtype.newbyteorder("=")) if name in halos.after else image
        for name, image in integration.planes.items()
    }
    halos.remove(planes)
    return replace(integration, planes=planes, halos=halos)


def levels_before(run: SearchRun, runs: Sequence[SearchRun]) -> list[SearchRun]:
    """The earlier of `runs` that find a local level which `run` uses, or one that it follows."""
    used = run.search.levels() | {FOLLOWS[name] for name in run.search.levels() if name in FOLLOWS}
    return [other for other in runs[: runs.index(run)] if other.search.levels() & used]


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
