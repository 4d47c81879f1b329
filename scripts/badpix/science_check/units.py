"""A unit of the science check: the deviation of each pixel from its surroundings in an exposure, in sigma.

A unit is a dark or an exposure of a lamp, or all exposures of the sky with the same pointing. The local level is the
median of the pixels around. Sigma is the scatter of all pixels about their local levels in a block (1.4826 x the median
absolute deviation); it contains the read noise, the photon noise and the differences of response.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
from scipy.ndimage import median_filter

from badpix.config.settings import SkySettings
from badpix.instrument import pointing
from badpix.instrument.exp_types import DARK, SKY
from badpix.instrument.geometry import Geometry
from badpix.numerics.growth import grown
from badpix.response.background import block_median
from badpix.science_check.rates import integrations

SIGMA_PER_MAD = 1.4826
# Side (pixels) of the box of the local level, wider than the clusters of bad pixels.
BOX = 7
# Side (pixels) of the blocks that share a sigma.
BLOCK = 64
# A pixel has light if its level is above so many sigma; a dead pixel then is as far below the level.
LIT_SIGMA = 10
# With light, a deviation below this part of the level is no outlier: flat fielding corrects it.
MIN_DEVIATION = 0.2
# Exposures of the sky that are closer (pixels) have the same pointing: their stars fall on the same pixels.
SAME_POINTING = 3.0


@dataclass(frozen=True)
class Unit:
    """Images (y, x) of a unit.

    `sigma`: float32, deviation in sigma, inf where most integrations are saturated from the start, NaN without a value.
    `outlier`: bool, beyond the limit. `lit`: bool, whether a missing response would be seen. `scatter`: float32,
    variance of the integrations over that of the surroundings, NaN with one integration. `jumps`: float32, share of the
    integrations with a jump. `there`: bool, inside the array of the exposures.
    """

    sigma: np.ndarray
    outlier: np.ndarray
    lit: np.ndarray
    scatter: np.ndarray
    jumps: np.ndarray
    there: np.ndarray


def same_pointings(headers: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """The names of `headers` (name -> keywords) by pointing. Exposures without a pointing join the first one."""
    groups: list[list[str]] = []
    # The distance is NaN if it is not known. An exposure without a pointing as the first would be near to all others.
    for name in sorted(headers, key=lambda name: isnan(pointing.distance(headers[name], headers[name]))):
        for group in groups:
            if not pointing.distance(headers[group[0]], headers[name]) > SAME_POINTING:
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def local_level(image: np.ndarray) -> np.ndarray:
    """Median of the BOX x BOX pixels around each pixel, float64 (y, x); NaN counts as the median of its block."""
    filled = np.where(np.isfinite(image), image, block_median(image, 2 * BOX))
    filled = np.where(np.isfinite(filled), filled, np.nanmedian(image) if np.isfinite(image).any() else 0.0)
    return median_filter(filled, BOX, mode="nearest")


def measure_unit(
    paths: Sequence[str], frame: Geometry, science: np.ndarray, limit: float, light: str, sky: SkySettings
) -> Unit:
    """The Unit of the files `paths`.

    Parameters
    ----------
    paths : sequence of str
        Files of rates.
    frame : Geometry
        The array of the mask.
    science : bool array (y, x)
        The science pixels.
    limit : float
        Outliers are beyond so many sigma.
    light : str
        DARK, LAMP or SKY. The level of darks is no light: flat fielding does not correct deviations from it.
    sky : SkySettings
        Search of sources, for exposures of the sky.
    """
    shifts: list[float] = []
    in_first = science
    first, total, squares = (np.zeros(frame.shape) for _ in range(3))
    number, n_there, saturated, jumps = (np.zeros(frame.shape, np.int32) for _ in range(4))
    for path in paths:
        for one in integrations(path, frame):
            has_value = np.isfinite(one.rate)
            if not shifts:
                first, in_first = np.where(has_value, one.rate, 0.0), has_value & science
            # Without the shift of its level, an integration without a value of a pixel does not shift this pixel.
            common = (one.rate - first)[has_value & in_first]
            shifts.append(float(np.median(common)) if common.size else 0.0)
            # Moments about the first integration, so that a large rate does not cost digits.
            change = np.where(has_value, one.rate - shifts[-1] - first, 0.0)
            total += change
            squares += change**2
            number += has_value
            n_there += one.there
            saturated += one.saturated
            jumps += one.jump
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = total / number
        mean = np.where(science & (number > 0), np.mean(shifts) + first + offset, np.nan)
        variance = np.where(science & (number > 1), (squares - number * offset**2) / (number - 1), np.nan)
        share = np.where(n_there > 0, jumps / n_there, np.nan)
    if light == SKY:
        mean = np.where(_sources(mean, science, sky), np.nan, mean)
    level = local_level(mean)
    residual = np.where(np.isfinite(mean), mean - level, np.nan)
    sigma = SIGMA_PER_MAD * block_median(np.abs(residual), BLOCK)
    typical = block_median(variance, BLOCK)
    with np.errstate(divide="ignore", invalid="ignore"):
        in_sigma = np.where(sigma > 0, residual / sigma, np.nan)
        scatter = np.where(typical > 0, variance / typical, np.nan)
        lit = science & (level > LIT_SIGMA * sigma) & (light != DARK)
    in_sigma[science & (number == 0) & (2 * saturated > n_there)] = np.inf
    outlier = (np.abs(in_sigma) > limit) & ~(lit & (np.abs(residual) < MIN_DEVIATION * level))
    in_sigma, scatter, share = (image.astype(np.float32) for image in (in_sigma, scatter, share))
    return Unit(in_sigma, outlier, lit, scatter, share, n_there > 0)


def _sources(mean: np.ndarray, science: np.ndarray, sky: SkySettings) -> np.ndarray:
    """Boolean image (y, x) of the sources with their surroundings; all pixels if they hide the sky."""
    # Takes a second to import.
    from badpix.response.sources import find_sources

    sources, _ = find_sources(mean, science, sky)
    return grown(sources, sky.source_growth)
