"""Statistical control of a mask: false flags to expect, how firmly each flag stands, what more exposures would settle.

Tables are tidy: section, kind, type, quantity, value, note, a row per number.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

COLUMNS = ["section", "kind", "type", "quantity", "value", "note"]
FALSE, STABILITY, SETTLE = "expected_false", "stability", "more_exposures"
SETTLED = (50, 90, 99)  # percent of the pixels
FIRM = 1.0  # a pixel that keeps its type in every vote


def table_of(rows):
    """Rows (section, kind, type, quantity, value, note) as a table."""
    return pd.DataFrame(rows, columns=COLUMNS).astype({"value": float})


def stability_rows(kind, pixels, types):
    """Rows of the table of control for `kind`, per type, from the tables of `badpix.formats.leave_one_out_file`."""
    rows = []
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


def stability_image(pixels, shape):
    """The lowest stability of a pixel's types, float32 (y, x), NaN where nothing is found; `pixels` is table PIXELS of
    `badpix.formats.leave_one_out_file`."""
    image = np.full(shape, np.nan, np.float32)
    lowest = pixels.groupby(["y", "x"])["stability"].min()
    y, x = (lowest.index.get_level_values(name).to_numpy(int) for name in ("y", "x"))
    image[y, x] = lowest.to_numpy(np.float32)
    return image


def more_needed(have, need, n_exposures):
    """How many more exposures bring each pixel from `have` to `need`, at the pace of the `n_exposures` so far.

    `have`: int array; the result is float, infinite where a pixel has nothing so far.
    """
    have = np.asarray(have, float)
    with np.errstate(divide="ignore"):
        return np.where(have > 0, np.ceil(np.round((need - have) * n_exposures / have, 9)), np.inf)


@dataclass(frozen=True)
class Shortage:
    """Pixels that could not be judged: they `have` (int array) fewer than the `need` of `what`."""

    have: np.ndarray
    need: int
    what: str


def settle_rows(kind: str, name: str, shortage: Shortage, n_exposures: int) -> list[tuple]:
    """Rows about the pixels that type `name` could not judge in the `n_exposures` of `kind`."""
    more = more_needed(shortage.have, shortage.need, n_exposures)
    what = shortage.what
    unresolvable = np.isinf(more)
    rows = [
        (SETTLE, kind, name, "insufficient", len(more), f"pixels with fewer than {shortage.need} {what}"),
        (
            SETTLE,
            kind,
            name,
            "unresolvable",
            np.count_nonzero(unresolvable),
            f"of these, without any of the {what} so far",
        ),
    ]
    some = np.sort(more[~unresolvable])
    for percent in SETTLED if len(some) else ():
        value = some[int(np.ceil(percent / 100 * len(some))) - 1]
        note = f"further {kind} like those so far that settle {percent}% of the rest"
        rows.append((SETTLE, kind, name, f"more_for_{percent}", value, note))
    return rows
