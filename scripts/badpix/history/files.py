"""The history of a detector's masks on disk: Parquet files, each replaced in a single step."""

import fcntl
import logging
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits

from badpix.core.files import atomic_path, is_machine_fault
from badpix.formats.evidence_file import read_intermittent_flagged
from badpix.formats.mask_file import read_mask
from badpix.formats.mask_tables import read_rejected_exposures, read_summary
from badpix.history.checks import column_problem, history_problem
from badpix.history.entries import (
    EPOCHS,
    FLAGGED,
    PIXELS,
    SETTINGS,
    History,
    add,
    empty,
    entry_key,
    make_entry,
    pixel_table,
)
from badpix.instrument.geometry import Geometry
from badpix.instrument.segments import by_exposure

logger = logging.getLogger(__name__)
TABLES = {"flagged": FLAGGED, "epochs": EPOCHS}
REMEDY = (
    "nothing was written. Put a copy in its place, or move it away to begin a new history (or set history_directory to"
    " another place)"
)
# Sorted rows of a history shrink to more than a byte; a table of a single value to far less.
MAX_ROWS_PER_BYTE = 20


class HistoryError(Exception):
    """The history cannot be read and is not changed; the message has the remedy."""


def read_history(directory: str | Path, adding: Collection[str] = ()) -> History:
    """The History in `directory`, empty if there are no files. HistoryError if it is damaged.

    `adding` are the keys of the entries that will be added: an interrupted job may have left their flags.
    """
    paths = {name: Path(directory) / f"{name}.parquet" for name in TABLES}
    # The flags are written first, so that a job that ends between the files leaves flags without epochs.
    if not os.path.lexists(paths["epochs"]):
        if os.path.lexists(paths["flagged"]) and set(_read(paths["flagged"], FLAGGED)["entry"]) - set(adding):
            raise HistoryError(f"{paths['epochs']} is missing, but flagged.parquet has entries; {REMEDY}")
        return empty()
    found = {name: _read(paths[name], types) for name, types in TABLES.items()}
    epochs, flagged = found["epochs"], found["flagged"]
    known = flagged["entry"].isin(epochs["entry"].unique())
    flagged = flagged[known].reset_index(drop=True)
    history = History(epochs, flagged.assign(entry=flagged["entry"].cat.remove_unused_categories()))
    if problem := history_problem(history):
        raise HistoryError(f"{directory} is damaged: {problem}; {REMEDY}")
    return history


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
        # Histories of earlier versions have no settings.
        if file.schema_arrow.names != [name for name in columns if name != SETTINGS or name in file.schema_arrow.names]:
            raise ValueError(f"it has the columns {', '.join(file.schema_arrow.names)}, not {', '.join(columns)}")
        if file.metadata.num_rows > MAX_ROWS_PER_BYTE * path.stat().st_size:
            raise ValueError(f"it has {file.metadata.num_rows} rows in {path.stat().st_size} bytes")
        table = file.read().to_pandas()
    return table if SETTINGS in table or SETTINGS not in columns else table.assign(**{SETTINGS: ""})[list(columns)]


def extend_history(directory: str | Path, entries: Iterable[History]) -> tuple[History, pd.DataFrame]:
    """Add `entries` (Histories with a single entry) to the History in `directory`; returns it and its table PIXELS.

    Adding an entry again changes nothing. A lock makes parallel jobs wait. A job that ends between two files leaves
    flags of entries that EPOCHS does not have yet; its next run replaces them.
    """
    _check_places(directory)
    with _alone(directory):
        entries = list(entries)
        before = history = read_history(directory, [entry.epochs["entry"].iloc[0] for entry in entries])
        for entry in entries:
            history = add(history, entry)
        pixels = pixel_table(history)
        written = [
            name
            for name, old, new in (
                ("flagged", before.flagged, history.flagged),
                ("epochs", before.epochs, history.epochs),
                ("pixels", _stored_pixels(directory), pixels),
            )
            if _write(Path(directory) / f"{name}.parquet", old, new)
        ]
        logger.info("%s: %s", directory, f"replaced {', '.join(written)}" if written else "nothing new")
        return history, pixels


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


def _check_places(directory: str | Path) -> None:
    """Make `directory`; HistoryError if it, or a file that will be written in it, is something else."""
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise HistoryError(f"{directory} is no directory; remove it, or set history_directory") from error
    for name in ("pixels.parquet", ".lock"):
        path = Path(directory) / name
        if path.exists() and not path.is_file():
            raise HistoryError(f"{path} is no regular file; nothing was written. Remove it")


@contextmanager
def _alone(directory: str | Path) -> Iterator[None]:
    """A lock on the history in `directory` against parallel processes; it ends with its process."""
    with (Path(directory) / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:  # Snakemake's own lock prevents two runs on the same results
            logger.warning("%s: no locks on this file system (%s); do not share it between runs", directory, error)
        yield


def read_entry(
    mask: str | Path,
    summary: str | Path,
    rejected_table: str | Path,
    epoch: str,
    exposures: Mapping[str, Mapping[str, str]],
    evidence: str | Path | None = None,
    settings: str = "",
) -> History:
    """The entry of a mask, a History.

    Parameters
    ----------
    mask, summary : path
        The mask file and its summary.csv.
    rejected_table : path
        Table of the rejected exposures; they do not count here.
    epoch : str
        Name of the epoch, or empty.
    exposures : Mapping
        kind (darks, flats) -> {name of exposure: start time}.
    evidence : path, optional
        The evidence file of the mask. Pixels with the flags of intermittent pixels count as good: otherwise their flags
        would be the reason to flag them again.
    settings : str
        Digest of the settings of the mask.
    """
    header = fits.getheader(mask)
    rejected = read_rejected_exposures(rejected_table)
    used = {
        kind: {name: at for name, at in of_kind.items() if name not in rejected} for kind, of_kind in exposures.items()
    }
    start_times = [at for of_kind in used.values() for at in of_kind.values()]
    names = [name for of_kind in used.values() for name in of_kind]
    geometry = Geometry.from_header(header)
    overview = {
        "entry": entry_key(header["DETECTOR"], epoch, names),
        "detector": header["DETECTOR"],
        "epoch": epoch,
        "first_observation": min(start_times),
        "last_observation": max(start_times),
        "n_darks": len(by_exposure(used["darks"])),
        "n_flats": len(by_exposure(used["flats"])),
        "mask": Path(mask).name,
        "useafter": header["USEAFTER"],
        "mask_date": header["DATE"],
        "subarray": geometry.subarray,
        "x_start": geometry.x_start,
        "y_start": geometry.y_start,
        "n_columns": geometry.n_columns,
        "n_rows": geometry.n_rows,
        "settings": settings,
    }
    dq = read_mask(mask)
    if evidence is not None and (intermittent := read_intermittent_flagged(evidence)) is not None:
        dq = np.where(intermittent > 0, np.uint32(0), dq)
    return make_entry(overview, read_summary(summary), dq)
