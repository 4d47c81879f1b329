"""Evolution of a simulated detector: in each epoch some bad pixels are new, recovered or reclassified.

Each epoch has its own exposures. Their numbers and dates follow the numbers and dates of the previous epoch.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from badpix.simulate.detector import DetectorModel
from badpix.simulate.headers import science_bounds
from badpix.simulate.planting import PIXEL_DTYPE

# Exposure numbers per epoch, and hours from epoch to epoch (417 days): a multiple of the periods of intermittent
# pixels, so that their sequence continues.
EXPOSURES_PER_EPOCH = 10000
MAX_EPOCHS = 9  # exposure numbers have five digits
# Types that a pixel can change to or from, as far as the population has them: they do not affect their neighbours.
CHANGING = ("dead", "low_qe", "hot", "hot_saturated", "rc", "telegraph", "low_pedestal")
CHANGED_PER_AREA = 20  # pixels per kind of change in 256 x 256
CHANGED_MINIMUM = 3
DISTANCE = 3  # of a new pixel from any planted pixel, so that their rings of neighbours do not touch
_STREAM = 3  # stream of random numbers; the exposures have streams 1 and 2
COLUMNS = ("epoch", "x", "y", "change", "before", "after")


def first_number(epoch: int) -> int:
    """Number of the first exposure of an epoch; both count from 1."""
    if not 1 <= epoch <= MAX_EPOCHS:
        raise ValueError(f"epoch {epoch}: allowed are 1 to {MAX_EPOCHS}")
    return (epoch - 1) * EXPOSURES_PER_EPOCH + 1


def evolve(detector: DetectorModel, epoch: int, seed: int) -> tuple[DetectorModel, pd.DataFrame]:
    """The detector in `epoch` (from 1), and all changes since epoch 1.

    Columns of the changes: `epoch` of the change, `x`, `y` (0-based), `change` (new, recovered, reclassified), and the
    planted types `before` and `after` (empty: good).
    """
    rows = []
    for number in range(2, epoch + 1):
        rng = np.random.default_rng(np.random.SeedSequence([seed, _STREAM, number]))
        detector, changed = next_epoch(detector, rng)
        rows += [(number, *row) for row in changed]
    return detector, pd.DataFrame(rows, columns=COLUMNS)


def next_epoch(detector: DetectorModel, rng: np.random.Generator) -> tuple[DetectorModel, list[tuple]]:
    """The detector one epoch later, and the changes as rows of COLUMNS without the epoch."""
    types, codes = detector.population.types, detector.population.codes
    changing = [name for name in CHANGING if name in codes]
    number = max(CHANGED_MINIMUM, round(CHANGED_PER_AREA * detector.geometry.relative_area))
    old = detector.pixels.copy()
    able = np.flatnonzero(np.isin(old["code"], [codes[name] for name in changing]) & (old["group"] == ""))
    if len(able) < 2 * number:
        raise ValueError(f"{len(able)} planted pixels are too few for {number} to recover and {number} to change")
    recovered, changed = np.split(rng.permutation(able)[: 2 * number], 2)
    rows = []
    for index in recovered:
        rows.append((old["x"][index], old["y"][index], "recovered", types[old["code"][index] - 1].name, ""))
    for index in changed:
        before = types[old["code"][index] - 1]
        others = [name for name in changing if types[codes[name] - 1].expected != before.expected]
        name = rng.choice(others)
        turn_into(old[index : index + 1], name, detector, rng)
        rows.append((old["x"][index], old["y"][index], "reclassified", before.name, name))
    new = np.zeros(number, PIXEL_DTYPE)
    new["y"], new["x"] = free_positions(detector, number, rng)
    for index, name in enumerate(rng.permutation(np.resize(changing, number))):
        turn_into(new[index : index + 1], name, detector, rng)
        rows.append((new["x"][index], new["y"][index], "new", "", name))
    return replace(detector, pixels=np.concatenate([np.delete(old, recovered), new])), rows


def turn_into(pixel: np.ndarray, name: str, detector: DetectorModel, rng: np.random.Generator) -> None:
    """Change `pixel` (PIXEL_DTYPE) in place to a permanent pixel of the type `name`."""
    code = detector.population.codes[name]
    planted = detector.population.types[code - 1]
    pixel["code"], pixel["phase"], pixel["bad_exposures"] = code, -1, detector.population.period
    pixel["strength"], pixel["second"] = planted.strength.draw(rng, 1), planted.second.draw(rng, 1)


def free_positions(detector: DetectorModel, number: int, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Positions (y, x) of healthy science pixels apart from planted pixels, from the edge and from each other."""
    first_y, last_y, first_x, last_x = science_bounds(detector.geometry)
    free = np.zeros(detector.geometry.shape, bool)
    margin = DISTANCE + 1
    free[first_y + margin : last_y - margin + 1, first_x + margin : last_x - margin + 1] = True
    free &= detector.lit_share > 0
    for y, x in zip(detector.pixels["y"], detector.pixels["x"], strict=True):
        block(free, y, x)
    positions: list[tuple[int, int]] = []
    for _ in range(number):
        y, x = np.nonzero(free)
        if not len(y):
            raise ValueError(f"{number} new pixels do not fit between the planted pixels")
        chosen = rng.integers(len(y))
        positions.append((int(y[chosen]), int(x[chosen])))
        block(free, *positions[-1])
    return [y for y, _ in positions], [x for _, x in positions]


def block(free: np.ndarray, y: int, x: int) -> None:
    """Set `free`, bool (y, x), to False around a pixel, in place."""
    near = DISTANCE - 1
    free[max(0, y - near) : y + near + 1, max(0, x - near) : x + near + 1] = False
