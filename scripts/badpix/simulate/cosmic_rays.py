"""Cosmic rays: hits of one to three pixels, and snowballs (large and round)."""

import numpy as np

# Hits per pixel and group: 5 protons per cm2 and second on 18 micron pixels in a full-frame group of 10.7 s. The same
# number is used for small arrays with shorter groups, so that the share of hit pixels is realistic for a dark.
HITS_PER_PIXEL_GROUP = 1.7e-4
HIT_MEDIAN_E = 900.0
HIT_LOG_SIGMA = 1.1
NEIGHBOUR_CHANCE = 0.5  # a hit reaches a neighbouring pixel; with the same chance it goes on to a third pixel

SNOWBALL_RADIUS_PX = (3.0, 10.0)
SNOWBALL_CORE = 0.5  # radius of the saturated core, as a fraction of the radius
SNOWBALL_REACH_PX = 12  # distance from the core at which the charge is below one electron


def add_cosmic_rays(total_e: np.ndarray, science: np.ndarray, rng: np.random.Generator, factor: float = 1.0) -> None:
    """Add the hits of one group to `total_e`, float32 (y, x), in place; about half of them reach a neighbour.

    `factor` is their number in units of the usual number.
    """
    n_y, n_x = total_e.shape
    number = rng.poisson(factor * HITS_PER_PIXEL_GROUP * total_e.size)
    y, x = rng.integers(0, n_y, number), rng.integers(0, n_x, number)
    charge_e = HIT_MEDIAN_E * np.exp(HIT_LOG_SIGMA * rng.standard_normal(number))
    for _ in range(3):
        inside = (y >= 0) & (y < n_y) & (x >= 0) & (x < n_x)
        y, x, charge_e = y[inside], x[inside], charge_e[inside]
        np.add.at(total_e, (y, x), charge_e * science[y, x])
        onward = rng.random(len(y)) < NEIGHBOUR_CHANCE
        y, x = y[onward] + rng.integers(-1, 2, onward.sum()), x[onward] + rng.integers(-1, 2, onward.sum())
        charge_e = charge_e[onward] * rng.uniform(0.05, 1.0, onward.sum())


def add_snowballs(
    total_e: np.ndarray, science: np.ndarray, well_e: np.ndarray, per_pixel: float, rng: np.random.Generator
) -> None:
    """Add the snowballs of one group to `total_e` in place.

    A snowball has a saturated core; outside, its charge decreases by a factor of e per pixel.

    Parameters
    ----------
    total_e : np.ndarray
        Charge in electrons, float32 (y, x).
    science : np.ndarray
        Science pixels, bool (y, x).
    well_e : np.ndarray
        Full well in electrons, float32 (y, x).
    per_pixel : float
        Mean number of snowballs per pixel.
    rng : np.random.Generator
        Source of the random numbers.
    """
    n_y, n_x = total_e.shape
    for _ in range(rng.poisson(per_pixel * total_e.size)):
        centre, radius = (rng.uniform(0, n_y), rng.uniform(0, n_x)), rng.uniform(*SNOWBALL_RADIUS_PX)
        add_snowball(total_e, science, well_e, centre, radius)


def add_snowball(
    total_e: np.ndarray, science: np.ndarray, well_e: np.ndarray, centre: tuple[float, float], radius: float
) -> None:
    """Add a snowball to `total_e` in place.

    Parameters
    ----------
    total_e, science, well_e
        As for `add_snowballs`.
    centre : (float, float)
        Position (y, x) in pixels; pixel centres are at whole numbers.
    radius : float
        In pixels.
    """
    centre_y, centre_x = centre
    core = SNOWBALL_CORE * radius
    reach = core + SNOWBALL_REACH_PX
    low_y, low_x = (max(0, int(coordinate - reach)) for coordinate in centre)
    box = np.s_[low_y : int(centre_y + reach) + 1, low_x : int(centre_x + reach) + 1]
    y, x = np.indices(total_e[box].shape)
    distance = np.hypot(y + low_y - centre_y, x + low_x - centre_x)
    total_e[box] += well_e[box] * science[box] * np.exp(-np.maximum(distance - core, 0)).astype(np.float32)
