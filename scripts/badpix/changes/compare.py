"""Changes between two masks: new, recovered and reclassified pixels.

Images are (y, x), uint32 in the pipeline's bits, as read by `badpix.formats.mask_file.read_mask`: raw bits may differ
in meaning from file to file. A pixel is *bad* with any flag except REFERENCE_PIXEL and NON_SCIENCE, else *good*.
Science pixels are pixels without REFERENCE_PIXEL and NON_SCIENCE in both masks. A science pixel is *new* if it was good
and is bad, *recovered* if it was bad and is good, *reclassified* if it is bad in both masks with different flags. A
pixel outside the science pixels with different flags is a changed *reference* pixel and is in no other count.

A new pixel is also described by its direct neighbours (left, right, below, above; `badpix.changes.neighbours`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from badpix.changes.neighbours import NEAR, neighbour_counts, neighbours
from badpix.instrument.dq import PIXEL_FLAGS, bits, flag_text, flag_texts

DO_NOT_USE = np.uint32(PIXEL_FLAGS["DO_NOT_USE"])
NOT_SCIENCE = np.uint32(bits(["REFERENCE_PIXEL", "NON_SCIENCE"]))
KINDS = ("unchanged", "new", "recovered", "reclassified", "reference")
UNCHANGED, NEW, RECOVERED, RECLASSIFIED, REFERENCE = range(len(KINDS))
PIXEL_COLUMNS = (
    "x", "y", "change", "before", "after", "do_not_use", "before_dq", "after_dq", "near", "bad_neighbours_before",
    "bad_neighbours_after", "unlisted_neighbours",
)  # fmt: skip


@dataclass(frozen=True)
class Changes:
    """The comparison of two masks: images (y, x).

    `before` and `after` are their DQ (uint32), `science` is True at science pixels, `kind` (uint8) is an index of
    KINDS.
    """

    before: np.ndarray
    after: np.ndarray
    science: np.ndarray
    kind: np.ndarray

    @property
    def was_bad(self) -> np.ndarray:
        """True at the science pixels that are bad in the mask before."""
        return self.science & (self.before != 0)

    @property
    def is_bad(self) -> np.ndarray:
        """True at the science pixels that are bad in the mask after."""
        return self.science & (self.after != 0)


def compare(before: np.ndarray, after: np.ndarray, compared: np.ndarray | None = None) -> Changes:
    """The Changes between two DQ images (uint32 (y, x), the pipeline's bits) of the same shape, else ValueError.

    `compared` (bool (y, x)) is True where both masks have a pixel; default: everywhere. The other pixels are no science
    pixels, and unchanged if both images are equal there.
    """
    if before.shape != after.shape:
        raise ValueError(f"images of different shape: {before.shape} and {after.shape}")
    science = ((before | after) & NOT_SCIENCE) == 0
    if compared is not None:
        science &= compared
    was_bad, is_bad = (image & ~NOT_SCIENCE != 0 for image in (before, after))
    kind = np.where(before != after, np.uint8(REFERENCE), np.uint8(UNCHANGED))
    kind[science & ~was_bad & is_bad] = NEW
    kind[science & was_bad & ~is_bad] = RECOVERED
    kind[science & was_bad & is_bad & (before != after)] = RECLASSIFIED
    return Changes(before, after, science, kind)


def transition_counts(changes: Changes) -> pd.DataFrame:
    """Number of science pixels per pair of flags: a DataFrame with columns before_dq, after_dq, pixels.

    The first row has the pixels that are good in both masks, even if there are none; the other rows are sorted by bits.
    """
    touched = changes.science & ((changes.before | changes.after) != 0)
    both = changes.before[touched].astype(np.uint64) << np.uint64(32) | changes.after[touched]
    values, pixels = np.unique(both, return_counts=True)
    table = pd.DataFrame(
        {"before_dq": (values >> np.uint64(32)).astype(np.uint32), "after_dq": values.astype(np.uint32)}
    ).assign(pixels=pixels)
    still_good = {"before_dq": 0, "after_dq": 0, "pixels": int(changes.science.sum() - touched.sum())}
    return pd.concat([pd.DataFrame([still_good]), table], ignore_index=True).astype("int64")


def change_matrix(changes: Changes) -> pd.DataFrame:
    """Number of science pixels with the flags of the row before and the flags of the column after.

    A DataFrame with a row per set of flags in the mask before and a column per set of flags in the mask after, `good`
    first. Each pixel counts once. Pixels in the row `good` are new, pixels in the column `good` are recovered (except
    the first cell); elsewhere pixels with different row and column are reclassified.
    """
    counts = transition_counts(changes)
    matrix = counts.pivot(index="before_dq", columns="after_dq", values="pixels").fillna(0).astype("int64")
    rows, columns = (sorted(axis, key=_by_flags) for axis in (matrix.index, matrix.columns))
    matrix = matrix.loc[rows, columns]
    matrix.index = pd.Index([flag_text(dq) for dq in rows], name="before")
    matrix.columns = pd.Index([flag_text(dq) for dq in columns], name="after")
    return matrix


def _by_flags(dq: int) -> tuple[int, int]:
    """Sort key: sets of flags that differ only in DO_NOT_USE are neighbours."""
    return dq & ~int(DO_NOT_USE), dq


def changed_pixels(changes: Changes) -> pd.DataFrame:
    """All changed pixels, sorted by y and x: a DataFrame with PIXEL_COLUMNS.

    `x` and `y` are 0-based indices in the array of the mask. `before` and `after` are the flags as text, `before_dq`
    and `after_dq` as numbers. `do_not_use` is `new` where DO_NOT_USE was set, `recovered` where it was removed, else
    empty. `near` is a name of NEAR for new pixels, else empty; `bad_neighbours_before`, `bad_neighbours_after` and
    `unlisted_neighbours` are numbers of direct neighbours (`badpix.changes.neighbours.Neighbours`).
    """
    near = neighbours(changes.was_bad, changes.is_bad, changes.science)
    y, x = np.nonzero(changes.kind)
    before, after = changes.before[y, x], changes.after[y, x]
    had, has = (before & DO_NOT_USE != 0), (after & DO_NOT_USE != 0)
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            "change": np.array(KINDS)[changes.kind[y, x]],
            "before": flag_texts(before),
            "after": flag_texts(after),
            "do_not_use": np.select([~had & has, had & ~has], ["new", "recovered"], ""),
            "before_dq": before,
            "after_dq": after,
            "near": np.where(changes.kind[y, x] == NEW, np.array(NEAR)[near.near[y, x]], ""),
            "bad_neighbours_before": near.bad_before[y, x],
            "bad_neighbours_after": near.bad_after[y, x],
            "unlisted_neighbours": near.unlisted[y, x],
        },
        columns=PIXEL_COLUMNS,
    )


def flag_changes(changes: Changes) -> pd.DataFrame:
    """A DataFrame with a row per flag of the science pixels: flag; numbers of pixels before, after, gained, lost."""
    before, after = (image[changes.science & ((changes.before | changes.after) != 0)] for image in _images(changes))
    rows = []
    for name, bit in PIXEL_FLAGS.items():
        had, has = (image & np.uint32(bit) != 0 for image in (before, after))
        if had.any() or has.any():
            rows.append((name, int(had.sum()), int(has.sum()), int((has & ~had).sum()), int((had & ~has).sum())))
    return pd.DataFrame(rows, columns=["flag", "before", "after", "gained", "lost"])


def _images(changes: Changes) -> tuple[np.ndarray, np.ndarray]:
    return changes.before, changes.after


def change_counts(changes: Changes) -> dict[str, Any]:
    """The numbers of the comparison: a plain mapping, ready for JSON.

    All counts except `reference_changed` are of science pixels. `new_fraction` and `recovered_fraction` are fractions
    of `science_pixels`, 0 if there are none. In `do_not_use`, a pixel is bad if it has DO_NOT_USE. `new_pixels` has
    the numbers of `badpix.changes.neighbours.neighbour_counts`.
    """
    n_of = {name: int(np.count_nonzero(changes.kind == code)) for code, name in enumerate(KINDS)}
    science = int(changes.science.sum())
    bad = [int(np.count_nonzero(image)) for image in (changes.was_bad, changes.is_bad)]
    flags = flag_changes(changes)
    do_not_use = flags[flags["flag"] == "DO_NOT_USE"]
    row = do_not_use.iloc[0].to_dict() if len(do_not_use) else {"before": 0, "after": 0, "gained": 0, "lost": 0}
    return {
        "science_pixels": science,
        "bad_before": bad[0],
        "bad_after": bad[1],
        **{name: n_of[name] for name in ("new", "recovered", "reclassified")},
        "new_fraction": n_of["new"] / max(1, science),
        "recovered_fraction": n_of["recovered"] / max(1, science),
        "reference_changed": n_of["reference"],
        "do_not_use": {
            "bad_before": int(row["before"]), "bad_after": int(row["after"]), "new": int(row["gained"]),
            "recovered": int(row["lost"]),
        },
        "new_pixels": neighbour_counts(
            neighbours(changes.was_bad, changes.is_bad, changes.science), changes.kind == NEW, changes.after
        ),
        "flags": flags.to_dict("records"),
    }  # fmt: skip
