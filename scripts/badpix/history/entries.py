"""The masks of a detector over time, as flat tables. Each mask adds an entry.

Three tables (pandas; Parquet files):

* EPOCHS: a row per entry and type or flag. `entry` (key), `detector`, `epoch` (name, or empty), `first_observation`
  and `last_observation` (UTC, of the exposures used), `n_darks`, `n_flats`, `mask` (file name), `useafter`,
  `mask_date`, the position of the array on the detector (`subarray`, `x_start`, `y_start`, 1-based, `n_columns`,
  `n_rows`), `settings` (digest of `configuration`), `preset`, `configuration` (settings that differ from the defaults,
  JSON), `exposures` (digest of their names), `contents` (digest of their names and contents), `compared` (whether the
  last run compared it), and `kind` (type or flag), `name`, `n_pixels`, `fraction` as in summary.csv. In entries of
  earlier versions, columns that they lack are empty.
* FLAGGED: a row per entry, pixel and flag of the mask: `entry`, `x`, `y`, `flag`.
* PIXELS: a row per pixel and flag, and per pixel with the flag `ANY`: `x`, `y`, `flag`, `first_seen`, `last_seen`,
  `n_epochs_flagged`, `n_epochs` (entries whose array has the pixel), `fraction_flagged`. It is computed from the
  entries of the other two tables that are `compared`.

`x` and `y` are 0-based in the full frame of the detector, so that a table can hold entries of different subarrays.
REFERENCE_PIXEL and NON_SCIENCE do not count as flags here.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from badpix.instrument.dq import PIXEL_FLAGS, flags_in_words

ANY = "ANY"
FLAGS = {name: bit for name, bit in PIXEL_FLAGS.items() if name not in ("REFERENCE_PIXEL", "NON_SCIENCE")}
ENTRY_COLUMNS = {
    "entry": "str", "detector": "str", "epoch": "str", "first_observation": "datetime64[us]",
    "last_observation": "datetime64[us]", "n_darks": "int64", "n_flats": "int64", "mask": "str", "useafter": "str",
    "mask_date": "str", "subarray": "str", "x_start": "int64", "y_start": "int64", "n_columns": "int64",
    "n_rows": "int64", "settings": "str", "preset": "str", "configuration": "str", "exposures": "str",
    "contents": "str", "compared": "bool",
}  # fmt: skip
# Columns that histories of earlier versions lack.
LATER = ("settings", "preset", "configuration", "exposures", "contents", "compared")
EPOCHS = ENTRY_COLUMNS | {"kind": "str", "name": "str", "n_pixels": "int64", "fraction": "float64"}
PIXELS = (
    "x", "y", "flag", "first_seen", "last_seen", "n_epochs_flagged", "n_epochs", "fraction_flagged",
)  # fmt: skip
FLAGGED = {"entry": "category", "x": "uint16", "y": "uint16", "flag": "category"}


@dataclass(frozen=True)
class History:
    """The tables EPOCHS and FLAGGED."""

    epochs: pd.DataFrame
    flagged: pd.DataFrame


def empty() -> History:
    """A History without entries."""
    return History(*(pd.DataFrame(columns=list(types)).astype(types) for types in (EPOCHS, FLAGGED)))


def entry_key(detector: str, epoch: str, exposures: Iterable[str], settings: str = "") -> str:
    """The key of an entry: a hash of detector, digest of the settings, and epoch, or names of the `exposures`.

    So a new mask of the same epoch and settings, as with an additional exposure, replaces the old entry, and a trial
    with other settings does not.
    """
    of_settings = [f"settings {settings}"] if settings else []
    return digest([detector, *of_settings, *([f"epoch {epoch}"] if epoch else sorted(exposures))])


def digest(lines: Iterable[str]) -> str:
    """Digest of some texts in their order."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def make_entry(overview: Mapping[str, Any], counts: pd.DataFrame, dq: np.ndarray) -> History:
    """A History with a single entry.

    `overview` maps ENTRY_COLUMNS to values, `counts` is the table of summary.csv, `dq` the mask, uint32 (y, x), of the
    array described by `overview`.
    """
    counts = counts[counts["kind"].isin(["type", "flag"])]
    epochs = counts[["kind", "name", "n_pixels", "fraction"]].assign(**overview)[list(EPOCHS)].astype(EPOCHS)
    y, x = np.nonzero(dq)
    having = np.stack([dq[y, x] & np.uint32(bit) != 0 for bit in FLAGS.values()])
    flag, pixel = np.nonzero(having)
    flagged = pd.DataFrame(
        {
            "entry": overview["entry"],
            "x": x[pixel] + overview["x_start"] - 1,
            "y": y[pixel] + overview["y_start"] - 1,
            "flag": np.array(list(FLAGS), dtype=object)[flag],
        }
    ).astype(FLAGGED)
    return History(epochs, flagged)


