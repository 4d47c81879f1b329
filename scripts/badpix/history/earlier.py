"""The masks of a history that came before a mask and were made with the same settings."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from badpix.history.comparable import Like
from badpix.history.entries import entries_of
from badpix.history.files import read_history
from badpix.history.selection import select
from badpix.mask.intermittent import StoredMasks

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Series:
    """A history, and the mask that is compared with it.

    `directory` is that of the history, `settings` the digest of the settings of the mask, `start` the start of its
    first exposure (ISO, UTC), `epochs` the names of the epochs of this run, whose masks are not taken from the history,
    `also` the further settings of `Like`.
    """

    directory: str
    settings: str
    start: str
    epochs: tuple[str, ...] = ()
    also: Sequence[str] | str = ()


@dataclass(frozen=True)
class Earlier:
    """The earlier masks of a Series in its history.

    `digests` maps the key of each entry to the digest of its flagged pixels, so that an entry with another mask of the
    same epoch is another. `left_out` are the texts of the Selection, `n_overlapping` masks are not earlier.
    """

    digests: Mapping[str, str]
    left_out: tuple[str, ...] = ()
    n_overlapping: int = 0
    flagged: pd.DataFrame | None = None


def masks_before(series: Series) -> Earlier:
    """The earlier masks of a Series; `flagged` has x and y of the pixels with a flag in any of them."""
    if not (Path(series.directory) / "epochs.parquet").exists():
        return Earlier({})
    history = read_history(series.directory)
    entries = entries_of(history)
    entries = entries[~entries["epoch"].isin([name for name in series.epochs if name])]
    is_before = entries["last_observation"] < datetime.fromisoformat(series.start)
    like = Like(series.settings, series.also)
    selection = select(entries[is_before], like)
    flagged = history.flagged[history.flagged["entry"].isin(selection.compared["entry"])]
    digests = {key: pixel_digest(flagged[flagged["entry"] == key]) for key in selection.compared["entry"]}
    n_overlapping = len(select(entries[~is_before], like).compared)
    return Earlier(digests, tuple(selection.texts), n_overlapping, flagged)


def pixel_digest(flagged: pd.DataFrame) -> str:
    """Digest of the pixels in the columns x and y, each once and in order; their flags do not matter."""
    pixels = np.unique(flagged[["x", "y"]].to_numpy(), axis=0)
    return hashlib.sha256(pixels.astype("<u2").tobytes()).hexdigest()[:16]


def stored_masks(series: Series, digests: Mapping[str, str]) -> StoredMasks:
    """The StoredMasks of a Series, whose earlier masks had these `digests` when the run began."""
    earlier = masks_before(series)
    if dict(earlier.digests) != dict(digests):
        # The next run makes the mask again, since its provenance has the digests of before.
        logger.warning("the history in %s changed since the run began", series.directory)
    left_out = earlier.left_out, earlier.n_overlapping
    if not digests or earlier.flagged is None:
        return StoredMasks(0, (), (), *left_out)
    pixels = earlier.flagged[earlier.flagged["entry"].isin(list(digests))].drop_duplicates(["x", "y"])
    return StoredMasks(len(digests), pixels["x"].to_numpy(), pixels["y"].to_numpy(), *left_out)
