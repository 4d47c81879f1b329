"""Effects that raise areas of the darks and are no bad pixels: bias of readout lines, glow, persistence, light."""

import numpy as np
from scipy.special import expit

from badpix.simulate.effects import Effects, effect_stream
from badpix.simulate.exposure import Exposure
from badpix.simulate.headers import Geometry

BIAS_LINES = 16  # readout lines of the block, or an eighth of all lines in smaller arrays
BIAS_SCATTER = 0.2  # relative, from exposure to exposure
GLOW_SCALE = 0.08  # of the side: the glow falls to 1/e in this distance from its corner
PATCHES, PATCH_RADIUS_PX, PATCH_EDGE_PX = 3, (6.0, 12.0), 1.5  # a star leaves charge where it was saturated
LEAK_PERIOD = 4  # every fourth dark has a light leak
LEAK_WIDTH = 0.3  # of the side


def _coordinates(geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Columns of y, and rows of x, from 0: float32."""
    y, x = (np.arange(n, dtype=np.float32) for n in geometry.shape)
    return y[:, np.newaxis], x[np.newaxis]


def glow(geometry: Geometry, dn_per_s: float, seed: int) -> np.ndarray:
    """Glow of an amplifier, DN/s, float32 (y, x): `dn_per_s` in a corner of the array, falling exponentially."""
    rng = effect_stream("glow", seed)
    y, x = _coordinates(geometry)
    corner_y, corner_x = (side * (n - 1) for side, n in zip(rng.integers(0, 2, 2), geometry.shape, strict=True))
    distance = np.hypot(y - corner_y, x - corner_x)
    return (dn_per_s * np.exp(-distance / (GLOW_SCALE * min(geometry.shape)))).astype(np.float32)


def persistence(geometry: Geometry, dn_per_s: float, seed: int, index: int) -> np.ndarray:
    """Persistence of three stars in dark `index` (from 1), DN/s, float32 (y, x): it falls as 1 / `index`."""
    rng = effect_stream("persistence", seed)
    y, x = _coordinates(geometry)
    image = np.zeros(geometry.shape, np.float32)
    for _ in range(PATCHES):
        centre_y, centre_x = (rng.uniform(0.15, 0.85) * n for n in geometry.shape)
        radius = rng.uniform(*PATCH_RADIUS_PX)
        distance = np.hypot(y - centre_y, x - centre_x)
        image += np.float32(dn_per_s / index) * expit((radius - distance) / PATCH_EDGE_PX)
    return image


def light_leak(geometry: Geometry, dn_per_s: float, seed: int, index: int) -> np.ndarray:
    """Light in every fourth dark, DN/s, float32 (y, x): a wide spot; zero in the remaining darks."""
    rng = effect_stream("light_leak", seed)
    y, x = _coordinates(geometry)
    centre_y, centre_x = (rng.uniform(0.2, 0.8) * n for n in geometry.shape)
    width = LEAK_WIDTH * min(geometry.shape)
    spot = np.exp(-((y - centre_y) ** 2 + (x - centre_x) ** 2) / (2 * width**2))
    return (dn_per_s * spot * (index % LEAK_PERIOD == 0)).astype(np.float32)


def added_rate(geometry: Geometry, effects: Effects, exposure: Exposure, seed: int) -> np.ndarray | None:
    """Rate that the effects add to the dark current of an exposure, DN/s, float32 (y, x); None without effects."""
    rates = [glow(geometry, effects.glow, seed)] if effects.glow else []
    if effects.persistence and exposure.kind == "dark":
        rates.append(persistence(geometry, effects.persistence, seed, exposure.index))
    if effects.light_leak and exposure.kind == "dark":
        rates.append(light_leak(geometry, effects.light_leak, seed, exposure.index))
    return np.sum(rates, axis=0) if rates else None


def added_bias(geometry: Geometry, effects: Effects, exposure: Exposure, seed: int) -> np.ndarray | None:
    """Drift of the bias of a block of readout lines in a dark, DN, float32 (y, x); None without the effect."""
    if not effects.bias_rows or exposure.kind != "dark":
        return None
    n_lines = min(BIAS_LINES, geometry.n_slow // 8)
    first = int(effect_stream("bias_rows", seed).integers(geometry.n_slow // 8, geometry.n_slow * 7 // 8 - n_lines))
    factor = 1 + BIAS_SCATTER * effect_stream("bias_rows", seed, exposure).standard_normal()
    image = np.zeros((geometry.n_slow, geometry.n_fast), np.float32)
    image[first : first + n_lines] = effects.bias_rows * factor
    return image if geometry.fast_along_x else image.T
