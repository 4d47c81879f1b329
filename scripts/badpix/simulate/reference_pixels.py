"""Bad reference pixels in simulated raw counts, for the search for them: noisy, offset and railed ones.

They are added to the finished counts, so that all other pixels of a simulation are the same with and without them.
"""

from math import log

import numpy as np
import pandas as pd

from badpix.simulate.detector import DetectorModel
from badpix.simulate.exposure import Exposure

# Strengths: noise added, as a multiple of the pixel's read noise; offset in DN, of either sign; the rail in DN.
NOISY, OFFSET, RAILED = "noisy", "offset", "railed"
NOISE_RANGE, OFFSET_RANGE_DN, RAILS_DN = (2.0, 8.0), (400.0, 3000.0), (0, 65535)
# Separate streams of random numbers.
_PLAN, _NOISE = 71, {"dark": 72, "flat": 73}
_MAXIMUM_DN = 65535


def plan_reference_pixels(detector: DetectorModel, number: int, seed: int) -> pd.DataFrame:
    """`number` reference pixels of each type, sorted by y and x: columns x, y (0-based in the array), type, strength.

    ValueError if there are too few reference pixels, and for the interleaved rows of IRS2.
    """
    if detector.geometry.interleaved:
        raise ValueError("bad reference pixels are not simulated for IRS2")
    y, x = np.nonzero(detector.reference)
    if 3 * number > y.size // 10:
        raise ValueError(f"{3 * number} bad reference pixels are too many for an array with {y.size} of them")
    rng = np.random.default_rng(np.random.SeedSequence([seed, _PLAN]))
    chosen = rng.choice(y.size, 3 * number, replace=False)
    noise = np.exp(rng.uniform(log(NOISE_RANGE[0]), log(NOISE_RANGE[1]), number))
    offset = np.exp(rng.uniform(log(OFFSET_RANGE_DN[0]), log(OFFSET_RANGE_DN[1]), number)) * rng.choice([-1, 1], number)
    table = pd.DataFrame(
        {
            "x": x[chosen],
            "y": y[chosen],
            "type": np.repeat([NOISY, OFFSET, RAILED], number),
            "strength": np.concatenate([noise, offset, rng.choice(RAILS_DN, number)]).round(2),
        }
    )
    return table.sort_values(["y", "x"], ignore_index=True)


def plant_reference_pixels(
    counts_dn: np.ndarray, pixels: pd.DataFrame, detector: DetectorModel, exposure: Exposure, seed: int
) -> None:
    """Make the reference pixels `pixels` of plan_reference_pixels bad, in place.

    Parameters
    ----------
    counts_dn : ndarray
        Raw counts, uint16 DN (integration, group, y, x).
    pixels : DataFrame
        The planted pixels.
    detector : DetectorModel
        The detector, for its read noise.
    exposure : Exposure
        The exposure, for its noise.
    seed : int
        Seed of the detector.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, _NOISE[exposure.kind], exposure.index]))
    for pixel in pixels.itertuples():
        values = counts_dn[:, :, pixel.y, pixel.x].astype(np.float64)
        if pixel.type == NOISY:
            values += pixel.strength * detector.read_noise_dn[pixel.y, pixel.x] * rng.standard_normal(values.shape)
        elif pixel.type == OFFSET:
            values += pixel.strength
        else:
            values[:] = pixel.strength
        counts_dn[:, :, pixel.y, pixel.x] = np.clip(np.round(values), 0, _MAXIMUM_DN)
