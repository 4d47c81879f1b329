"""The index of the files that were fetched into a folder, and the lock of the folder.

The index names a file for ever, so that a file that the user removed is not fetched again.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from badpix.archive.request import FetchError
from badpix.core.csv_table import TableError, read_csv, write_csv

INDEX = "mast_files.csv"
# Hidden, so that no glob of the configuration matches files in it.
WORK = ".mast"
LOCK = "lock"


@dataclass(frozen=True)
class Fetched:
    """A fetched file: row of the index.

    `size` (bytes), `sha256` and `checksum` (MD5) are those of the file, `fetched` is the time in UTC. `listed_size` and
    `listed_checksum` are those that MAST listed, 0 and empty if it listed none.
    """

    name: str
    exposure: str
    kind: str
    detector: str
    exp_type: str
    date_obs: str
    size: int
    sha256: str
    checksum: str
    listed_size: int
    listed_checksum: str
    fetched: str
    uri: str


_COLUMNS: dict[str, type] = {name: int if name.endswith("size") else str for name in Fetched.__annotations__}


def read_index(folder: Path) -> dict[str, Fetched]:
    """Name -> row of the index of `folder`; empty without an index. FetchError if it is damaged."""
    path = folder / INDEX
    if not path.exists():
        return {}
    try:
        rows = read_csv(path, _COLUMNS).to_dict("records")
    except TableError as error:
        raise FetchError(f"{error} (then its files are recognised by their names)") from None
    return {str(row["name"]): Fetched(**row) for row in rows}


def write_index(folder: Path, index: Mapping[str, Fetched]) -> None:
    """Write the index of `folder`, completely or not at all."""
    import pandas as pd

    write_csv(folder / INDEX, pd.DataFrame([asdict(row) for row in index.values()], columns=list(_COLUMNS)))


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Yield the working folder of `folder`, which no further fetch can use meanwhile; FetchError if one does now.

    The lock ends with the process, however it ends.
    """
    work = folder / WORK
    try:
        work.mkdir(parents=True, exist_ok=True)
        file = (work / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise FetchError(f"{folder}: no files can be written there: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise FetchError(
                f"{folder}: the folder is locked by a running fetch (process {file.read().strip() or 'unknown'})"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield work
