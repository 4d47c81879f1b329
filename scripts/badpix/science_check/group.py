"""The units of a kind of light together: recurring outliers, and pixels that behave like good ones."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from badpix.instrument.exp_types import DARK, LAMP, SKY
from badpix.numerics.row_blocks import row_blocks
from badpix.science_check.units import Unit

# A pixel with fewer units of a kind of light is not measured by them.
MIN_UNITS = 3
# Largest chance that cosmic rays alone make a pixel an outlier in the needed number of units.
CHANCE = 1e-6
# Share of good pixels that do not behave like good ones in some quantity; shared by the quantities. More than the share
# of bad pixels that no mask has, which would else widen the range of the good ones.
REJECTED_GOOD = 0.05
# Deviations (sigma) are kept up to this number, in numbers of 16 bits.
LARGEST = 6e4
# Kinds of light that show defects of the dark current and of the noise, and those that show a missing response.
SHOWS_DARK, SHOWS_LIGHT = (DARK, SKY), (LAMP, SKY)


@dataclass(frozen=True)
class Group:
    """The units of a kind of light: images (y, x).

    `n_outlier` and `n_units` (int16): units in which a pixel is an outlier, and has a value. `sigma` (float32): median
    deviation. `lit` (bool): a missing response would be seen in at least MIN_UNITS units. `there` (bool): inside the
    array of a unit. `measures` (float32): quantity -> value, larger for pixels that behave less like good ones; NaN
    without a value.
    """

    light: str
    names: tuple[str, ...]
    n_outlier: np.ndarray
    n_units: np.ndarray
    sigma: np.ndarray
    lit: np.ndarray
    there: np.ndarray
    measures: dict[str, np.ndarray]

    @property
    def measured(self) -> np.ndarray:
        """Bool (y, x): the pixels with at least MIN_UNITS units."""
        return self.n_units >= MIN_UNITS

    @property
    def shows_dark(self) -> np.ndarray:
        """Bool (y, x): where defects of the dark current and of the noise would be seen."""
        return self.measured & (self.light in SHOWS_DARK)

    @property
    def shows_light(self) -> np.ndarray:
        """Bool (y, x): where a missing response would be seen."""
        return self.measured & self.lit & (self.light in SHOWS_LIGHT)


def group_of(light: str, units: Iterable[tuple[str, Unit]]) -> Group:
    """The Group of the `units` (name, Unit), of which a single one is in memory at a time, of a kind of `light`."""
    names, deviations = [], []
    total: dict[str, np.ndarray] = {}
    for name, unit in units:
        names.append(name)
        # Saturated pixels have an infinite deviation, which has no spread.
        deviations.append(np.clip(unit.sigma, -LARGEST, LARGEST).astype(np.float16))
        parts = {
            "outlier": unit.outlier, "lit": unit.lit, "scatter": np.nan_to_num(unit.scatter),
            "n_scatter": np.isfinite(unit.scatter), "jumps": np.nan_to_num(unit.jumps),
            "n_jumps": np.isfinite(unit.jumps), "there": unit.there,
        }  # fmt: skip
        for key, image in parts.items():
            total[key] = total.get(key, 0) + image.astype(np.float32)
    stack = np.stack(deviations)
    median, spread, n_units = _median_and_spread(stack)
    with np.errstate(divide="ignore", invalid="ignore"):
        measures = {
            "deviation": np.abs(median),
            "spread": spread,
            "scatter": total["scatter"] / np.where(total["n_scatter"] > 0, total["n_scatter"], np.nan),
            "jumps": total["jumps"] / np.where(total["n_jumps"] > 0, total["n_jumps"], np.nan),
            "no_value": (total["there"] - n_units).astype(np.float32),
        }
    n_outlier, lit, there = total["outlier"].astype(np.int16), total["lit"] >= MIN_UNITS, total["there"] > 0
    return Group(light, tuple(names), n_outlier, n_units, median, lit, there, measures)


def _median_and_spread(stack: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median of the units, their root mean square about it without the largest, and their number: (y, x).

    `stack` is (unit, y, x), NaN without a value. A cosmic ray is in one unit only.
    """
    shape = stack.shape[1:]
    n_units = np.zeros(shape, np.int16)
    median, spread = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    for rows in row_blocks(shape[0], 8 * len(stack) * shape[1]):
        values = stack[:, rows].astype(np.float32)
        n = np.isfinite(values).sum(axis=0)
        # NaN is sorted to the end.
        median[rows] = _middle(np.sort(values, axis=0), n)
        squares = np.sort((values - median[rows]) ** 2, axis=0)
        kept = np.arange(len(stack))[:, np.newaxis, np.newaxis] < n - 1
        with np.errstate(invalid="ignore"):
            mean = np.where(kept, squares, 0.0).sum(axis=0) / np.maximum(n - 1, 1)
        n_units[rows], spread[rows] = n, np.where(n > 1, np.sqrt(mean), np.nan)
    return median, spread, n_units


def _middle(ordered: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Median of the first `number` (int (y, x)) values of `ordered`, float (unit, y, x); NaN of none."""
    low, high = np.maximum(number - 1, 0) // 2, np.minimum(number // 2, len(ordered) - 1)
    pair = (np.take_along_axis(ordered, index[np.newaxis], axis=0)[0] for index in (low, high))
    return sum(pair) / 2


def chance_of_outlier(group: Group, good: np.ndarray) -> float:
    """Share of the units in which a pixel of `good` (bool (y, x)) is an outlier by chance, as by a cosmic ray.

    Pixels that are outliers in half of their units or more are left out: they are bad pixels that no mask has.
    """
    chance = good & group.measured & (2 * group.n_outlier < group.n_units)
    return float(group.n_outlier[chance].sum() / max(1, group.n_units[chance].sum()))


def recurring(group: Group, chance: float) -> np.ndarray:
    """Bool (y, x): outliers in so many units that `chance` alone makes it in less than CHANCE of the pixels.

    At least two units, and at most all of them.
    """
    numbers = np.arange(int(group.n_units.max(initial=0)) + 1)
    needed = np.clip(binom.isf(CHANCE, numbers, chance) + 1, 2, np.maximum(numbers, 2))
    return group.measured & (group.n_outlier >= needed[group.n_units])


def unlike_good(group: Group, good: np.ndarray) -> np.ndarray:
    """Bool (y, x): measured pixels outside the range of the pixels `good` (bool (y, x)) in any quantity.

    The limits leave out REJECTED_GOOD of the good pixels in all quantities together, so that a pixel that behaves like
    them is found as such with the rest of the chance.
    """
    found = np.zeros(good.shape, bool)
    sample = good & group.measured
    level = 1 - REJECTED_GOOD / len(group.measures)
    for values in group.measures.values():
        known = values[sample & np.isfinite(values)]
        if known.size:
            found |= values > np.quantile(known, level)
    return found & group.measured
