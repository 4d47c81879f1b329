"""The votes without each exposure in turn: which flags depend on a single exposure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from badpix.core.logs import logger
from badpix.formats.leave_one_out_file import EXPOSURES, PIXELS, TYPES
from badpix.formats.response_file import FlatResponse, Responses
from badpix.formats.sky_file import is_sky_file
from badpix.formats.type_result import TypeResult
from badpix.response.sky import combine
from badpix.vote.classify import classify
from badpix.vote.exposure_set import KINDS, ExposureSet
from badpix.vote.settings import VoteSettings

# Type -> boolean image (y, x) of the pixels found.
Found = Mapping[str, np.ndarray]

# A type is decided if at most this fraction of the science pixels could not be classified.
MAX_INSUFFICIENT = 0.5


def found_by(exposures: ExposureSet, responses: Responses, settings: VoteSettings) -> tuple[Found, set[str]]:
    """The pixels of each type found by `exposures`, and the types that `exposures` can decide.

    The response of all flats is computed from these exposures.
    """

    def mean() -> FlatResponse:
        names = {flat.name for flat in exposures.flats}
        singles = {name: path for name, path in responses.of_exposures(names) if is_sky_file(path)}
        paths = {flat.name: flat.paths for flat in exposures.flats}
        return combine(paths, singles, exposures.science, settings.response, exposures.detector.slices)

    results = classify(exposures, mean, responses, settings).results
    return {name: result.found for name, result in results.items()}, decided_types(results, exposures.science)


def decided_types(results: Mapping[str, TypeResult], science: np.ndarray) -> set[str]:
    """The types for which most of the `science` pixels (boolean image (y, x)) have enough valid values."""
    most = MAX_INSUFFICIENT * np.count_nonzero(science)
    return {name for name, result in results.items() if np.count_nonzero(result.insufficient & science) <= most}


def changed_pixels(found: Found, found_without: Found) -> int:
    """Number of pixels whose types differ; a type that is missing in either argument has no pixels there."""
    changed: np.ndarray | bool = False
    for name in found.keys() | found_without.keys():
        first, second = (images.get(name, False) for images in (found, found_without))
        changed = changed | (first != second)
    return int(np.count_nonzero(changed))


class LeaveOneOut:
    """The number of pixels that change in each vote, and the number of votes in which each pixel keeps its types.

    `found_by_all` are the pixels found by all exposures; `add` takes the pixels found without an exposure. `votes` is
    the number of votes per type. `undecided` maps exposures to the types that cannot be decided without the exposure.
    """

    def __init__(self, found_by_all: Found) -> None:
        self.found_by_all = found_by_all
        self.pixels_of = {name: np.flatnonzero(image) for name, image in found_by_all.items()}
        self.kept = {name: np.zeros(len(pixels), int) for name, pixels in self.pixels_of.items()}
        self.gained = dict.fromkeys(found_by_all, 0)
        self.votes = dict.fromkeys(found_by_all, 0)
        self.n_changed: dict[str, int] = {}
        self.undecided: dict[str, tuple[str, ...]] = {}

    def add(self, left_out: str, found: Found, undecided: Collection[str] = ()) -> None:
        """Count the vote without the exposure `left_out`; no pixel keeps a type that is missing in `found`.

        The types in `undecided` have no vote.
        """
        decided = {name: image for name, image in self.found_by_all.items() if name not in undecided}
        found = {name: image for name, image in found.items() if name not in undecided}
        self.n_changed[left_out] = changed_pixels(decided, found)
        self.undecided[left_out] = tuple(sorted(undecided))
        for name in decided:
            pixels, image = self.pixels_of[name], found.get(name)
            self.votes[name] += 1
            if image is not None:
                keeps = image.ravel()[pixels]
                self.kept[name] += keeps
                self.gained[name] += int(np.count_nonzero(image)) - int(keeps.sum())

    def pixels(self, kind: str) -> pd.DataFrame:
        """Table PIXELS of `badpix.formats.leave_one_out_file` for these exposures of `kind`."""
        parts = []
        for name, image in self.found_by_all.items():
            y, x = np.nonzero(image)
            kept, votes = self.kept[name], self.votes[name]
            share = kept / votes if votes else np.full(len(kept), np.nan)
            columns = {"kind": kind, "type": name, "x": x, "y": y, "kept": kept, "votes": votes, "stability": share}
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    def types(self, kind: str) -> pd.DataFrame:
        """Table TYPES of `badpix.formats.leave_one_out_file`."""
        rows = [(kind, name, self.votes[name], gained) for name, gained in self.gained.items()]
        return pd.DataFrame(rows, columns=list(TYPES))

    def blind(self) -> dict[str, str]:
        """Type -> the exposures without which it cannot be decided, as words; only types with such exposures."""
        exposures: dict[str, list[str]] = {}
        for name, types in self.undecided.items():
            for undecided in types:
                exposures.setdefault(undecided, []).append(name)
        every = len(self.n_changed)
        return {
            undecided: f"any one of the {every} exposures" if len(names) == every else ", ".join(names)
            for undecided, names in exposures.items()
        }

    def exposures(self, kind: str) -> pd.DataFrame:
        """The table of exposures of `badpix.formats.leave_one_out_file`."""
        rows = [(kind, name, number, " ".join(self.undecided[name])) for name, number in self.n_changed.items()]
        return pd.DataFrame(rows, columns=list(EXPOSURES))


def leave_one_out(exposures: ExposureSet, responses: Responses, settings: VoteSettings) -> LeaveOneOut:
    """The votes of `exposures`, all of the same kind, without each exposure in turn; none with fewer than two."""
    names = [exposure.name for kind in KINDS for exposure in exposures.of(kind)]
    found, decided = found_by(exposures, responses, settings)
    votes = LeaveOneOut(found)
    for name in names if len(names) > 1 else ():
        found, still_decided = found_by(exposures.without(name), responses, settings)
        votes.add(name, found, decided - still_decided)
        logger.info("without %s the types of %d pixels change", name, votes.n_changed[name])
    for undecided, without_any in votes.blind().items():
        logger.warning(
            "%s cannot be decided without %s: more than half of the pixels then have too few valid values (min_valid,"
            " min_clean_slopes). The votes without an exposure do not show whether %s depends on a single exposure",
            undecided,
            without_any,
            undecided,
        )
    return votes


@dataclass(frozen=True)
class Stability:
    """The tables PIXELS and TYPES of all kinds."""

    pixels: pd.DataFrame
    types: pd.DataFrame

    @classmethod
    def of(cls, votes: Mapping[str, LeaveOneOut]) -> "Stability":
        """The tables of the votes of each kind; empty tables without votes."""
        if not votes:
            return cls(pd.DataFrame(columns=list(PIXELS)), pd.DataFrame(columns=list(TYPES)))
        pixels = pd.concat([of_kind.pixels(kind) for kind, of_kind in votes.items()], ignore_index=True)
        types = pd.concat([of_kind.types(kind) for kind, of_kind in votes.items()], ignore_index=True)
        return cls(pixels, types)


def kinds_of(exposures: ExposureSet) -> Iterator[tuple[str, ExposureSet]]:
    """(kind, exposures of that kind only) for each kind that has exposures."""
    for kind in KINDS:
        if exposures.of(kind):
            yield kind, exposures.only(kind)
