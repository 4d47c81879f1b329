"""What has changed between two masks: new, recovered and reclassified pixels.

Images are (y, x), uint32 in the pipeline's bits, as `badpix.formats.mask_file.read_mask` gives them: the raw bits of
two files do not mean the same. A pixel is *bad* with any flag but REFERENCE_PIXEL and NON_SCIENCE, else *good*. Of the
science pixels (those that neither mask calls REFERENCE_PIXEL or NON_SCIENCE) one is *new* that was good and is bad,
*recovered* that was bad and is good, *reclassified* that is bad in both with other flags. Any other
pixel whose flags differ is a changed *reference* pixel, and counts for nothing else.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from badpix.instrument.dq import PIXEL_FLAGS, bits, flag_text, flag_texts

DO_NOT_USE = np.uint32(PIXEL_FLAGS["DO_NOT_USE"])
NOT_SCIENCE = np.uint32(bits(["REFERENCE_PIXEL", "NON_SCIENCE"]))
KINDS = ("unchanged", "new", "recovered", "reclassified", "reference")
UNCHANGED, NEW, RECOVERED, RECLASSIFIED, REFERENCE = range(len(KINDS))
PIXEL_COLUMNS = ("x", "y", "change", "before", "after", "do_not_use", "before_dq", "after_dq")


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


def compare(before, after):
    """The Changes between two DQ images (uint32 (y, x), the pipeline's bits) of the same shape, else ValueError."""
    if before.shape != after.shape:
        raise ValueError(f"images of different shape: {before.shape} and {after.shape}")
    science = ((before | after) & NOT_SCIENCE) == 0
    was_bad, is_bad = (image & ~NOT_SCIENCE != 0 for image in (before, after))
    kind = np.where(before != after, np.uint8(REFERENCE), np.uint8(UNCHANGED))
    kind[science & ~was_bad & is_bad] = NEW
    kind[science & was_bad & ~is_bad] = RECOVERED
    kind[science & was_bad & is_bad & (before != after)] = RECLASSIFIED
    return Changes(before, after, science, kind)


def transition_counts(changes):
    """How many science pixels went from which flags to which: a table with columns before_dq, after_dq, pixels.

    Good pixels that stayed good are the first row, even if there are none; the others follow by their bits.
    """
    touched = changes.science & ((changes.before | changes.after) != 0)
    both = changes.before[touched].astype(np.uint64) << np.uint64(32) | changes.after[touched]
    values, pixels = np.unique(both, return_counts=True)
    table = pd.DataFrame(
        {"before_dq": (values >> np.uint64(32)).astype(np.uint32), "after_dq": values.astype(np.uint32)}
    ).assign(pixels=pixels)
    still_good = {"before_dq": 0, "after_dq": 0, "pixels": int(changes.science.sum() - touched.sum())}
    return pd.concat([pd.DataFrame([still_good]), table], ignore_index=True).astype("int64")


def change_matrix(changes):
    """Type by type: the number of science pixels with the flags of the row before and those of the column after.

    A type is a set of flags, so that each pixel counts once: in the row `good` all but the first are new, in the column
    `good` recovered; elsewhere those whose row and column differ are reclassified. A DataFrame, `good` first, with a
    row for each type that there was and a column for each that there is.
    """
    counts = transition_counts(changes)
    matrix = counts.pivot(index="before_dq", columns="after_dq", values="pixels").fillna(0).astype("int64")
    rows, columns = (sorted(axis, key=_by_flags) for axis in (matrix.index, matrix.columns))
    matrix = matrix.loc[rows, columns]
    matrix.index = pd.Index([flag_text(dq) for dq in rows], name="before")
    matrix.columns = pd.Index([flag_text(dq) for dq in columns], name="after")
    return matrix


def _by_flags(dq):
    """Sorts types by their flags, each with and without DO_NOT_USE side by side."""
    return dq & ~int(DO_NOT_USE), dq


def changed_pixels(changes):
    """All pixels that changed, by y and x: a DataFrame of PIXEL_COLUMNS.

    `x` and `y` are 0-based places in the array of the mask; `before` and `after` the flags in words, `before_dq` and
    `after_dq` as numbers; `do_not_use` says `new` or `recovered` where DO_NOT_USE came or went, else nothing.
    """
    y, x = np.nonzero(changes.kind)
    before, after = changes.before[y, x], changes.after[y, x]
    rejected = [(before & DO_NOT_USE != 0), (after & DO_NOT_USE != 0)]
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            "change": np.array(KINDS)[changes.kind[y, x]],
            "before": flag_texts(before),
            "after": flag_texts(after),
            "do_not_use": np.select([~rejected[0] & rejected[1], rejected[0] & ~rejected[1]], ["new", "recovered"], ""),
            "before_dq": before,
            "after_dq": after,
        },
        columns=PIXEL_COLUMNS,
    )


def flag_changes(changes):
    """Per flag of the science pixels: pixels before and after, and how many gained and lost it. A DataFrame."""
    before, after = (image[changes.science & ((changes.before | changes.after) != 0)] for image in _images(changes))
    rows = []
    for name, bit in PIXEL_FLAGS.items():
        had, has = (image & np.uint32(bit) != 0 for image in (before, after))
        if had.any() or has.any():
            rows.append((name, int(had.sum()), int(has.sum()), int((has & ~had).sum()), int((had & ~has).sum())))
    return pd.DataFrame(rows, columns=["flag", "before", "after", "gained", "lost"])


def _images(changes):
    return changes.before, changes.after


def change_counts(changes):
    """The comparison in numbers: a plain mapping, ready for JSON.

    Pixels are science pixels but for `reference_changed`. `new_fraction` and `recovered_fraction` are of
    `science_pixels`, and 0 where there are none. `do_not_use` counts alike with DO_NOT_USE for bad.
    """
    number = {name: int(np.count_nonzero(changes.kind == code)) for code, name in enumerate(KINDS)}
    science = int(changes.science.sum())
    bad = [int(np.count_nonzero((image & ~NOT_SCIENCE != 0) & changes.science)) for image in _images(changes)]
    flags = flag_changes(changes)
    rejected = flags[flags["flag"] == "DO_NOT_USE"]
    row = rejected.iloc[0].to_dict() if len(rejected) else {"before": 0, "after": 0, "gained": 0, "lost": 0}
    return {
        "science_pixels": science,
        "bad_before": bad[0],
        "bad_after": bad[1],
        **{name: number[name] for name in ("new", "recovered", "reclassified")},
        "new_fraction": number["new"] / max(1, science),
        "recovered_fraction": number["recovered"] / max(1, science),
        "reference_changed": number["reference"],
        "do_not_use": {
            "bad_before": int(row["before"]), "bad_after": int(row["after"]), "new": int(row["gained"]),
            "recovered": int(row["lost"]),
        },
        "flags": flags.to_dict("records"),
    }  # fmt: skip
