"""Dead pixels at the border of the array: a cluster of any area, and lines without any sensitivity to light."""

import numpy as np
from scipy.ndimage import gaussian_filter

from badpix.numerics.growth import grown
from badpix.simulate.effects import Effects, effect_stream
from badpix.simulate.headers import Geometry, science_bounds
from badpix.simulate.planting import PIXEL_DTYPE
from badpix.simulate.populations import Population

CLUSTER, BLIND = "cluster", "blind"
RAGGED = 0.15  # relative scatter of the distance of the edge of a cluster


def cluster(science: np.ndarray, area: float, rng: np.random.Generator) -> np.ndarray:
    """Bool (y, x): a ragged cluster at a random place of the border; `area` is its fraction of the `science` pixels."""
    rows, columns = np.flatnonzero(science.any(axis=1)), np.flatnonzero(science.any(axis=0))
    y, x = rng.choice(rows), rng.choice(columns)
    if rng.random() < 0.5:
        y = rng.choice([rows[0], rows[-1]])
    else:
        x = rng.choice([columns[0], columns[-1]])
    distance = np.hypot(*(axis - middle for axis, middle in zip(np.indices(science.shape), (y, x), strict=True)))
    rough = gaussian_filter(rng.standard_normal(science.shape), 3)
    distance = np.where(science, distance * (1 + RAGGED * rough / rough.std()), np.inf)
    limit = np.sort(distance.ravel())[round(area * science.sum())]
    return distance < limit


def blind_lines(science: np.ndarray, width: int, rng: np.random.Generator) -> np.ndarray:
    """Bool (y, x): the outermost `width` rows or columns of the `science` pixels on a random side."""
    image = np.zeros(science.shape, bool)
    rows, columns = np.flatnonzero(science.any(axis=1)), np.flatnonzero(science.any(axis=0))
    lines = (np.s_[rows[:width]], np.s_[rows[-width:]], np.s_[:, columns[:width]], np.s_[:, columns[-width:]])
    image[lines[rng.integers(4)]] = True
    return image & science


def with_border_effects(
    pixels: np.ndarray, geometry: Geometry, population: Population, effects: Effects, seed: int
) -> np.ndarray:
    """`pixels` (PIXEL_DTYPE) with the dead pixels at the border; planted pixels on and beside them are left out."""
    first_y, last_y, first_x, last_x = science_bounds(geometry)
    science = np.zeros(geometry.shape, bool)
    science[first_y : last_y + 1, first_x : last_x + 1] = True
    for name, group in (("border_cluster", CLUSTER), ("blind_border", BLIND)):
        if not (size := getattr(effects, name)):
            continue
        rng = effect_stream(name, seed)
        image = cluster(science, size, rng) if group == CLUSTER else blind_lines(science, round(size), rng)
        if not image.any():
            raise ValueError(f"effect {name}={size:g}: less than one of the {science.sum()} science pixels")
        new = np.zeros(np.count_nonzero(image), PIXEL_DTYPE)
        new["y"], new["x"] = np.nonzero(image)
        new["code"], new["group"] = population.codes["dead"], group
        new["strength"] = population.types[new["code"][0] - 1].strength.draw(rng, len(new))
        new["second"], new["phase"], new["bad_exposures"] = np.nan, -1, population.period
        near = grown(image, 3)
        pixels = np.concatenate([pixels[~near[pixels["y"], pixels["x"]]], new])
    return pixels


def without_light(pixels: np.ndarray, population: Population, lit_share: np.ndarray) -> np.ndarray:
    """`pixels` (PIXEL_DTYPE) without those that differ from healthy pixels only with light, in parts without light."""
    needs_light = np.array([False, *(planted.needs_light for planted in population.types)])
    dark = lit_share[pixels["y"], pixels["x"]] < 0.5
    return pixels[~(needs_light[pixels["code"]] & dark)]
