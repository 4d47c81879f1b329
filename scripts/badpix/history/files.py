"""The history of a detector's masks on disk: Parquet files that are replaced whole or not at all."""

import fcntl
import logging
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from astropy.io import fits

from badpix.core.files import atomic_path
from badpix.formats.mask_file import read_mask
from badpix.formats.mask_tables import read_rejected_exposures, read_summary
from badpix.history.entries import EPOCHS, FLAGGED, History, add, empty, entry_key, make_entry, pixel_table
from badpix.instrument.geometry import Geometry
from badpix.instrument.segments import by_exposure

logger = logging.getLogger(__name__)
TABLES = {"flagged": FLAGGED, "epochs": EPOCHS}


class HistoryError(Exception):
    """The history cannot be read, and is left as it is; the message says what to do."""


def read_history(directory):
    """The History in `directory`; an empty one if there is none. HistoryError when it is damaged."""
    found = {}
    for name, types in TABLES.items():
        path = Path(directory) / f"{name}.parquet"
        if path.exists():
            found[name] = _read(path, types)
    none = empty()
    return History(found.get("epochs", none.epochs), found.get("flagged", none.flagged))


def _read(path, types):
    try:
        table = pd.read_parquet(path)
    except Exception as error:  # pyarrow has no exception of its own for a file that is none
        raise HistoryError(
            f"{path} cannot be read ({type(error).__name__}: {error}); nothing was written. Put a copy in its place, or"
            " move it away to begin a new history"
        ) from error
    if list(table.columns) != list(types):
        raise HistoryError(
            f"{path} has the columns {', '.join(table.columns)}, not {', '.join(types)}; nothing was written. Move it"
            " away to begin a new history, or set history_directory to another place"
        )
    return table.astype(types)


def extend_history(directory, entries):
    """Add `entries` (Histories of one) to the one in `directory`: returns (the History, its table PIXELS).

    Adding the same again changes nothing. Other jobs that extend it wait meanwhile. A job that dies between two files
    has left flags of entries that the epochs do not know yet; its next try replaces them.
    """
    Path(directory).mkdir(parents=True, exist_ok=True)
    with _alone(directory):
        before = history = read_history(directory)
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


def _stored_pixels(directory):
    """The table PIXELS in `directory`; None if there is none that can be read: it follows from the other two."""
    try:
        return pd.read_parquet(Path(directory) / "pixels.parquet")
    except Exception:
        return None


def _write(path, old, new):
    """Replace `path` with the table `new` where it differs from `old`, what is there; True if it has been written."""
    if path.exists() and new.equals(old):
        return False
    with atomic_path(path) as temporary:
        new.to_parquet(temporary, index=False)
    return True


@contextmanager
def _alone(directory):
    """Let no two processes read, extend and replace a history at the same time; the lock ends with its process."""
    with open(Path(directory) / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:  # Snakemake itself lets no two runs work on the same results
            logger.warning("%s: no locks on this file system (%s); do not share it between runs", directory, error)
        yield


def read_entry(mask, summary, rejected_table, epoch, exposures):
    """The entry of one mask. `exposures` maps kind to names, and these to the times when they began.

    Exposures in the table `rejected_table` are not of the mask, and do not count here.
    """
    header = fits.getheader(mask)
    rejected = read_rejected_exposures(rejected_table)
    used = {
        kind: {name: at for name, at in of_kind.items() if name not in rejected} for kind, of_kind in exposures.items()
    }
    begun = [at for of_kind in used.values() for at in of_kind.values()]
    names = [name for of_kind in used.values() for name in of_kind]
    geometry = Geometry.from_header(header)
    facts = {
        "entry": entry_key(header["DETECTOR"], epoch, names),
        "detector": header["DETECTOR"],
        "epoch": epoch,
        "first_observation": min(begun),
        "last_observation": max(begun),
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
    }
    return make_entry(facts, read_summary(summary), read_mask(mask))
