"""Checks of the tables of a history that was read from disk: types, ranges, and relations between the tables."""

import json
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from badpix.history.entries import ENTRY_COLUMNS, FLAGS, History

# No detector of JWST is larger; a larger array would ask for any memory.
MAX_SIDE = 4096
KINDS_OF_NUMBERS = {"int64": "iu", "uint16": "iu", "float64": "f", "datetime64[us]": "M", "bool": "b"}
POSITIONS = (("x_start", "n_columns"), ("y_start", "n_rows"))


def column_problem(table: pd.DataFrame, types: Mapping[str, str]) -> str | None:
    """The first column of a table as read that has other types than `types` (name -> dtype), or lacks values."""
    for name, dtype in types.items():
        column = table[name]
        # The categories stand for millions of rows.
        values = column.cat.categories.to_series() if column.dtype == "category" else column
        is_text = dtype in ("str", "category")
        if is_text and not all(isinstance(value, str) for value in values.unique()):
            return f"{name} has values that are no texts"
        if not is_text and values.dtype.kind not in KINDS_OF_NUMBERS[dtype]:
            return f"{name} has the type {values.dtype}, not {dtype}"
        if column.isna().any():
            return f"{name} has empty cells"
        if values.dtype.kind in "iu" and len(values) and not 0 <= values.min() <= values.max() < 2**31:
            return f"{name} has values from {values.min()} to {values.max()}"
    return None


def history_problem(history: History) -> str | None:
    """The reason why the tables of a history contradict themselves or each other, None if they do not.

    Their columns must be without problems, and every entry of FLAGGED in EPOCHS.
    """
    return next(_problems(history.epochs, history.flagged), None)


def _problems(epochs: pd.DataFrame, flagged: pd.DataFrame) -> Iterator[str]:
    if epochs.empty:  # all entries were removed
        return
    entries = epochs.drop_duplicates(list(ENTRY_COLUMNS))
    if not entries["entry"].is_unique:
        yield "epochs.parquet has rows of an entry that contradict each other"
    if epochs.duplicated(["entry", "kind", "name"]).any():
        yield "epochs.parquet has a count twice"
    if entries["detector"].nunique() > 1:
        yield f"epochs.parquet has entries of the detectors {', '.join(sorted(entries['detector'].unique()))}"
    if (entries["first_observation"] > entries["last_observation"]).any():
        yield "epochs.parquet has a last_observation before its first_observation"
    for start, size in POSITIONS:
        if entries[[start, size]].min().min() < 1 or (entries[start] - 1 + entries[size]).max() > MAX_SIDE:
            yield f"epochs.parquet has an array beyond {MAX_SIDE} pixels ({start}, {size})"
    if not all(map(_is_configuration, entries["configuration"].unique())):
        yield "epochs.parquet has a configuration that is no JSON mapping"
    if not epochs["kind"].isin(["type", "flag"]).all():
        yield "epochs.parquet has a kind that is neither type nor flag"
    if not (np.isfinite(epochs["fraction"]) & epochs["fraction"].between(0, 1)).all():
        yield "epochs.parquet has a fraction that is not from 0 to 1"
    if not set(flagged["flag"].cat.categories) <= set(FLAGS):
        yield "flagged.parquet has unknown flags"
    if flagged.duplicated().any():
        yield "flagged.parquet has a row twice"
    of_entry = entries.drop_duplicates("entry").set_index("entry").reindex(flagged["entry"].cat.categories)
    codes = flagged["entry"].cat.codes.to_numpy()
    for axis, (start, size) in zip("xy", POSITIONS, strict=True):
        first, length = (of_entry[name].to_numpy()[codes] for name in (start, size))
        outside = (flagged[axis] < first - 1) | (flagged[axis] >= first - 1 + length)
        if outside.any():
            yield f"flagged.parquet has pixels outside the array of their mask ({axis})"


def _is_configuration(text: str) -> bool:
    """Whether `text` is empty, of an entry of an earlier version, or the settings of a mask."""
    try:
        return not text or isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