def add(history: History, entry: History) -> History:
    """`history` with `entry` (a History of one entry) added, in order of time; an entry of the same key is replaced."""
    key = entry.epochs["entry"].iloc[0]
    kept = history.epochs[history.epochs["entry"] != key], history.flagged[history.flagged["entry"] != key]
    epochs = _joined(kept[0], entry.epochs, EPOCHS)
    epochs = epochs.sort_values(["first_observation", "last_observation", "entry"], kind="stable", ignore_index=True)
    flagged = _joined(kept[1], entry.flagged, FLAGGED)
    # Categories in order of time and of bits, so that the table does not depend on the order of additions.
    for name, known in (("entry", epochs["entry"].unique()), ("flag", FLAGS)):
        flagged[name] = flagged[name].cat.set_categories(pd.Index(list(known), dtype="str"))
    return History(epochs, flagged.sort_values(["entry", "y", "x", "flag"], ignore_index=True))


def _joined(first: pd.DataFrame, second: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    """The rows of two tables with the same columns; categories are the union."""
    columns = {}
    for name, dtype in types.items():
        if dtype == "category":
            known = dict.fromkeys([*first[name].cat.categories, *second[name].cat.categories])
            dtype = pd.CategoricalDtype(pd.Index(list(known), dtype="str"))
            columns[name] = pd.concat([first[name].astype(dtype), second[name].astype(dtype)], ignore_index=True)
        else:
            columns[name] = pd.concat([first[name], second[name]], ignore_index=True)
    return pd.DataFrame(columns)


def entries_of(history: History) -> pd.DataFrame:
    """A DataFrame with ENTRY_COLUMNS, a row per entry, in order of time."""
    return history.epochs.drop_duplicates("entry")[list(ENTRY_COLUMNS)].reset_index(drop=True)


def pixel_table(history: History) -> pd.DataFrame:
    """The table PIXELS of all entries of a History, sorted by y, x and flag, with `ANY` last."""
    entries = entries_of(history).set_index("entry")
    once = history.flagged.drop_duplicates(["entry", "x", "y"]).assign(flag=ANY)
    rows = pd.concat([history.flagged.astype({"flag": "str"}), once], ignore_index=True)
    order = pd.CategoricalDtype([*FLAGS, ANY], ordered=True)
    rows = rows.astype({"flag": order})
    for column in ("first_observation", "last_observation"):
        of_category = entries[column].reindex(rows["entry"].cat.categories).to_numpy()
        rows[column] = of_category[rows["entry"].cat.codes]
    grouped = rows.groupby(["y", "x", "flag"], observed=True)
    table = grouped.agg(
        first_seen=("first_observation", "min"),
        last_seen=("last_observation", "max"),
        n_epochs_flagged=("entry", "size"),
    ).reset_index()
    table["n_epochs"] = coverage(entries)[table["y"], table["x"]] if len(table) else 0
    table["fraction_flagged"] = table["n_epochs_flagged"] / table["n_epochs"]
    return table[list(PIXELS)]


def compared_part(history: History) -> History:
    """The `compared` entries of a History."""
    epochs = history.epochs[history.epochs["compared"]].reset_index(drop=True)
    flagged = history.flagged[history.flagged["entry"].isin(epochs["entry"].unique())].reset_index(drop=True)
    return History(epochs, flagged.assign(entry=flagged["entry"].cat.remove_unused_categories()))


def coverage(entries: pd.DataFrame) -> np.ndarray:
    """Number of `entries` (of entries_of) whose array has the pixel: int (y, x), up to the largest row and column."""
    ends = [entries[start] - 1 + entries[size] for start, size in (("y_start", "n_rows"), ("x_start", "n_columns"))]
    image = np.zeros([int(end.max()) for end in ends], np.int64)
    for row in entries.itertuples():
        image[row.y_start - 1 :, row.x_start - 1 :][: row.n_rows, : row.n_columns] += 1
    return image


def intermittent_pixels(pixels: pd.DataFrame) -> pd.DataFrame:
    """The pixels of the table PIXELS that are flagged in some, but not in all entries whose array has them.

    Columns x, y, flags (all flags in any entry, joined by +), n_epochs_flagged, n_epochs, fraction_flagged, first_seen,
    last_seen; sorted by y and x.
    """
    of_any = pixels[(pixels["flag"] == ANY) & (pixels["n_epochs_flagged"] < pixels["n_epochs"])]
    named = pixels[pixels["flag"] != ANY].merge(of_any[["x", "y"]], on=["x", "y"]).astype({"flag": "str"})
    flags = named.groupby(["y", "x"])["flag"].agg(flags_in_words).rename("flags").reset_index()
    table = of_any.drop(columns="flag").merge(flags, on=["y", "x"])
    counted = ["n_epochs_flagged", "n_epochs", "fraction_flagged", "first_seen", "last_seen"]
    return table[["x", "y", "flags", *counted]].sort_values(["y", "x"], ignore_index=True)
