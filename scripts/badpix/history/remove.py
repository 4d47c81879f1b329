"""Remove entries from a history, or let a later run add them again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from badpix.history.entries import History, entries_of
from badpix.history.files import HistoryError, check_places, locked, read_history, removed_of, write_history
from badpix.history.removed import COLUMNS, write_removed

MIN_BEGINNING = 4  # characters of a key that stand for all of it


class NoEntry(HistoryError):
    """There is no such entry; the message names those that there are."""


def remove_entries(directory: str | Path, names: Sequence[str], dry_run: bool = False) -> pd.DataFrame:
    """Remove entries from the History in `directory`; returns their rows of `entries_of`.

    The table of removed entries is written first: from then on, no reader sees them, and no run adds their masks again.

    Parameters
    ----------
    directory : path
        The folder of the history.
    names : sequence of str
        Keys of entries, beginnings of keys, or epochs, each of a single entry.
    dry_run : bool
        Whether nothing is written.

    Raises
    ------
    NoEntry
        A name is of no entry, or of several.
    HistoryError
        The history cannot be read.
    """
    check_places(directory)
    with locked(directory):
        history, removed = read_history(directory), removed_of(directory)
        entries = entries_of(history)
        keys = [_key(name, entries, f"the history in {directory}") for name in names]
        chosen = entries[entries["entry"].isin(keys)]
        if dry_run:
            return chosen
        new = chosen.assign(removed=datetime.now(UTC).isoformat(timespec="seconds"))[COLUMNS]
        write_removed(directory, pd.concat([removed, new], ignore_index=True))
        kept = History(
            history.epochs[~history.epochs["entry"].isin(keys)].reset_index(drop=True),
            history.flagged[~history.flagged["entry"].isin(keys)].reset_index(drop=True),
        )
        left = kept.flagged.assign(entry=kept.flagged["entry"].cat.remove_unused_categories())
        write_history(directory, history, History(kept.epochs, left))
        return chosen


def restore_entries(directory: str | Path, names: Sequence[str], dry_run: bool = False) -> pd.DataFrame:
    """Let the next run add removed entries again, if it has their masks; returns their rows of the table.

    Arguments and errors as of `remove_entries`.
    """
    check_places(directory)
    with locked(directory):
        removed = removed_of(directory)
        keys = [_key(name, removed, f"the removed entries of {directory}") for name in names]
        chosen = removed[removed["entry"].isin(keys)]
        if not dry_run:
            # A removal that ended between the files left parts of its entries, which must not come back.
            write_history(directory, None, read_history(directory))
            write_removed(directory, removed[~removed["entry"].isin(keys)])
        return chosen


def _key(name: str, entries: pd.DataFrame, where: str) -> str:
    """The key of the only entry of a `name` among `entries`."""
    known = entries[["entry", "epoch"]].drop_duplicates()
    is_key = known["entry"].str.startswith(name) if len(name) >= MIN_BEGINNING else False
    found = known[((known["epoch"] == name) & (name != "")) | is_key]
    if len(found) == 1:
        return str(found["entry"].iloc[0])
    if found.empty:
        raise NoEntry(f"{name!r} is no entry of {where}; it must be one of: {_labels(known) or 'none is there'}")
    raise NoEntry(f"{name!r} is the name of {len(found)} entries of {where}; give the key: {_labels(found)}")


def _labels(known: pd.DataFrame) -> str:
    texts = [f"{key} ({epoch})" if epoch else key for key, epoch in known.itertuples(index=False, name=None)]
    return ", ".join(texts)
