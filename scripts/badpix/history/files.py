"""The history of a detector's masks on disk: Parquet files, each replaced in a single step."""

import fcntl
import logging
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from badpix.core.csv_table import TableError
from badpix.core.files import atomic_path, is_machine_fault
from badpix.history.checks import column_problem, history_problem
from badpix.history.comparable import ALL, Like
from badpix.history.entries import (
    EPOCHS,
    FLAGGED,
    LATER,
    PIXELS,
    History,
    add,
    compared_part,
    empty,
    entries_of,
    pixel_table,
)
from badpix.history.removed import FILE as REMOVED
from badpix.history.removed import is_removed, read_removed
from badpix.history.selection import Selection, select

logger = logging.getLogger(__name__)
TABLES = {"flagged": FLAGGED, "epochs": EPOCHS}
# In columns that a history of an earlier version lacks.
EMPTY = {"bool": False}
REMEDY = (
    "nothing was written. Put a copy in its place, or move it away to begin a new history (or set history_directory to"
    " another place)"
)
# Sorted rows of a history shrink to more than a byte; a table of a single value to far less.
MAX_ROWS_PER_BYTE = 20
EVERYTHING = Like(also=ALL)


class HistoryError(Exception):
    """The history cannot be read and is not changed; the message has the remedy."""


def read_history(directory: str | Path, adding: Collection[str] = ()) -> History:
    """The History in `directory` without removed entries, empty if there are no files. HistoryError if it is damaged.

    `adding` are the keys of the entries that will be added: an interrupted job may have left their flags.
    """
    removed = removed_of(directory)
    adding = {*adding, *removed["entry"]}
    paths = {name: Path(directory) / f"{name}.parquet" for name in TABLES}
    # The flags are written first, so that a job that ends between the files leaves flags without epochs.
    if not os.path.lexists(paths["epochs"]):
        if os.path.lexists(paths["flagged"]) and set(_read(paths["flagged"], FLAGGED)["entry"]) - adding:
            raise HistoryError(f"{paths['epochs']} is missing, but flagged.parquet has entries; {REMEDY}")
        return empty()
    found = {name: _read(paths[name], types) for name, types in TABLES.items()}
    epochs, flagged = found["epochs"], found["flagged"]
    if epochs.empty and set(flagged["entry"]) - adding:
        raise HistoryError(f"{directory} is damaged: epochs.parquet has no rows; {REMEDY}")
    # A removal that ended between the files holds.
    epochs = epochs[~is_removed(epochs, removed)].reset_index(drop=True)
    known = flagged["entry"].isin(epochs["entry"].unique())
    flagged = flagged[known].reset_index(drop=True)
    history = History(epochs, flagged.assign(entry=flagged["entry"].cat.remove_unused_categories()))
    if problem := history_problem(history):
        raise HistoryError(f"{directory} is damaged: {problem}; {REMEDY}")
    return history


def removed_of(directory: str | Path) -> pd.DataFrame:
    """The table of removed entries (`read_removed`). HistoryError if it is damaged."""
    try:
        return read_removed(directory)
    except (TableError, OSError) as error:
        raise HistoryError(f"{error}. Nothing was written") from error


def _read(path: Path, types: Mapping[str, str]) -> pd.DataFrame:
    """The table at `path` with the columns `types` (name -> dtype). HistoryError if there is none."""
    try:
        table = _read_parquet(path, list(types))
    except Exception as error:  # pyarrow raises different errors for a damaged file
        if is_machine_fault(error) and not isinstance(error, FileNotFoundError):
            raise
        raise HistoryError(f"{path} cannot be read ({type(error).__name__}: {error}); {REMEDY}") from error
    if problem := column_problem(table, types):
        raise HistoryError(f"{path} is damaged: {problem}; {REMEDY}")
    return table.astype(types)


