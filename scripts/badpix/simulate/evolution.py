"""Evolution of a simulated detector: in each epoch some bad pixels are new, recovered or reclassified.

In the demo and the survey the numbers are equal; a population with Growth has numbers and places like those of flight.

Each epoch has its own exposures. Their numbers and dates follow the numbers and dates of the previous epoch.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from badpix.simulate.border_cluster import without_light
from badpix.simulate.detector import DetectorModel
from badpix.simulate.headers import science_bounds
from badpix.simulate.planting import PIXEL_DTYPE, draw_parameters, planted_pixels
from badpix.simulate.populations import Growth
from badpix.simulate.realistic import Surface, place_counts

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
    types, codes, growth = detector.population.types, detector.population.codes, detector.population.growth
    changing = [name for name in CHANGING if name in codes]
    wanted = (CHANGED_PER_AREA,) * 3 if growth is None else (growth.recovered, growth.changed, growth.new)
    minimum = CHANGED_MINIMUM if growth is None else 0
    n_recovered, n_changed, n_new = (max(minimum, round(count * detector.geometry.relative_area)) for count in wanted)
    old = detector.pixels.copy()
    able = np.flatnonzero(np.isin(old["code"], [codes[name] for name in changing]) & (old["group"] == ""))
    if len(able) < n_recovered + n_changed:
        raise ValueError(
            f"{len(able)} planted pixels are too few for {n_recovered} to recover and {n_changed} to change"
        )
    recovered, changed = np.split(rng.permutation(able)[: n_recovered + n_changed], [n_recovered])
    rows: list[tuple] = []
    for index in recovered:
        rows.append((old["x"][index], old["y"][index], "recovered", types[old["code"][index] - 1].name, ""))
    for index in changed:
        before = types[old["code"][index] - 1]
        others = [name for name in changing if types[codes[name] - 1].expected != before.expected]
        name = rng.choice(others)
        turn_into(old[index : index + 1], name, detector, rng)
        rows.append((old["x"][index], old["y"][index], "reclassified", before.name, name))
    if growth is None:
        new = np.zeros(n_new, PIXEL_DTYPE)
        new["y"], new["x"] = free_positions(detector, n_new, rng)
        for index, name in enumerate(rng.permutation(np.resize(changing, n_new))):
            turn_into(new[index : index + 1], name, detector, rng)
    else:
        new = grown_pixels(detector, growth, n_new, rng)
    rows += [(pixel["x"], pixel["y"], "new", "", types[pixel["code"] - 1].name) for pixel in new]
    return replace(detector, pixels=np.concatenate([np.delete(old, recovered), new])), rows


def grown_pixels(detector: DetectorModel, growth: Growth, number: int, rng: np.random.Generator) -> np.ndarray:
    """`number` new pixels (PIXEL_DTYPE): mostly hot, some of these intermittent, in clusters as at the first epoch.

    Fewer where pixels that need light would be in parts without light.
    """
    population = detector.population
    n_hot = round(growth.hot_share * number)
    n_intermittent = round(growth.intermittent_share * n_hot)
    others = [name for name in CHANGING if name in population.codes and name != "hot"]
    names = ["hot"] * (n_hot - n_intermittent) + ["intermittent_hot"] * n_intermittent
    names += list(rng.choice(others, number - n_hot))
    counts = np.array([names.count(planted.name) for planted in population.types])
    surface = Surface.around(detector.pixels, detector.geometry, rng)
    new = planted_pixels(place_counts(surface, population.types, counts))
    draw_parameters(new, population, rng)
    return without_light(new, population, detector.lit_share)


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
