"""All searches of darks beyond the official algorithm in one pass over the exposures, and their union with it."""

from collections.abc import Sequence

import numpy as np
from astropy.io import fits

from badpix.formats.type_result import TypeResult
from badpix.vote.dark_official import OFFICIAL_TYPES, DarkVote
from badpix.vote.searches.base import Context, Integration, Search, SearchRun
from badpix.vote.searches.noise import NoiseSearch, noise_ratio
from badpix.vote.searches.registry import measured_searches
from badpix.vote.significance import subsample


class DarkExtended:
    """Runs searches over darks that are given one after the other.

    `searches` are those of the configuration, on or off; one at least is on.
    """

    def __init__(self, searches: Sequence[Search], context: Context):
        self.context = context
        self.sample = subsample(context.science)
        runs = {search: search.start(context) for search in measured_searches(searches)}
        self.noise = next(run for search, run in runs.items() if isinstance(search, NoiseSearch))
        self.measuring: list[SearchRun] = list(runs.values())
        self.runs = [run for search, run in runs.items() if search.is_on()]
        self.planes = planes_of(run.search for run in self.measuring)

    @property
    def replaced_tests(self) -> frozenset[str]:
        """Names of the official tests that do not vote."""
        return frozenset(name for run in self.runs for name in run.search.replaces)

    def add_exposure(self, *segments: fits.HDUList, pedestal_name: str) -> None:
        """Take in one exposure: its open statistics files, one unless it came in segments.

        Plane `pedestal_name` holds the pedestals that vote.
        """
        for statistics in segments:
            header = statistics[0].header
            for number in range(statistics["SLOPE"].shape[0]):
                planes = {name: statistics[name].data[number] for name in self.planes}
                planes["PEDESTAL"] = statistics[pedestal_name].data[number]
                integration = Integration(
                    planes, header["TGROUP"], self.sample, header.get("EXPOSURE", ""), number + 1, pedestal_name
                )
                for run in self.measuring:
                    run.add(integration)
        for run in self.measuring:
            run.end_exposure(segments[0][0].header.get("EXPOSURE", ""))

    def results(self) -> dict[str, TypeResult]:
        """TypeResult per type, for the types whose search is on."""
        scale = noise_ratio(self.noise)
        result: dict[str, TypeResult] = {}
        for run in self.runs:
            for name, verdict in run.results(scale).items():
                result[name] = result[name].either(verdict) if name in result else verdict
        return result


def planes_of(searches) -> tuple[str, ...]:
    """Names of the planes of the statistics that `searches` read."""
    return tuple(dict.fromkeys(name for search in searches for name in search.planes))


def dark_results(official: DarkVote, extended: DarkExtended | None, science: np.ndarray) -> dict[str, TypeResult]:
    """The verdict per dark type, by the official tests and by the searches that replace or complete them."""
    if extended is None:
        return official.results(science)
    own, found = official.results(science, extended.replaced_tests), extended.results()
    # Evidence files keep their bits: an official type has its place even if a search replaces all its tests, but for
    # rc, which then comes where the search has it.
    order = dict.fromkeys([*(name for name in OFFICIAL_TYPES if name != "rc" or name in own), *found])
    return {
        name: own[name].either(found[name]) if name in own and name in found else (own | found)[name]
        for name in order
        if name in own or name in found
    }
