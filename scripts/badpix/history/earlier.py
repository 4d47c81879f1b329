"""The masks of a history that came before a mask and were made with the same settings."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from badpix.history.entries import entries_of
from badpix.history.files import read_history
from badpix.mask.intermittent import StoredMasks

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Series:
    """A history, and the mask that is compared with it.

    `directory` is that of the history, `settings` the digest of the settings of the mask, `start` the start of its
    first exposure (ISO, UTC), `epochs` the names of the epochs of this run, whose masks are not taken from the history.
    """

    directory: str
    settings: str
    start: str
    epochs: tuple[str, ...] = ()


def keys_before(series: Series) -> tuple[list[str], int, int]:
    """The keys of the earlier masks; the number made with other settings, and of masks that are not earlier."""
    if not (Path(series.directory) / "epochs.parquet").exists():
        return [], 0, 0
    entries = entries_of(read_history(series.directory))
    entries = entries[~entries["epoch"].isin([name for name in series.epochs if name])]
    is_before = entries["last_observation"] < datetime.fromisoformat(series.start)
    is_like = is_before & (entries["settings"] == series.settings)
    own = entries["settings"] == series.settings
    return list(entries.loc[is_like, "entry"]), int((is_before & ~is_like).sum()), int((~is_before & own).sum())


def stored_masks(series: Series, keys: Collection[str]) -> StoredMasks:
    """The StoredMasks of the entries `keys` (of `keys_before`) of a history."""
    found, n_other, n_overlapping = keys_before(series)
    if set(found) != set(keys):
        logger.warning("the history in %s changed since the run began", series.directory)
    if not keys:
        return StoredMasks(n_other=n_other, n_overlapping=n_overlapping)
    flagged = read_history(series.directory).flagged
    pixels = flagged[flagged["entry"].isin(list(keys))].drop_duplicates(["x", "y"])
    return StoredMasks(len(keys), pixels["x"].to_numpy(), pixels["y"].to_numpy(), n_other, n_overlapping)
