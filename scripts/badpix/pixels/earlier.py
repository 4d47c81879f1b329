"""Earlier masks of a detector, counted pixel by pixel on the full frame."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits

from badpix.formats.evidence_file import read_intermittent_flagged
from badpix.formats.mask_file import read_mask
from badpix.history.comparable import Like
from badpix.history.entries import FLAGS, History, empty, entries_of
from badpix.history.files import read_history
from badpix.history.selection import Selection, select
from badpix.instrument.detectors import Detector
from badpix.instrument.geometry import Geometry

BAD = np.uint32(sum(FLAGS.values()))
NEVER = np.datetime64("NaT", "s")


@dataclass(frozen=True)
class Sources:
    """Where the earlier masks of a mask are.

    `directory` is that of the history; `start` the start of the first exposure of the mask (ISO, UTC), before which the
    exposures of an entry must end. `epochs` are the names of the epochs of this run, whose masks are not taken from the
    history. `masks` are the masks of the epochs before in this run, with their `evidence` and `starts`, in their order.
    `settings` is the digest of the settings of the mask, `also` the further settings of `Like`.
    """

    directory: str
    start: str
    epochs: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    settings: str = ""
    also: Sequence[str] | str = ()


@dataclass
class EarlierMasks:
    """Counts over earlier masks, images (y, x) of the full frame.

    `n_flagged` and `n_masks` (uint16) are the masks that flag a pixel, and those whose array has it. `first_seen`
    (datetime64[s]) is the start of the first mask that flags it, NaT without such a mask. `flags` (uint32) are the
    flags of a pixel in all masks together. `number` is the number of masks, `n_stored` of them from the history;
    `left_out` are the earlier masks of the history that do not count, as texts with numbers and reasons.
    """

    n_flagged: np.ndarray
    n_masks: np.ndarray
    first_seen: np.ndarray
    flags: np.ndarray
    number: int = 0
    n_stored: int = 0
    names: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @classmethod
    def none(cls, detector: Detector) -> "EarlierMasks":
        """No masks of `detector`."""
        shape = detector.n_rows, detector.n_columns
        n_flagged, n_masks = np.zeros(shape, np.uint16), np.zeros(shape, np.uint16)
        return cls(n_flagged, n_masks, np.full(shape, NEVER), np.zeros(shape, np.uint32))

    def add(self, dq: np.ndarray, x_start: int, y_start: int, start: str, name: str) -> None:
        """Add a mask: `dq`, uint32 (y, x), of the array that begins at (x_start, y_start), 1-based."""
        box = slice(y_start - 1, y_start - 1 + dq.shape[0]), slice(x_start - 1, x_start - 1 + dq.shape[1])
        bad = dq & BAD
        self.n_masks[box] += np.uint16(1)
        self.n_flagged[box] += (bad != 0).astype(np.uint16)
        self.flags[box] |= bad
        began = np.where(bad != 0, np.datetime64(datetime.fromisoformat(start), "s"), NEVER)
        self.first_seen[box] = np.fmin(self.first_seen[box], began)
        self.number += 1
        self.names.append(name)

    def agreed(self, min_masks: int) -> np.ndarray:
        """Boolean image (y, x) of the pixels that all masks flag, at least `min_masks`."""
        return (self.n_flagged == self.n_masks) & (self.n_masks >= min_masks)


def earlier_masks(sources: Sources, detector: Detector) -> EarlierMasks:
    """The EarlierMasks of a mask: of the history, and of the epochs before in this run.

    Those of the history have the same settings as the mask, or settings that are declared to be comparable. Flags of
    pixels that are intermittent only do not count: they come from still earlier masks.
    """
    found = EarlierMasks.none(detector)
    history, selection = _selection(sources)
    found.left_out += selection.texts
    for entry, dq in _stored(history, selection):
        found.add(dq, entry.x_start, entry.y_start, str(entry.first_observation), str(entry.epoch or entry.entry))
    found.n_stored = found.number
    for mask, evidence, start in zip(sources.masks, sources.evidence, sources.starts, strict=True):
        dq, geometry = read_mask(mask), Geometry.from_header(fits.getheader(mask))
        if (intermittent := read_intermittent_flagged(evidence)) is not None:
            dq = np.where(intermittent > 0, np.uint32(0), dq)
        found.add(dq, geometry.x_start, geometry.y_start, start, mask)
    return found


def _selection(sources: Sources) -> tuple[History, Selection]:
    """The history, and the Selection among its entries before the mask that are no epoch of this run."""
    history = read_history(sources.directory) if (Path(sources.directory) / "epochs.parquet").exists() else empty()
    return history, select(_before(entries_of(history), sources), Like(sources.settings, sources.also))


def _stored(history: History, selection: Selection) -> Iterator[tuple[Any, np.ndarray]]:
    """(entry, mask as uint32 (y, x) of its array) of each earlier mask of the history, in order of time."""
    for entry in selection.compared.itertuples():
        rows = history.flagged[history.flagged["entry"] == entry.entry]
        dq = np.zeros((entry.n_rows, entry.n_columns), np.uint32)
        for name, pixels in rows.groupby("flag", observed=True):
            dq[pixels["y"] - (entry.y_start - 1), pixels["x"] - (entry.x_start - 1)] |= np.uint32(FLAGS[str(name)])
        yield entry, dq


def _before(entries: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    """The `entries` whose exposures end before those of the mask begin, and that are no epoch of this run."""
    is_before = entries["last_observation"] < datetime.fromisoformat(sources.start)
    return entries[is_before & ~entries["epoch"].isin([name for name in sources.epochs if name])]


def stored_digest(fields: Mapping[str, Any]) -> str:
    """Digest of the earlier masks in the history that count; it changes with them, not with further entries.

    `fields` are those of Sources.
    """
    entries = _selection(Sources(**fields))[1].compared
    if entries.empty:
        return ""
    keys: Sequence[str] = [f"{entry.entry} {entry.mask_date} {entry.settings}" for entry in entries.itertuples()]
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16]
