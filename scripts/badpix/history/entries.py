"""The masks of a detector over time, as flat tables that grow by an entry with each mask.

Three tables (pandas; Parquet files):

* EPOCHS: a row per entry and type or flag. `entry` (key), `detector`, `epoch` (name, or empty), `first_observation`
  and `last_observation` (UTC, of the exposures used), `n_darks`, `n_flats`, `mask` (file name), `useafter`,
  `mask_date`, the place of the array on the detector (`subarray`, `x_start`, `y_start`, 1-based, `n_columns`,
  `n_rows`), and `kind` (type or flag), `name`, `n_pixels`, `fraction` as in summary.csv.
* FLAGGED: a row per entry, pixel and flag of the mask: `entry`, `x`, `y`, `flag`.
* PIXELS: a row per pixel and flag, and per pixel with the flag `ANY`: `x`, `y`, `flag`, `first_seen`, `last_seen`,
  `n_epochs_flagged`, `n_epochs` (entries whose array has the pixel), `fraction_flagged`. It follows from the others.

`x` and `y` are 0-based and count from the corner of the whole detector, so that entries of different subarrays can
stand in one table. REFERENCE_PIXEL and NON_SCIENCE are no flags here.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from badpix.instrument.dq import PIXEL_FLAGS, flags_in_words

ANY = "ANY"
FLAGS = {name: bit for name, bit in PIXEL_FLAGS.items() if name not in ("REFERENCE_PIXEL", "NON_SCIENCE")}
FACTS = {
    "entry": "str", "detector": "str", "epoch": "str", "first_observation": "datetime64[us]",
    "last_observation": "datetime64[us]", "n_darks": "int64", "n_flats": "int64", "mask": "str", "useafter": "str",
    "mask_date": "str", "subarray": "str", "x_start": "int64", "y_start": "int64", "n_columns": "int64",
    "n_rows": "int64",
}  # fmt: skip
EPOCHS = FACTS | {"kind": "str", "name": "str", "n_pixels": "int64", "fraction": "float64"}
FLAGGED = {"entry": "category", "x": "uint16", "y": "uint16", "flag": "category"}


@dataclass(frozen=True)
class History:
    """The tables EPOCHS and FLAGGED."""

    epochs: pd.DataFrame
    flagged: pd.DataFrame


def empty():
    """A History without entries."""
    return History(*(pd.DataFrame(columns=list(types)).astype(types) for types in (EPOCHS, FLAGGED)))


def entry_key(detector, epoch, exposures):
    """What an entry is known by: the name of its epoch, or where it has none the names of its `exposures`.

    So a mask made again, with another threshold or one exposure more of its epoch, takes the place of the one before.
    """
    text = "\n".join([detector, f"epoch {epoch}"] if epoch else [detector, *sorted(exposures)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def make_entry(facts, counts, dq):
    """One entry as a History: `facts` maps FACTS to values, `counts` is the table of summary.csv, `dq` the mask.

    `dq` is uint32 (y, x), of the array whose place `facts` gives.
    """
    epochs = counts[["kind", "name", "n_pixels", "fraction"]].assign(**facts)[list(EPOCHS)].astype(EPOCHS)
    y, x = np.nonzero(dq)
    having = np.stack([dq[y, x] & np.uint32(bit) != 0 for bit in FLAGS.values()])
    flag, pixel = np.nonzero(having)
    flagged = pd.DataFrame(
        {
            "entry": facts["entry"],
            "x": x[pixel] + facts["x_start"] - 1,
            "y": y[pixel] + facts["y_start"] - 1,
            "flag": np.array(list(FLAGS), dtype=object)[flag],
        }
    ).astype(FLAGGED)
    return History(epochs, flagged)


def add(history, entry):
    """`history` with `entry` (a History of one), in the order of time; one of the same key is replaced."""
    key = entry.epochs["entry"].iloc[0]
    kept = history.epochs[history.epochs["entry"] != key], history.flagged[history.flagged["entry"] != key]
    epochs = _joined(kept[0], entry.epochs, EPOCHS)
    epochs = epochs.sort_values(["first_observation", "last_observation", "entry"], kind="stable", ignore_index=True)
    flagged = _joined(kept[1], entry.flagged, FLAGGED)
    # Categories in the order of time and of the bits, whatever the order in which entries came.
    for name, known in (("entry", epochs["entry"].unique()), ("flag", FLAGS)):
        flagged[name] = flagged[name].cat.set_categories(pd.Index(list(known), dtype="str"))
    return History(epochs, flagged.sort_values(["entry", "y", "x", "flag"], ignore_index=True))


def _joined(one, other, types):
    """Two tables of the same columns, one below the other, with categories united."""
    columns = {}
    for name, dtype in types.items():
        if dtype == "category":
            known = dict.fromkeys([*one[name].cat.categories, *other[name].cat.categories])
            dtype = pd.CategoricalDtype(pd.Index(list(known), dtype="str"))
            columns[name] = pd.concat([one[name].astype(dtype), other[name].astype(dtype)], ignore_index=True)
        else:
            columns[name] = pd.concat([one[name], other[name]], ignore_index=True)
    return pd.DataFrame(columns)


def entries_of(history):
    """A row per entry, in the order of time: the columns FACTS."""
    return history.epochs.drop_duplicates("entry")[list(FACTS)].reset_index(drop=True)


def pixel_table(history):
    """The table PIXELS, by y, x and flag, with `ANY` last."""
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
    return table[["x", "y", "flag", *table.columns[3:]]]


def coverage(entries):
    """How many of `entries` (of entries_of) have each pixel: int (y, x), as far from the corner as any of them goes."""
    ends = [entries[start] - 1 + entries[size] for start, size in (("y_start", "n_rows"), ("x_start", "n_columns"))]
    image = np.zeros([int(end.max()) for end in ends], np.int64)
    for row in entries.itertuples():
        image[row.y_start - 1 :, row.x_start - 1 :][: row.n_rows, : row.n_columns] += 1
    return image


def intermittent_pixels(pixels):
    """Of the table PIXELS the pixels that are flagged in some entries but not in all that have them.

    Columns x, y, flags (all that they had, joined by +), n_epochs_flagged, n_epochs, fraction_flagged, first_seen,
    last_seen; by y and x.
    """
    of_any = pixels[(pixels["flag"] == ANY) & (pixels["n_epochs_flagged"] < pixels["n_epochs"])]
    named = pixels[pixels["flag"] != ANY].merge(of_any[["x", "y"]], on=["x", "y"]).astype({"flag": "str"})
    flags = named.groupby(["y", "x"])["flag"].agg(flags_in_words).rename("flags").reset_index()
    table = of_any.drop(columns="flag").merge(flags, on=["y", "x"])
    counted = ["n_epochs_flagged", "n_epochs", "fraction_flagged", "first_seen", "last_seen"]
    return table[["x", "y", "flags", *counted]].sort_values(["y", "x"], ignore_index=True)