def _read_parquet(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """The table in the regular file at `path`; ValueError if it has other columns, or too many rows for its size."""
    import pyarrow.parquet as pq

    # A named pipe would block its reader for ever; of a folder, pandas would read all files.
    if path.exists() and not path.is_file():
        raise ValueError("it is no regular file")
    with pq.ParquetFile(path, memory_map=False) as file:
        names = file.schema_arrow.names
        if names != [name for name in columns if name not in LATER or name in names]:
            raise ValueError(f"it has the columns {', '.join(names)}, not {', '.join(columns)}")
        if file.metadata.num_rows > MAX_ROWS_PER_BYTE * path.stat().st_size:
            raise ValueError(f"it has {file.metadata.num_rows} rows in {path.stat().st_size} bytes")
        table = file.read().to_pandas()
    if missing := [name for name in columns if name not in table]:
        table = table.assign(**{name: EMPTY.get(EPOCHS[name], "") for name in missing})
        if "exposures" in missing:
            # Without epochs, the key of an entry was the digest of its exposures.
            table["exposures"] = table["entry"].where(table["epoch"] == "", "")
    return table[list(columns)]


@dataclass(frozen=True)
class Extended:
    """A History after a run: all entries, its table PIXELS, the Selection of the entries that the run compared.

    `not_added` are the keys of entries that a user removed.
    """

    history: History
    pixels: pd.DataFrame
    selection: Selection
    not_added: tuple[str, ...] = ()


def extend_history(directory: str | Path, entries: Iterable[History], like: Like = EVERYTHING) -> Extended:
    """Add `entries` (Histories with a single entry) to the History in `directory`, and compare those of `like`.

    Adding an entry again changes nothing. Entries that a user removed are not added. A lock makes parallel jobs wait. A
    job that ends between two files leaves flags of entries that EPOCHS does not have yet; its next run replaces them.
    """
    check_places(directory)
    with locked(directory):
        entries = list(entries)
        removed = removed_of(directory)
        not_added = [entry for entry in entries if is_removed(entry.epochs, removed).any()]
        entries = [entry for entry in entries if not is_removed(entry.epochs, removed).any()]
        before = history = read_history(directory, [entry.epochs["entry"].iloc[0] for entry in entries])
        for entry in entries:
            history = add(history, entry)
        selection = select(entries_of(history), like)
        compared = history.epochs["entry"].isin(selection.compared["entry"])
        history = History(history.epochs.assign(compared=compared), history.flagged)
        pixels = write_history(directory, before, history)
        return Extended(history, pixels, selection, tuple(entry.epochs["entry"].iloc[0] for entry in not_added))


def write_history(directory: str | Path, before: History | None, history: History) -> pd.DataFrame:
    """Write the tables of `history` that differ from those on disk (`before`; None: all); returns its table PIXELS."""
    pixels = pixel_table(compared_part(history))
    written = [
        name
        for name, old, new in (
            ("flagged", before and before.flagged, history.flagged),
            ("epochs", before and before.epochs, history.epochs),
            ("pixels", _stored_pixels(directory), pixels),
        )
        if _write(Path(directory) / f"{name}.parquet", old, new)
    ]
    logger.info("%s: %s", directory, f"replaced {', '.join(written)}" if written else "nothing new")
    return pixels


def _stored_pixels(directory: str | Path) -> pd.DataFrame | None:
    """The table PIXELS in `directory`; None if it cannot be read, because it can be computed from the other two."""
    try:
        return _read_parquet(Path(directory) / "pixels.parquet", PIXELS)
    except Exception:
        return None


def _write(path: Path, old: pd.DataFrame | None, new: pd.DataFrame) -> bool:
    """Write the table `new` to `path` if it differs from `old`, the table in the file; True if it was written."""
    if path.exists() and new.equals(old):
        return False
    with atomic_path(path) as temporary:
        new.to_parquet(temporary, index=False)
    return True


def check_places(directory: str | Path) -> None:
    """Make `directory`; HistoryError if it, or a file that will be written in it, is something else."""
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise HistoryError(f"{directory} is no directory; remove it, or set history_directory") from error
    for name in ("pixels.parquet", ".lock", REMOVED):
        path = Path(directory) / name
        if path.exists() and not path.is_file():
            raise HistoryError(f"{path} is no regular file; nothing was written. Remove it")


@contextmanager
def locked(directory: str | Path) -> Iterator[None]:
    """A lock on the history in `directory` against parallel processes; it ends with its process."""
    with (Path(directory) / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:  # Snakemake's own lock prevents two runs on the same results
            logger.warning("%s: no locks on this file system (%s); do not share it between runs", directory, error)
        yield
