"""The sheet of exposures: a table of tab-separated values, a row per exposure, as an alternative to the input keys."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from badpix.core.paths import expand, path_problem, shown, text_problem
from badpix.core.plain_input import read_text
from badpix.instrument.file_names import InputError, exposure_name

# Kind of exposure -> name of an exposure -> product -> path.
Exposures = dict[str, dict[str, dict[str, str]]]

# Kind as written in the sheet -> kind of the inventory.
KINDS = {"dark": "darks", "flat": "flats"}
PRODUCTS = {"darks": ("uncal", "rateints", "jump", "fitopt"), "flats": ("uncal", "rateints", "flux_check")}
COLUMNS = ("kind", "uncal", "rateints", "jump", "fitopt", "flux_check", "exposure")


def read_sheet(path: str | Path) -> Exposures:
    """The exposures of the sheet at `path`: kind -> exposure -> product -> file.

    The first line names the columns: `kind` (dark or flat), the products that are given and, where their names are not
    those of the exposure, `exposure`, the name of the exposure. Empty cells, empty lines and lines that begin with #
    are ignored; ~ and variables in paths are expanded. Raises InputError, naming sheet, line, column and value, for
    what is not allowed.
    """
    try:
        text = read_text(path).removeprefix("\ufeff")
        lines = [
            (n, line) for n, line in enumerate(io.StringIO(text, newline=""), 1) if line.strip() and line[0] != "#"
        ]
        rows = list(csv.reader((line for _, line in lines), delimiter="\t", strict=False))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"exposures: the sheet {str(path)!r} cannot be read: {error}") from error
    if not rows:
        raise InputError(f"exposures: the sheet {str(path)!r} is empty; its columns are {', '.join(COLUMNS)}")
    columns = [cell.strip() for cell in rows[0]]
    _check_columns(path, columns)
    exposures: Exposures = {kind: {} for kind in PRODUCTS}
    for (number, _), cells in zip(lines[1:], rows[1:], strict=False):
        where = f"{path}, line {number}"
        if len(cells) > len(columns):
            raise InputError(f"{where}: {len(cells)} cells, but {len(columns)} columns; tabs separate cells")
        row = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if cell.strip()}
        kind, name, files = _read_row(where, row)
        if name in exposures[kind]:
            raise InputError(f"{where}: the exposure {name} is given twice")
        exposures[kind][name] = files
    return exposures


def _check_columns(path: str | Path, columns: Sequence[str]) -> None:
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        raise InputError(f"{path}, line 1: unknown column {unknown[0]!r}; allowed are {', '.join(COLUMNS)}")
    if "kind" not in columns:
        raise InputError(f"{path}, line 1: no column kind; each exposure needs it, with the value dark or flat")
    if len(set(columns)) < len(columns):
        raise InputError(f"{path}, line 1: a column is given twice: {', '.join(columns)}")


def _read_row(where: str, row: dict[str, str]) -> tuple[str, str, dict[str, str]]:
    """Kind, exposure name and files (product -> path) of a row (column -> cell, without empty cells)."""
    value = row.pop("kind", "")
    if value not in KINDS:
        raise InputError(f"{where}: kind is {value!r}; allowed are {' and '.join(KINDS)}")
    kind = KINDS[value]
    given = row.pop("exposure", None)
    if given and ((problem := path_problem(given)) or "/" in given):
        raise InputError(
            f"{where}: the exposure {shown(given)[:60]!r} {problem or 'has a slash'}; products are named after it"
        )
    for product, file in row.items():
        if problem := text_problem(file):
            raise InputError(f"{where}: the {product} file {shown(file)[:60]!r} {problem}")
        if product not in PRODUCTS[kind]:
            raise InputError(f"{where}: a {value} has no {product} file; it may have {', '.join(PRODUCTS[kind])}")
    if not row.keys() - {"flux_check"}:
        raise InputError(f"{where}: no file is given")
    try:
        row = {product: expand(file) for product, file in row.items()}
    except KeyError as error:
        raise InputError(
            f"{where}: the environment variable {error.args[0]} is not set or empty ($$ is a dollar sign)"
        ) from error
    if given:
        return kind, given, row
    names = {exposure_name(file): product for product, file in row.items()}
    if len(names) > 1:
        differing = " and ".join(f"{product} is of {name}" for name, product in sorted(names.items()))
        raise InputError(
            f"{where}: files of different exposures: {differing}; if these names do not count, name the exposure in the"
            " column exposure"
        )
    return kind, next(iter(names)), row
