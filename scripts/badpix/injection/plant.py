"""Plant bad pixels into the raw ramps of real exposures: pure functions of the ramps of the affected pixels.

Ramps are float64 (integration, group, pixel) in DN, as in the raw file. The planted signal is added to the measured
ramps: bias, drifts, noise, cosmic rays and light of the detector stay.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from badpix.instrument.readout import GroupTimes
from badpix.simulate.ramps import ADC_MAXIMUM_DN, DIRECT_NEIGHBOURS, rc_signal, telegraph_levels

# A group is saturated if it collects less than this fraction of the typical signal per group.
SATURATED_PART = 0.3


@dataclass(frozen=True)
class Exposure:
    """Properties of an exposure for the planting.

    `is_flat`: whether the lamp is on. `times` are the times of the groups, `gain_e_per_dn` is the gain in e/DN.
    """

    is_flat: bool
    times: GroupTimes
    gain_e_per_dn: float


def neighbours_of_open(pixels: pd.DataFrame) -> pd.DataFrame:
    """The direct neighbours of the open pixels: columns x, y, factor (of their light)."""
    opened = pixels[pixels["type"] == "open"]
    parts = [opened[["x", "y"]].assign(x=opened["x"] + dx, y=opened["y"] + dy) for dy, dx in DIRECT_NEIGHBOURS]
    factor = np.tile(opened["second"].to_numpy(float), len(DIRECT_NEIGHBOURS))
    return pd.concat(parts, ignore_index=True).assign(factor=factor)


def plant(ramps: np.ndarray, pixels: pd.DataFrame, exposure: Exposure, rng: np.random.Generator) -> np.ndarray:
    """The ramps of `pixels` with the planted signals: uint16 (integration, group, pixel).

    `ramps` are the raw counts of these pixels. `pixels` has a row per pixel with type, strength, second (as in the
    truth file) and read_noise_dn, the noise of a group.
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
    """Ramps rounded and clipped to the range of the analogue-to-digital converter, 0 to 65535, uint16."""
    return np.clip(np.rint(ramps), 0, ADC_MAXIMUM_DN).astype(np.uint16)


def added_signal(pixels: pd.DataFrame, n_groups: int, exposure: Exposure, rng: np.random.Generator) -> np.ndarray:
    """The added signal of planted pixels in an integration, float64 DN (group, pixel).

    See `badpix.simulate.populations` for the types.

    Dark current (hot, hot_saturated) with its shot noise; charge of RC and inverse RC pixels; telegraph noise; white
    noise that increases the noise of a group by the factor `strength`; lower pedestals.
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
    charge_dn = np.where(kind[bending] == "rc", 1, -1) * strength[bending]
    time_constants = pixels["second"].to_numpy(float)[bending]
    for group in range(n_groups):
        added[group, bending] = rc_signal(charge_dn, time_constants, group)

    switching = np.flatnonzero(kind == "telegraph")
    added[:, switching] = telegraph_levels(pixels.iloc[switching].to_records(index=False), n_groups, rng)

    noisy = np.flatnonzero(kind == "noisy")
    added_noise_dn = pixels["read_noise_dn"].to_numpy(float)[noisy] * np.sqrt(strength[noisy] ** 2 - 1)
    added[:, noisy] = added_noise_dn * rng.standard_normal((n_groups, len(noisy)))

    added[:, kind == "low_pedestal"] -= strength[kind == "low_pedestal"]
    return added


def light_per_group(ramps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Signal collected in each group, DN (integration, group, pixel), and typical signal, DN (integration, pixel).

    The typical signal is the median difference of groups in the first half of the ramp. It is used for the first group,
    which has no earlier read, and for saturated groups, because a pixel with less light would not saturate. All signals
    are 0 with a single group.
    """
    if ramps.shape[1] < 2:
        return np.zeros_like(ramps), np.zeros((ramps.shape[0], ramps.shape[2]))
    steps = np.diff(ramps, axis=1)
    typical = np.median(steps[:, : max(1, steps.shape[1] // 2)], axis=1)
    typical = np.maximum(typical, 0)
    steps = np.where(steps < SATURATED_PART * typical[:, None], typical[:, None], steps)
    return np.concatenate([typical[:, None], steps], axis=1), typical


def dimmed(
    ramps: np.ndarray, response: np.ndarray, read_noise_dn: np.ndarray, exposure: Exposure, rng: np.random.Generator
) -> np.ndarray:
    """Ramps of pixels that receive the fraction `response` of the light: DN (integration, group, pixel).

    The number of electrons of every group is drawn from a binomial distribution, which gives the shot noise of a pixel
    with this response. The level before the light is the first group minus its light. The reduction also reduces the
    read noise; the difference is added.

    Parameters
    ----------
    ramps : np.ndarray
        DN (integration, group, pixel).
    response : np.ndarray
        Response (pixel), 0 to 1.
    read_noise_dn : np.ndarray
        Noise of a group, DN (pixel).
    exposure : Exposure
        The exposure of the ramps.
    rng : np.random.Generator
        Source of the random numbers.
    """
    light, typical = light_per_group(ramps)
    first_s, group_s = exposure.times.effective_time_s(0), exposure.times.group_time_s
    light[:, 0] = typical * first_s / group_s
    gain = exposure.gain_e_per_dn
    kept = rng.binomial(np.rint(np.maximum(light, 0) * gain).astype(np.int64), response) / gain
    kept += np.minimum(light, 0) * response
    ramp = (ramps[:, :1] - light[:, :1]) + np.cumsum(kept, axis=1)
    ramp += read_noise_dn * np.sqrt(1 - response**2) * rng.standard_normal(ramps.shape)
    return np.where(response < 1, ramp, ramps)


def brightened(ramps: np.ndarray, factor: np.ndarray, exposure: Exposure, rng: np.random.Generator) -> np.ndarray:
    """Ramps of a flat with `factor` (pixel; at least 1) times the light: uint16 (integration, group, pixel)."""
    _, typical = light_per_group(ramps)
    light = np.repeat(typical[:, None], ramps.shape[1], axis=1)
    light[:, 0] *= exposure.times.effective_time_s(0) / exposure.times.group_time_s
    # The shot noise of the additional electrons is independent of the measured noise.
    added = rng.poisson(light * (factor - 1) * exposure.gain_e_per_dn) / exposure.gain_e_per_dn
    return to_counts(ramps + np.cumsum(added, axis=1))
