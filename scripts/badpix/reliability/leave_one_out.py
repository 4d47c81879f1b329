"""The votes without each exposure in turn: which flags depend on a single exposure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from badpix.core.logs import logger
from badpix.formats.leave_one_out_file import PIXELS, TYPES
from badpix.formats.response_file import Responses
from badpix.response.normalise import combine_flats
from badpix.vote.classify import classify
from badpix.vote.exposure_set import KINDS, ExposureSet
from badpix.vote.settings import VoteSettings

# Type -> boolean image (y, x) of the pixels found.
Found = Mapping[str, np.ndarray]


def found_by(exposures: ExposureSet, responses: Responses, settings: VoteSettings) -> Found:
    """The pixels of each type found by `exposures`; the response of all flats is computed from these exposures."""
    response = None
    if exposures.flats:
        paths = [path for flat in exposures.flats for path in flat.paths]
        response = combine_flats(paths, exposures.science, settings.response)
    results = classify(exposures, response, responses, settings).results
    return {name: result.found for name, result in results.items()}


def changed_pixels(found: Found, found_without: Found) -> int:
    """Number of pixels whose types differ; a type that is missing in either argument has no pixels there."""
    changed: np.ndarray | bool = False
    for name in found.keys() | found_without.keys():
        first, second = (images.get(name, False) for images in (found, found_without))
        changed = changed | (first != second)
    return int(np.count_nonzero(changed))


class LeaveOneOut:
    """The number of pixels that change in each vote, and the number of votes in which each pixel keeps its types.

    `found_by_all` are the pixels found by all exposures; `add` takes the pixels found without an exposure.
    """

    def __init__(self, found_by_all: Found) -> None:
        self.found_by_all = found_by_all
        self.pixels_of = {name: np.flatnonzero(image) for name, image in found_by_all.items()}
        self.kept = {name: np.zeros(len(pixels), int) for name, pixels in self.pixels_of.items()}
        self.gained = dict.fromkeys(found_by_all, 0)
        self.n_changed: dict[str, int] = {}

    def add(self, left_out: str, found: Found) -> None:
        """Count the vote without the exposure `left_out`; no pixel keeps a type that is missing in `found`."""
        self.n_changed[left_out] = changed_pixels(self.found_by_all, found)
        for name, pixels in self.pixels_of.items():
            image = found.get(name)
            if image is not None:
                keeps = image.ravel()[pixels]
                self.kept[name] += keeps
                self.gained[name] += int(np.count_nonzero(image)) - int(keeps.sum())

    def pixels(self, kind: str) -> pd.DataFrame:
        """Table PIXELS of `badpix.formats.leave_one_out_file` for these exposures of `kind`."""
        parts, votes = [], len(self.n_changed)
        for name, image in self.found_by_all.items():
            y, x = np.nonzero(image)
            kept = self.kept[name]
            share = kept / votes if votes else np.full(len(kept), np.nan)
            columns = {"kind": kind, "type": name, "x": x, "y": y, "kept": kept, "votes": votes, "stability": share}
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    def types(self, kind: str) -> pd.DataFrame:
        """Table TYPES of `badpix.formats.leave_one_out_file`."""
        rows = [(kind, name, len(self.n_changed), gained) for name, gained in self.gained.items()]
        return pd.DataFrame(rows, columns=list(TYPES))


def leave_one_out(exposures: ExposureSet, responses: Responses, settings: VoteSettings) -> LeaveOneOut:
    """The votes of `exposures`, all of the same kind, without each exposure in turn; none with fewer than two."""
    names = [exposure.name for kind in KINDS for exposure in exposures.of(kind)]
    votes = LeaveOneOut(found_by(exposures, responses, settings))
    for name in names if len(names) > 1 else ():
        votes.add(name, found_by(exposures.without(name), responses, settings))
        logger.info("without %s the types of %d pixels change", name, votes.n_changed[name])
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
