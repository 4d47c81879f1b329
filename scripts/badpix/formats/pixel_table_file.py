"""The table of the bad pixels of a mask as Parquet and as CSV, with the same columns and values.

`x` and `y` are 0-based on the full frame of the detector; the schema of the Parquet file says so, and has the unit of
each column of numbers. Texts are dictionary-encoded. An empty cell of the CSV is a missing value.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from badpix.core.csv_table import restored, write_csv
from badpix.core.files import atomic_path

PARQUET, CSV = "bad_pixels.parquet", "bad_pixels.csv"
COORDINATES = "0-based, in the full frame of the detector"
KEY = b"badpix"
# Digits of a real number in both files: a measurement has fewer.
DIGITS = 6


def write_parquet(path: str | Path, table: pd.DataFrame, meanings: Mapping[str, str], about: Mapping[str, Any]) -> None:
    """Write `table`; `meanings` maps columns to their unit and meaning, `about` are properties of the mask (JSON)."""
    # Imported here because it takes half a second.
    import pyarrow as pa
    import pyarrow.parquet as pq

    meanings = dict.fromkeys(("x", "y", "source_x", "source_y"), COORDINATES) | dict(meanings)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    for number, field in enumerate(arrow.schema):
        column = arrow.column(number)
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = column.dictionary_encode()
        metadata = {"description": meanings[field.name]} if field.name in meanings else None
        arrow = arrow.set_column(number, pa.field(field.name, column.type, metadata=metadata), column)
    content = {KEY: json.dumps({"coordinates": COORDINATES, **about}).encode()}
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **content})
    with atomic_path(path) as temporary:
        pq.write_table(arrow, temporary, compression="zstd")


def write_tables(
    parquet: str | Path, csv: str | Path, table: pd.DataFrame, meanings: Mapping[str, str], about: Mapping[str, Any]
) -> None:
    """Write `table` as Parquet and as CSV; arguments as of `write_parquet`."""
    rounded = with_digits(table)
    write_parquet(parquet, rounded, meanings, about)
    write_csv(csv, rounded)


def with_digits(table: pd.DataFrame) -> pd.DataFrame:
    """`table` with its real numbers rounded to DIGITS digits, as float64."""
    reals = {name: rounded(table[name].to_numpy(np.float64)) for name in table if table[name].dtype.kind == "f"}
    return table.assign(**reals)


def rounded(values: np.ndarray) -> np.ndarray:
    """float64 `values` with DIGITS significant digits; NaN and infinities stay."""
    return np.array([float(f"{value:.{DIGITS}g}") for value in values.tolist()], np.float64)


def read_parquet(path: str | Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table in a file of `write_parquet`, texts as str, and the properties of the mask."""
    import pyarrow.parquet as pq

    arrow = pq.read_table(path)
    table = arrow.to_pandas()
    texts = {name: table[name].astype(str) for name in table if isinstance(table[name].dtype, pd.CategoricalDtype)}
    return table.assign(**texts), json.loads(arrow.schema.metadata[KEY])


def read_csv(path: str | Path, like: pd.DataFrame) -> pd.DataFrame:
    """The table in the CSV file at `path` with the columns and types of the table `like`."""
    texts = [name for name in like if like[name].dtype.kind not in "biufM"]
    empty = {name: [""] for name in like if name not in texts}
    table = pd.read_csv(path, keep_default_na=False, na_values=empty, dtype=dict.fromkeys(texts, str))
    for name in texts:
        table[name] = [restored(text) for text in table[name]]
    return table.astype(like.dtypes.to_dict())
