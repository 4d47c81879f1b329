"""The static maps of a healthy detector and its lamp: float32 images (y, x)."""

from math import erf

import numpy as np

from badpix.simulate.headers import Geometry, output_of_lines, unlit_columns
from badpix.simulate.instruments import INSTRUMENTS
from badpix.simulate.populations import Physics

NONLINEARITY_PER_DN = 6.0e-7  # true = measured + this x measured^2: 1.5% at the end of a flat ramp
LAMP_EDGE_PX = 1.5  # standard deviation of the blurred edge of the unlit strip


def static_maps(
    geometry: Geometry, reference: np.ndarray, physics: Physics, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The maps of a DetectorModel by name, for a healthy detector: float32 (y, x).

    Typical values are values of an H2RG. All distributions have realistic tails on purpose: a healthy detector without
    tails would give too good results for any classification.
    """
    shape = reference.shape
    science = (~reference).astype(np.float32)

    def normal(sigma: float, size: tuple[int, ...] = shape) -> np.ndarray:
        return (sigma * rng.standard_normal(size)).astype(np.float32)

    bias = 11000 + normal(40) + normal(15, (1, shape[1])) + normal(6, (shape[0], 1))
    bias += output_map(geometry, 60 * rng.standard_normal(geometry.n_amplifiers))
    gain = INSTRUMENTS[geometry.instrument].gain_e_per_dn * (1 + normal(0.005))
    gain = gain * (1 + output_map(geometry, 0.02 * rng.standard_normal(geometry.n_amplifiers)))
    read_noise = 6.5 * np.exp(normal(0.12))
    # Median 0.01 e/s with a tail of warm pixels: about 1 in 1,000 is more than 12 times as high.
    dark_rate = 0.006 * np.exp(normal(0.8)) * science
    response = (1 + normal(0.01)) * science
    lit_share = lamp_edge(geometry) if physics.unlit_strip else np.ones(shape, np.float32)
    maps = {
        "bias_dn": bias,
        "superbias_error_dn": normal(1.0),  # a superbias is the mean of a finite number of reads
        "gain_e_per_dn": gain,
        "read_noise_dn": read_noise,
        "read_noise_error": normal(0.04),  # error of a noise measured in about 300 reads
        "dark_rate_dn_per_s": dark_rate,
        "response": response,
        "illumination": lamp(shape, physics) * lit_share,
        "lit_share": lit_share,
        "saturation_dn": 60000 + normal(400),
        "nonlinearity_per_dn": np.full((1, 1), NONLINEARITY_PER_DN),
    }
    if physics.output_noise_scatter:
        spread = np.exp(physics.output_noise_scatter * rng.standard_normal(geometry.n_amplifiers))
        maps["read_noise_dn"] = read_noise * output_map(geometry, spread)
    if physics.nonlinearity_scatter:
        maps["nonlinearity_per_dn"] = NONLINEARITY_PER_DN * (1 + normal(physics.nonlinearity_scatter))
    return {name: values.astype(np.float32) for name, values in maps.items()}


def output_map(geometry: Geometry, values: np.ndarray) -> np.ndarray:
    """Image of `values` (amplifier) at the pixels of each amplifier: float32 (y, x).

    The amplifiers divide the fast axis: x if FASTAXIS is +-1, y if it is +-2.
    """
    line = np.asarray(values, np.float32)[output_of_lines(geometry)]
    image = np.broadcast_to(line, (geometry.n_slow, geometry.n_fast))
    return image if geometry.fast_along_x else image.T


def lamp(shape: tuple[int, int], physics: Physics) -> np.ndarray:
    """Light of the unobstructed lamp, mean 1: float32 (y, x)."""
    y, x = (np.linspace(-0.5, 0.5, n, dtype=np.float32) for n in shape)
    light = 1 + physics.lamp_x * x[None, :] + physics.lamp_y * y[:, None]
    light = light + physics.lamp_square * (x[None, :] ** 2 + y[:, None] ** 2)
    light = light + physics.lamp_cross * x[None, :] * y[:, None]
    return light / light.mean()


def lamp_edge(geometry: Geometry) -> np.ndarray:
    """Share of the lamp's light that is not blocked by the edge of the unlit strip, 0 to 1: float32 (y, x)."""
    end = unlit_columns(geometry)[1]
    distance = np.arange(geometry.n_columns) - (end - 0.5)  # the edge lies between two pixels
    share = np.array([0.5 * (1 + erf(d / (LAMP_EDGE_PX * 2**0.5))) for d in distance], np.float32)
    return np.broadcast_to(share, geometry.shape)
