"""Tables as CSV, which users open in spreadsheets: no text becomes a formula there."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from badpix.core.files import write_text
from badpix.core.plain_input import read_text

if TYPE_CHECKING:
    import pandas as pd

# A spreadsheet reads a cell that begins with these as a formula, also the full-width characters and after blanks.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
QUOTE = "'"


class TableError(ValueError):
    """A CSV table is damaged; the message names the file."""


def defused(value: Any) -> Any:
    """A text that a spreadsheet would read as a formula with a quote before it, all else unchanged."""
    if isinstance(value, str) and value.lstrip(QUOTE + " ").startswith(FORMULA):
        return QUOTE + value
    return value


def restored(text: str) -> str:
    """The text whose `defused` form is `text`."""
    return text[1:] if text.startswith(QUOTE) and text.lstrip(QUOTE + " ").startswith(FORMULA) else text


def csv_text(table: "pd.DataFrame", index: bool = False) -> str:
    """`table` as CSV text, its `index` as the first column if wanted."""
    safe = table.rename(columns=defused)
    if index:
        safe = safe.rename(index=defused)
    for number, dtype in enumerate(safe.dtypes):
        if dtype.kind not in "biufcmM":
            column = safe.columns[number]
            safe[column] = [defused(value) for value in safe.iloc[:, number]]
    text = safe.to_csv(index=index)
    # pandas leaves a return alone, which readers take for the end of a line.
    return safe.to_csv(index=index, quoting=csv.QUOTE_NONNUMERIC) if "\r" in text else text


def write_csv(path: str | Path, table: "pd.DataFrame", index: bool = False) -> None:
    """Write `csv_text` to `path`, completely or not at all."""
    write_text(path, csv_text(table, index))


def read_csv(
    path: str | Path, columns: Mapping[str, type], optional: Mapping[str, type] | None = None
) -> "pd.DataFrame":
    """The `columns` (name -> str, int, float or bool) of the table that `write_csv` wrote to `path`.

    `optional` are columns that it may lack. A float may be empty, which is NaN. TableError for a file that is no such
    table.
    """
    import pandas as pd  # takes a third of a second, which jobs that only write save

    try:
        table = pd.read_csv(io.StringIO(read_text(path)), dtype=str, na_filter=False)
        if missing := [name for name in columns if name not in table]:
            raise ValueError(f"it lacks the column {', '.join(missing)}")
        wanted = {**columns, **{name: kind for name, kind in (optional or {}).items() if name in table}}
        return pd.DataFrame({name: _converted(table[name], kind) for name, kind in wanted.items()})
    except ValueError as error:  # also the errors of pandas' parser and of the conversion to numbers
        raise TableError(f"{path} is no table of this workflow: {' '.join(str(error).split())}; remove it") from error


def _converted(texts: "pd.Series", kind: type) -> "pd.Series | list":
    """The cells of a column as values of a kind."""
    if kind is str:
        return [restored(text) for text in texts]
    if kind is bool:
        if unknown := sorted(set(texts) - {"True", "False"}):
            raise ValueError(f"{texts.name} is {unknown[0]!r}, not True or False")
        return texts == "True"
    if kind is float:
        return texts.replace("", "nan").astype(float)
    return texts.astype(kind)
