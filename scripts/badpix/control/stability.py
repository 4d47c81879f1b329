"""Statistical control of a mask: false flags to expect, how firmly each flag stands, what more exposures would settle.

Tables are tidy: section, kind, type, quantity, value, note, a row per number.
"""

import numpy as np
import pandas as pd

COLUMNS = ["section", "kind", "type", "quantity", "value", "note"]
FALSE, STABILITY, SETTLE = "expected_false", "stability", "more_exposures"
SETTLED = (50, 90, 99)  # percent of the pixels
FIRM = 1.0  # a pixel that keeps its type in every vote


def table_of(rows):
    """Rows (section, kind, type, quantity, value, note) as a table."""
    return pd.DataFrame(rows, columns=COLUMNS).astype({"value": float})


class Jackknife:
    """Counts in how many votes without one exposure each pixel keeps its types.

    Give it the `badpix.control.leave_one_out.Vote` of all exposures, then those without each.
    """

    def __init__(self, whole):
        self.found = {name: np.flatnonzero(image) for name, image in whole.found.items()}
        self.shape = whole.science.shape
        self.kept = {name: np.zeros(len(pixels), int) for name, pixels in self.found.items()}
        self.gained = dict.fromkeys(self.found, 0)
        self.votes = 0

    def add(self, vote):
        """Count one vote; a type that it does not know keeps nothing."""
        self.votes += 1
        for name, pixels in self.found.items():
            image = vote.found.get(name)
            if image is not None:
                held = image.ravel()[pixels]
                self.kept[name] += held
                self.gained[name] += int(np.count_nonzero(image)) - int(held.sum())

    def pixels(self, kind):
        """A row per pixel and type found: kind, type, x, y (0-based), kept, votes, stability (kept / votes)."""
        parts = []
        for name, pixels in self.found.items():
            y, x = np.unravel_index(pixels, self.shape)
            kept = self.kept[name]
            share = kept / self.votes if self.votes else np.full(len(kept), np.nan)
            parts.append(
                pd.DataFrame({"kind": kind, "type": name, "x": x, "y": y, "kept": kept, "votes": self.votes,
                              "stability": share})
            )  # fmt: skip
        return pd.concat(parts, ignore_index=True)

    def rows(self, kind):
        """Rows of the table of control, per type."""
        rows = []
        for name, kept in self.kept.items():
            if not self.votes or not len(kept):
                continue
            share = kept / self.votes
            for quantity, value, note in (
                ("pixels", len(kept), "found by all exposures"),
                ("mean", share.mean(), "share of the votes without one exposure that keep a pixel's type"),
                ("firm", (share >= FIRM).mean(), "share of the pixels that keep it in every such vote"),
                ("in_half", (share <= 0.5).mean(), "share of the pixels that keep it in half of them or fewer"),
                ("lowest", share.min(), "of all pixels"),
                ("gained_per_vote", self.gained[name] / self.votes, "pixels found only when an exposure is left out"),
            ):
                rows.append((STABILITY, kind, name, quantity, value, note))
        return rows


def stability_image(pixels, shape):
    """The lowest stability of a pixel's types, float32 (y, x), NaN where nothing is found; `pixels` as of Jackknife."""
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


def settle_rows(kind, name, have, need, n_exposures, what):
    """Rows about the pixels that type `name` could not judge, which have `have` of `need` `what` (int array)."""
    more = more_needed(have, need, n_exposures)
    never = np.isinf(more)
    rows = [
        (SETTLE, kind, name, "insufficient", len(more), f"pixels with fewer than {need} {what}"),
        (SETTLE, kind, name, "never", np.count_nonzero(never), f"of these, without any of the {what} so far"),
    ]
    some = np.sort(more[~never])
    for percent in SETTLED if len(some) else ():
        value = some[int(np.ceil(percent / 100 * len(some))) - 1]
        note = f"further {kind} like those so far that settle {percent}% of the rest"
        rows.append((SETTLE, kind, name, f"more_for_{percent}", value, note))
    return rows
