"""The entries that a user removed from a history: a table beside it keeps a later run from adding them again.

Without slow imports.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from badpix.core.content import sha256_of
from badpix.core.csv_table import read_csv, write_csv

if TYPE_CHECKING:
    import pandas as pd

FILE = "removed.csv"
# The mask of an entry: made again from other exposures, it is another mask, and is added.
IDENTITY = ["entry", "exposures", "contents"]
COLUMNS = ["entry", "epoch", "settings", "exposures", "contents", "removed"]


def removed_digest(directory: str | Path) -> str:
    """SHA-256 of the table of removed entries of a history; empty without a table."""
    path = Path(directory) / FILE
    return sha256_of(path) if path.is_file() else ""


def read_removed(directory: str | Path) -> "pd.DataFrame":
    """The table of removed entries, COLUMNS of texts; `removed` is the time. TableError if it is damaged."""
    import pandas as pd

    path = Path(directory) / FILE
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    return read_csv(path, dict.fromkeys(COLUMNS, str))


def write_removed(directory: str | Path, table: "pd.DataFrame") -> None:
    """Write the table of removed entries; an empty table has no file."""
    path = Path(directory) / FILE
    if table.empty:
        path.unlink(missing_ok=True)
    else:
        write_csv(path, table[COLUMNS])


def is_removed(entries: "pd.DataFrame", removed: "pd.DataFrame") -> "pd.Series":
    """True for the rows of `entries` (with the columns IDENTITY) whose mask is in the table `removed`."""
    import pandas as pd

    known = set(removed[IDENTITY].itertuples(index=False, name=None))
    rows = entries[IDENTITY].itertuples(index=False, name=None)
    return pd.Series([row in known for row in rows], entries.index, dtype=bool)
