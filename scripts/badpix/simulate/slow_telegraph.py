"""Pixels that change between exposures: telegraph noise that switches about once per exposure, not once per group.

The state at the start of an exposure is random, because hours lie between exposures. A share of the pixels is bad in a
minority of the exposures only.
"""

from dataclasses import replace

import numpy as np

from badpix.simulate.effects import effect_stream
from badpix.simulate.exposure import Exposure
from badpix.simulate.headers import Geometry, science_bounds
from badpix.simulate.planting import PIXEL_DTYPE
from badpix.simulate.populations import PlantedType, Population, logarithmic

EFFECT = "slow_telegraph"
BEHAVIOUR = "slow_telegraph"
# 15 to 40 times the typical read noise, 6.5 DN. `second` is the mean number of switches in an exposure.
STRENGTH, SWITCHES = logarithmic(97.5, 260.0), logarithmic(0.5, 2.0)
MINORITY_SHARE = 3  # for every third pixel another one is bad in a minority of the exposures
DISTANCE = 3  # from any planted pixel
MARGIN = 4  # from the edge of the science area


def slow_types(population: Population, number: int) -> tuple[PlantedType, ...]:
    """The types of `number` pixels, and of those that are bad in a minority of the exposures.

    Their name has the prefix of the population's other minorities.
    """
    prefix = "minority_" if population.name == "demo" else "intermittent_"
    return (
        PlantedType("slow_telegraph", "high_cr", number, STRENGTH, "DN", BEHAVIOUR, SWITCHES),
        PlantedType(
            f"{prefix}slow_telegraph", "", number // MINORITY_SHARE, STRENGTH, "DN", BEHAVIOUR, SWITCHES,
            permanent=False,
        ),
    )  # fmt: skip


def plant_slow_telegraph(
    geometry: Geometry, population: Population, pixels: np.ndarray, number: int, seed: int
) -> tuple[Population, np.ndarray]:
    """`population` and `pixels` (PIXEL_DTYPE) with `number` pixels that switch about once per exposure, and a minority.

    Raises ValueError if the array has no room for them.
    """
    rng = effect_stream(EFFECT, seed)
    new_types = slow_types(population, number)
    first_y, last_y, first_x, last_x = science_bounds(geometry)
    free = np.zeros(geometry.shape, bool)
    free[first_y + MARGIN : last_y - MARGIN + 1, first_x + MARGIN : last_x - MARGIN + 1] = True
    for y, x in zip(pixels["y"], pixels["x"], strict=True):
        _block(free, y, x)
    planted = [pixels]
    for code, planted_type in enumerate(new_types, start=len(population.types) + 1):
        new = np.zeros(planted_type.count, PIXEL_DTYPE)
        for pixel in new:
            y, x = np.nonzero(free)
            if not len(y):
                raise ValueError(f"effect {EFFECT}={number:g}: an array of {geometry.shape} has no room for the pixels")
            chosen = rng.integers(len(y))
            pixel["y"], pixel["x"], pixel["code"] = y[chosen], x[chosen], code
            _block(free, pixel["y"], pixel["x"])
        new["strength"] = planted_type.strength.draw(rng, len(new))
        new["second"] = planted_type.second.draw(rng, len(new))
        new["phase"], new["bad_exposures"] = -1, population.period
        if not planted_type.permanent:
            new["phase"] = rng.integers(0, population.period, len(new))
            largest = (population.period - 1) // 2  # fewer than half of the exposures
            new["bad_exposures"] = 1 if population.name == "demo" else rng.integers(1, largest + 1, len(new))
        planted.append(new)
    return replace(population, types=(*population.types, *new_types)), np.concatenate(planted)


def slow_telegraph_levels(pixels: np.ndarray, exposure: Exposure, seed: int) -> np.ndarray:
    """Signal of `pixels` (PIXEL_DTYPE) in DN: float32 (integration, group, pixel), half the strength up or down."""
    rng = effect_stream(EFFECT, seed, exposure)
    n_times = exposure.n_integrations * exposure.n_groups
    switches = rng.random((n_times, len(pixels))) < pixels["second"] / n_times
    state = (np.cumsum(switches, axis=0) + rng.integers(0, 2, len(pixels))) % 2
    levels = ((state - 0.5) * pixels["strength"]).astype(np.float32)
    return levels.reshape(exposure.n_integrations, exposure.n_groups, len(pixels))


def _block(free: np.ndarray, y: int, x: int) -> None:
    """Set `free`, bool (y, x), to False within DISTANCE - 1 of a pixel, in place."""
    near = DISTANCE - 1
    free[max(0, y - near) : y + near + 1, max(0, x - near) : x + near + 1] = False
