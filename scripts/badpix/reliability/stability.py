"""The reliability of a mask: expected false flags, stability of each flag, further exposures needed.

Tables are tidy, a row per number: section, kind, type, quantity, value, note.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

COLUMNS = ["section", "kind", "type", "quantity", "value", "note"]
FALSE, STABILITY, SETTLE = "expected_false", "stability", "more_exposures"
SETTLED = (50, 90, 99)  # percent of the pixels
FIRM = 1.0  # stability of a pixel that keeps its type in every vote

# section, kind, type, quantity, value, note
Row = tuple[str, str, str, str, float, str]


def table_of(rows: Sequence[Row]) -> pd.DataFrame:
    """The `rows` as a table with the columns COLUMNS."""
    return pd.DataFrame(rows, columns=COLUMNS).astype({"value": float})


def stability_rows(kind: str, pixels: pd.DataFrame, types: pd.DataFrame) -> list[Row]:
    """Rows about the stability of each type of `kind`, from the tables of `badpix.formats.leave_one_out_file`."""
    rows: list[Row] = []
    for of_type in types[types["kind"] == kind].itertuples():
        share = pixels.loc[(pixels["kind"] == kind) & (pixels["type"] == of_type.type), "stability"].to_numpy()
        if not of_type.votes or not len(share):
            continue
        for quantity, value, note in (
            ("pixels", len(share), "found by all exposures"),
            ("mean", share.mean(), "share of the votes without one exposure that keep a pixel's type"),
            ("firm", (share >= FIRM).mean(), "share of the pixels that keep it in every such vote"),
            ("in_half", (share <= 0.5).mean(), "share of the pixels that keep it in half of them or fewer"),
            ("lowest", share.min(), "of all pixels"),
            ("gained_per_vote", of_type.gained / of_type.votes, "pixels found only when an exposure is left out"),
        ):
            rows.append((STABILITY, kind, of_type.type, quantity, value, note))
    return rows


def stability_image(pixels: pd.DataFrame, shape: tuple[int, int]) -> np.ndarray:
    """The lowest stability of each pixel's types, float32 (y, x) of `shape`, NaN where no type is found.

    `pixels` is table PIXELS of `badpix.formats.leave_one_out_file`.
    """
    image = np.full(shape, np.nan, np.float32)
    lowest = pixels.groupby(["y", "x"])["stability"].min()
    y, x = (lowest.index.get_level_values(name).to_numpy(int) for name in ("y", "x"))
    image[y, x] = lowest.to_numpy(np.float32)
    return image


def more_needed(have: Sequence[int] | np.ndarray, need: int, n_exposures: int) -> np.ndarray:
    """Number of further exposures that bring each pixel from `have` to `need`, at the rate of the first `n_exposures`.

    `have`: int, one axis. Returns a float array of the same shape, infinite where `have` is 0.
    """
    have = np.asarray(have, float)
    with np.errstate(divide="ignore"):
        return np.where(have > 0, np.ceil(np.round((need - have) * n_exposures / have, 9)), np.inf)


@dataclass(frozen=True)
class Shortage:
    """Pixels that could not be classified: they `have` (int array, pixel) fewer than the required `need` of `what`."""

    have: np.ndarray
    need: int
    what: str


def settle_rows(kind: str, name: str, shortage: Shortage, n_exposures: int) -> list[Row]:
    """Rows about the pixels not classified for type `name`, and the further exposures of `kind` that they need."""
    more = more_needed(shortage.have, shortage.need, n_exposures)
    what = shortage.what
    unresolvable = np.isinf(more)
    none_so_far = f"of these, without any of the {what} so far"
    rows: list[Row] = [
        (SETTLE, kind, name, "insufficient", len(more), f"pixels with fewer than {shortage.need} {what}"),
        (SETTLE, kind, name, "unresolvable", int(np.count_nonzero(unresolvable)), none_so_far),
    ]
    resolvable = np.sort(more[~unresolvable])
    for percent in SETTLED if len(resolvable) else ():
        value = resolvable[int(np.ceil(percent / 100 * len(resolvable))) - 1]
        note = f"further {kind} like those so far that settle {percent}% of the rest"
        rows.append((SETTLE, kind, name, f"more_for_{percent}", value, note))
    return rows
