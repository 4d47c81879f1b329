"""Plant bad pixels into the raw ramps of real exposures: pure functions of the ramps of the pixels concerned.

Ramps are float64 (integration, group, pixel) in DN, as in the raw file. What is planted comes on top of what the
detector did: its bias, drifts, noise, cosmic rays and light stay.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from badpix.instrument.readout import GroupTimes
from badpix.simulate.ramps import ADC_MAXIMUM_DN, DIRECT_NEIGHBOURS, rc_signal, telegraph_levels

# A group that collects less than this part of what the first ones do is saturated.
SATURATED_PART = 0.3


@dataclass(frozen=True)
class Exposure:
    """What planting must know of an exposure.

    `is_flat`: whether the lamp is on. `times` are those of its groups, `gain_e_per_dn` turns its counts to electrons.
    """

    is_flat: bool
    times: GroupTimes
    gain_e_per_dn: float


def neighbours_of_open(pixels: pd.DataFrame) -> pd.DataFrame:
    """The direct neighbours of the open pixels: columns x, y, factor (on their light)."""
    opened = pixels[pixels["type"] == "open"]
    parts = [opened[["x", "y"]].assign(x=opened["x"] + dx, y=opened["y"] + dy) for dy, dx in DIRECT_NEIGHBOURS]
    factor = np.tile(opened["second"].to_numpy(float), len(DIRECT_NEIGHBOURS))
    return pd.concat(parts, ignore_index=True).assign(factor=factor)


def plant(ramps: np.ndarray, pixels: pd.DataFrame, exposure: Exposure, rng: np.random.Generator) -> np.ndarray:
    """The ramps of `pixels` with what was planted in them: uint16 (integration, group, pixel).

    `ramps`: raw counts of these pixels. `pixels`: a row per pixel with type, strength, second (as in the truth file)
    and read_noise_dn, the noise of one of its groups.
    """
    planted = ramps.astype(float)
    if exposure.is_flat:
        response = np.where(pixels["type"].isin(["dead", "low_qe", "open"]), pixels["strength"], 1.0)
        planted = dimmed(planted, response, pixels["read_noise_dn"].to_numpy(float), exposure, rng)
    n_integrations, n_groups, _ = ramps.shape
    for integration in range(n_integrations):
        planted[integration] += added_signal(pixels, n_groups, exposure, rng)
    return to_counts(planted)


def to_counts(ramps: np.ndarray) -> np.ndarray:
    """Ramps as the converter gives them: whole numbers from 0 to 65535, uint16."""
    return np.clip(np.rint(ramps), 0, ADC_MAXIMUM_DN).astype(np.uint16)


def added_signal(pixels: pd.DataFrame, n_groups: int, exposure: Exposure, rng: np.random.Generator) -> np.ndarray:
    """What planted pixels add to one integration, float64 DN (group, pixel); see `badpix.simulate.populations`.

    Dark current (hot, hot_saturated) with its shot noise, charge of RC and inverse RC pixels, telegraph signals, white
    noise that makes the noise of a group `strength` times that of the pixel, lower pedestals.
    """
    added = np.zeros((n_groups, len(pixels)))
    kind, strength = pixels["type"].to_numpy(str), pixels["strength"].to_numpy(float)
    frame_s = exposure.times.frame_time_s
    rate = np.where(kind == "hot", strength, np.where(kind == "hot_saturated", strength / frame_s, 0.0))
    hot = rate > 0
    times_s = exposure.times.effective_time_s(np.arange(n_groups))
    electrons = np.diff(times_s, prepend=0.0)[:, None] * rate[hot] * exposure.gain_e_per_dn
    added[:, hot] = np.cumsum(rng.poisson(electrons), axis=0) / exposure.gain_e_per_dn

    bending = np.flatnonzero((kind == "rc") | (kind == "inverse_rc"))
    charge = {
        "strength": np.where(kind[bending] == "rc", 1, -1) * strength[bending],
        "second": pixels["second"].to_numpy(float)[bending],
    }
    for group in range(n_groups):
        added[group, bending] = rc_signal(charge, group)

    switching = np.flatnonzero(kind == "telegraph")
    added[:, switching] = telegraph_levels(pixels.iloc[switching].to_records(index=False), n_groups, rng)

    noisy = np.flatnonzero(kind == "noisy")
    more_noise = pixels["read_noise_dn"].to_numpy(float)[noisy] * np.sqrt(strength[noisy] ** 2 - 1)
    added[:, noisy] = more_noise * rng.standard_normal((n_groups, len(noisy)))

    added[:, kind == "low_pedestal"] -= strength[kind == "low_pedestal"]
    return added


def light_per_group(ramps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each group collected, DN (integration, group, pixel), and the usual amount, DN (integration, pixel).

    The first group's, before which nothing was read, is the usual one: the median difference in the first half of the
    ramp. So is that of a group that saturates, because a dimmer pixel would not. With one group there is no light.
    """
    if ramps.shape[1] < 2:
        return np.zeros_like(ramps), np.zeros((ramps.shape[0], ramps.shape[2]))
    steps = np.diff(ramps, axis=1)
    usual = np.median(steps[:, : max(1, steps.shape[1] // 2)], axis=1)
    usual = np.maximum(usual, 0)
    steps = np.where(steps < SATURATED_PART * usual[:, None], usual[:, None], steps)
    return np.concatenate([usual[:, None], steps], axis=1), usual


def dimmed(
    ramps: np.ndarray, response: np.ndarray, read_noise_dn: np.ndarray, exposure: Exposure, rng: np.random.Generator
) -> np.ndarray:
    """Ramps of pixels that see only the part `response` (pixel; 0 to 1) of the light: DN (integration, group, pixel).

    The electrons of every group are thinned one by one, which leaves the shot noise that a pixel of this response has.
    The level before the light is the pixel's own first group less what fell on it until then. With the light its read
    noise shrinks too; the rest of it is added.
    """
    light, usual = light_per_group(ramps)
    first_s, group_s = exposure.times.effective_time_s(0), exposure.times.group_time_s
    light[:, 0] = usual * first_s / group_s
    gain = exposure.gain_e_per_dn
    kept = rng.binomial(np.rint(np.maximum(light, 0) * gain).astype(np.int64), response) / gain
    kept += np.minimum(light, 0) * response
    ramp = (ramps[:, :1] - light[:, :1]) + np.cumsum(kept, axis=1)
    ramp += read_noise_dn * np.sqrt(1 - response**2) * rng.standard_normal(ramps.shape)
    return np.where(response < 1, ramp, ramps)


def brightened(ramps: np.ndarray, factor: np.ndarray, exposure: Exposure, rng: np.random.Generator) -> np.ndarray:
    """The ramps of a flat's pixels whose light is `factor` (pixel; at least 1) times as much: uint16, as `plant`."""
    _, usual = light_per_group(ramps)
    light = np.repeat(usual[:, None], ramps.shape[1], axis=1)
    light[:, 0] *= exposure.times.effective_time_s(0) / exposure.times.group_time_s
    # Other electrons than those that were read: their noise is independent.
    more = rng.poisson(light * (factor - 1) * exposure.gain_e_per_dn) / exposure.gain_e_per_dn
    return to_counts(ramps + np.cumsum(more, axis=1))
