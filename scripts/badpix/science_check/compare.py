"""Two masks on the pixels of the exposures: what each lets through, and the good area that each loses.

A mask is applied by its DO_NOT_USE. It *lets an outlier through* if a recurring outlier does not have it, and *loses a
good pixel* if a pixel that behaves like good ones has it. A pixel is *open* if the exposures cannot show the defects of
its flags, such as a dead pixel in darks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from badpix.instrument.dq import PIXEL_FLAGS, bits, flag_texts
from badpix.science_check.group import Group, chance_of_outlier, recurring, unlike_good
from badpix.science_check.intervals import Count, cluster_size, verdict
from badpix.science_check.words import AREA, OUTLIERS

DO_NOT_USE = np.uint32(PIXEL_FLAGS["DO_NOT_USE"])
# Flags of defects that are seen with light only, and of defects that are seen without light; pixels with DO_NOT_USE and
# neither need both.
WITH_LIGHT = np.uint32(
    bits(["DEAD", "LOW_QE", "OPEN", "ADJ_OPEN", "UNRELIABLE_FLAT", "NO_FLAT_FIELD", "NONLINEAR", "NO_LIN_CORR"])
)
WITHOUT_LIGHT = np.uint32(
    bits(["HOT", "WARM", "RC", "TELEGRAPH", "UNRELIABLE_BIAS", "UNRELIABLE_DARK", "UNRELIABLE_SLOPE"])
)
# Findings about a pixel.
FINDINGS = ("between", "good", "open", "outlier")
BETWEEN, GOOD, OPEN, OUTLIER = range(len(FINDINGS))
COLUMNS = (
    "x",
    "y",
    "do_not_use",
    "finding",
    "light",
    "n_outlier",
    "n_units",
    "sigma",
    "old",
    "new",
    "old_dq",
    "new_dq",
)


@dataclass(frozen=True)
class Masks:
    """The two masks on the array of the new one: uint32 (y, x); `science` (bool) are the pixels that are compared."""

    old: np.ndarray
    new: np.ndarray
    science: np.ndarray

    @property
    def rejects(self) -> tuple[np.ndarray, np.ndarray]:
        """Bool (y, x) of the old and of the new mask: science pixels with DO_NOT_USE."""
        old, new = (self.science & (dq & DO_NOT_USE != 0) for dq in (self.old, self.new))
        return old, new

    @property
    def flags(self) -> np.ndarray:
        """uint32 (y, x): the flags of each pixel in the masks that reject it."""
        by_old, by_new = self.rejects
        return np.where(by_old, self.old, 0) | np.where(by_new, self.new, 0)


@dataclass(frozen=True)
class Check:
    """The result: `counts` (OUTLIERS and AREA -> Count), the `finding` of each pixel (uint8 (y, x), index of FINDINGS).

    `masks` have the compared pixels inside the exposures. `chances`: light -> chance of an outlier in a unit.
    """

    masks: Masks
    groups: tuple[Group, ...]
    counts: dict[str, Count]
    finding: np.ndarray
    chances: dict[str, float]

    @property
    def verdict(self) -> str:
        """better, worse, mixed or not distinguishable."""
        return verdict([count.result for count in self.counts.values()])


def check(masks: Masks, groups: Sequence[Group]) -> Check:
    """The Check of the masks by the groups, on the pixels inside the arrays of the exposures."""
    there = np.any([group.there for group in groups], axis=0)
    masks = replace(masks, science=masks.science & there)
    by_old, by_new = masks.rejects
    in_no_mask = masks.science & ~by_old & ~by_new & (masks.old == 0) & (masks.new == 0)
    outlier, unlike, measured, dark, light = (np.zeros(masks.science.shape, bool) for _ in range(5))
    chances = {}
    for group in groups:
        chances[group.light] = chance_of_outlier(group, in_no_mask)
        outlier |= recurring(group, chances[group.light])
    for group in groups:
        unlike |= unlike_good(group, in_no_mask & ~outlier)
        measured |= group.measured
        dark |= group.shows_dark
        light |= group.shows_light
    outlier &= masks.science
    flags = masks.flags
    needs_light, needs_dark = flags & WITH_LIGHT != 0, flags & WITHOUT_LIGHT != 0
    unnamed = (flags != 0) & ~needs_light & ~needs_dark
    decided = measured & (light | ~(needs_light | unnamed)) & (dark | ~(needs_dark | unnamed))
    finding = np.full(masks.science.shape, BETWEEN, np.uint8)
    finding[~unlike & decided] = GOOD
    # A pixel that is unlike good ones is not lost, whatever else it may have.
    finding[~unlike & ~decided] = OPEN
    finding[outlier] = OUTLIER
    undecided = masks.science & ~outlier & ~decided
    good, open_good = finding == GOOD, finding == OPEN
    n_measured = int((measured & masks.science).sum())
    counts = {
        name: _count(n_measured, harmed, undecided_on)
        for name, harmed, undecided_on in (
            (OUTLIERS, (outlier & ~by_old, outlier & ~by_new), (undecided & ~by_old, undecided & ~by_new)),
            (AREA, (good & by_old, good & by_new), (open_good & by_old, open_good & by_new)),
        )
    }
    return Check(masks, tuple(groups), counts, np.where(masks.science, finding, BETWEEN).astype(np.uint8), chances)


def _count(measured: int, harmed: Sequence[np.ndarray], undecided: Sequence[np.ndarray]) -> Count:
    """The Count of pixels (bool (y, x)) that the old and the new mask harm, and of those that were not decided on."""
    (old, new), (open_old, open_new) = harmed, undecided
    return Count(
        measured=measured,
        old=int(old.sum()),
        new=int(new.sum()),
        only_old=int((old & ~new).sum()),
        only_new=int((new & ~old).sum()),
        open_old=int((open_old & ~open_new).sum()),
        open_new=int((open_new & ~open_old).sum()),
        cluster=cluster_size(old | new),
        cluster_of_difference=cluster_size(old ^ new),
        cluster_with_open=cluster_size((old ^ new) | (open_new & ~open_old)),
    )


def pixel_table(result: Check, pixels: np.ndarray) -> pd.DataFrame:
    """A row per True pixel of `pixels` (bool (y, x)), sorted by finding, y and x: a DataFrame with COLUMNS.

    `x`, `y` are 0-based in the array of the new mask. `do_not_use` is the mask that rejects the pixel (old, new, both,
    or empty). `light` is that of the group in which the pixel deviates most, `n_outlier` of `n_units` units and the
    median deviation `sigma` are of this group. `old` and `new` are the flags of the masks.
    """
    y, x = np.nonzero(pixels)
    by_old, by_new = (image[y, x] for image in result.masks.rejects)
    old, new = result.masks.old[y, x], result.masks.new[y, x]
    shares = np.array([group.n_outlier[y, x] / np.maximum(group.n_units[y, x], 1) for group in result.groups])
    sigmas = np.array([group.sigma[y, x] for group in result.groups])
    most = np.argmax(shares * 1e6 + np.abs(np.nan_to_num(sigmas)), axis=0)

    def of_most(images: list[np.ndarray]) -> np.ndarray:
        return np.take_along_axis(np.array(images), most[np.newaxis], axis=0)[0]

    table = pd.DataFrame(
        {
            "x": x,
            "y": y,
            "do_not_use": np.select([by_old & by_new, by_old, by_new], ["both", "old", "new"], ""),
            "finding": np.array(FINDINGS)[result.finding[y, x]],
            "light": np.array([group.light for group in result.groups])[most],
            "n_outlier": of_most([group.n_outlier[y, x] for group in result.groups]),
            "n_units": of_most([group.n_units[y, x] for group in result.groups]),
            "sigma": np.round(of_most(list(sigmas)), 1),
            "old": flag_texts(old),
            "new": flag_texts(new),
            "old_dq": old,
            "new_dq": new,
        },
        columns=COLUMNS,
    )
    return table.sort_values(["finding", "y", "x"], key=_outliers_first, ignore_index=True)


def _outliers_first(column: pd.Series) -> pd.Series:
    return column.map(lambda name: -FINDINGS.index(name)) if column.name == "finding" else column


def differing(result: Check) -> np.ndarray:
    """Bool (y, x): the pixels that one mask rejects and the other does not."""
    by_old, by_new = result.masks.rejects
    return by_old ^ by_new


def let_through_by_both(result: Check) -> np.ndarray:
    """Bool (y, x): the recurring outliers that no mask rejects."""
    by_old, by_new = result.masks.rejects
    return (result.finding == OUTLIER) & ~by_old & ~by_new
