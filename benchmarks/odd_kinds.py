"""Kinds of exposures that are no darks or flats of their detector: changes of raw counts.

Raw counts are uint16 (integration, group, y, x).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Exposures:
    """A good dark and a good flat, those of another detector of the same array, and the group time (s)."""

    dark: np.ndarray
    flat: np.ndarray
    other_dark: np.ndarray
    other_flat: np.ndarray
    group_s: float


def clipped(counts):
    return np.clip(np.rint(counts), 0, 65535).astype(np.uint16)


def step(counts):
    """Signal since the first group, float64."""
    return counts.astype(float) - counts[:, :1]


def with_light(counts, light_dn_per_group):
    """`counts` with more light: DN per group, scalar or image (y, x), with shot noise."""
    rng = np.random.default_rng(5)
    light = np.broadcast_to(np.asarray(light_dn_per_group, float), counts.shape[-2:]) * 1.6
    added = np.cumsum(rng.poisson(np.broadcast_to(light, counts.shape)), axis=1) / 1.6
    added[..., :4, :] = added[..., -4:, :] = added[..., :4] = added[..., -4:] = 0
    return clipped(np.minimum(counts + added, 61500))


def ramp_x(counts):
    return np.broadcast_to(np.linspace(0, 1, counts.shape[-1]), counts.shape[-2:])


def part(counts, other, rows=slice(None), columns=slice(None)):
    """`counts` with a part of the array from `other`."""
    result = counts.copy()
    result[..., rows, columns] = other[..., rows, columns]
    return result


def shifted(counts, dy, dx):
    return np.roll(counts, (dy, dx), axis=(-2, -1))


def noisier(counts, factor, seed=3):
    rng = np.random.default_rng(seed)
    return clipped(counts + factor * 6.5 * rng.standard_normal(counts.shape))


def shuffled(counts, axis, seed=4):
    return np.take(counts, np.random.default_rng(seed).permutation(counts.shape[axis]), axis=axis)


def scrambled_pixels(counts):
    flat = counts.reshape(*counts.shape[:2], -1)
    return shuffled(flat, 2).reshape(counts.shape)


def persistence(counts, share, dn_per_group):
    """Decaying light in a disk that covers `share` of the array."""
    n_y, n_x = counts.shape[-2:]
    y, x = np.mgrid[:n_y, :n_x]
    disk = ((y - n_y / 2) ** 2 + (x - n_x / 2) ** 2) < share * n_y * n_x / np.pi
    groups = np.arange(1, counts.shape[1] + 1)
    decay = 10 * (1 - np.exp(-groups / 10.0))
    return clipped(counts + decay[:, None, None] * dn_per_group * disk)


def bright_spots(counts, n, dn_per_group):
    """Stars: `n` blurred spots."""
    rng = np.random.default_rng(8)
    n_y, n_x = counts.shape[-2:]
    y, x = np.mgrid[:n_y, :n_x]
    light = np.zeros((n_y, n_x))
    for _ in range(n):
        light += dn_per_group * np.exp(-((y - rng.uniform(6, n_y - 6)) ** 2 + (x - rng.uniform(6, n_x - 6)) ** 2) / 8)
    return with_light(counts, light)


def random_values(counts, low, high):
    return np.random.default_rng(6).integers(low, high, counts.shape).astype(np.uint16)


def inside(counts):
    """1 at science pixels, 0 at reference pixels."""
    image = np.zeros(counts.shape[-2:])
    image[4:-4, 4:-4] = 1
    return image


def pinch(counts):
    """Light in the middle only."""
    y, x = (np.linspace(-1, 1, n) for n in counts.shape[-2:])
    return np.exp(-3 * (y[:, None] ** 2 + x**2))


# Kind -> function of the raw counts, of darks and of flats.
MOVED = {
    "flipped in x": lambda counts: counts[..., ::-1],
    "flipped in y": lambda counts: counts[..., ::-1, :],
    "rotated by 180 degrees": lambda counts: counts[..., ::-1, ::-1],
    "transposed": lambda counts: np.swapaxes(counts, -1, -2),
    "shifted by 1 in x": lambda counts: shifted(counts, 0, 1),
    "shifted by 1 in y": lambda counts: shifted(counts, 1, 0),
    "shifted by 2, 2": lambda counts: shifted(counts, 2, 2),
    "shifted by 8 in x": lambda counts: shifted(counts, 0, 8),
    "half shifted by 1": lambda counts: part(counts, shifted(counts, 0, 1), columns=slice(0, counts.shape[-1] // 2)),
}
# Kind -> function of Exposures that returns the raw counts.
DARK_KINDS = {
    "random values": lambda e: random_values(e.dark, 0, 65535),
    "random around the bias": lambda e: random_values(e.dark, 10000, 12000),
    "normal noise of 10 DN, no pattern": lambda e: noisier(np.full_like(e.dark, 11000), 1.5),
    **{kind: lambda e, change=change: change(e.dark) for kind, change in MOVED.items()},
    "dark of another detector": lambda e: e.other_dark,
    "flat under a dark's header": lambda e: e.flat,
    "flat of another detector": lambda e: e.other_flat,
    "lamp-lit, 10 DN per group": lambda e: with_light(e.dark, 10),
    "lamp-lit, 100 DN per group": lambda e: with_light(e.dark, 100),
    "lamp-lit, 1000 DN per group": lambda e: with_light(e.dark, 1000),
    "half lit, 100 DN per group": lambda e: with_light(e.dark, 100 * (ramp_x(e.dark) > 0.5)),
    "quarter lit, 100 DN per group": lambda e: with_light(e.dark, 100 * (ramp_x(e.dark) > 0.74)),
    "gradient to 30 DN per s": lambda e: with_light(e.dark, 30 * e.group_s * ramp_x(e.dark)),
    "gradient to 300 DN per s": lambda e: with_light(e.dark, 300 * e.group_s * ramp_x(e.dark)),
    "persistence, 20% of the pixels": lambda e: persistence(e.dark, 0.2, 20),
    "persistence, 10% of the pixels": lambda e: persistence(e.dark, 0.1, 50),
    "stars": lambda e: bright_spots(e.dark, 15, 200),
    "constant": lambda e: np.full_like(e.dark, 11000),
    "constant in time": lambda e: np.repeat(e.dark[:, :1], e.dark.shape[1], axis=1),
    "all zero": lambda e: np.zeros_like(e.dark),
    "saturated": lambda e: np.full_like(e.dark, 65535),
    "half saturated": lambda e: part(e.dark, np.full_like(e.dark, 65535), rows=slice(4, e.dark.shape[-2] // 2)),
    "tenth saturated": lambda e: part(e.dark, np.full_like(e.dark, 65535), rows=slice(4, 4 + e.dark.shape[-2] // 10)),
    "noise x 3": lambda e: noisier(e.dark, 2.83),
    "noise x 10": lambda e: noisier(e.dark, 10),
    "noise x 10 in a half": lambda e: part(e.dark, noisier(e.dark, 10), columns=slice(4, e.dark.shape[-1] // 2)),
    "an amplifier dead": lambda e: part(e.dark, np.full_like(e.dark, 11000), rows=slice(4, e.dark.shape[-2] // 4)),
    "an amplifier at zero": lambda e: part(e.dark, np.zeros_like(e.dark), rows=slice(4, e.dark.shape[-2] // 4)),
    "rows scrambled": lambda e: shuffled(e.dark, 2),
    "columns scrambled": lambda e: shuffled(e.dark, 3),
    "pixels scrambled": lambda e: scrambled_pixels(e.dark),
    "ramps reversed in time": lambda e: with_light(e.dark, 20)[:, ::-1],
    "groups scrambled": lambda e: shuffled(with_light(e.dark, 20), 1),
    "negative of the counts": lambda e: clipped(22000.0 - e.dark),
    "counts halved": lambda e: clipped(e.dark / 2.0),
    "counts doubled": lambda e: clipped(e.dark * 2.0),
    "lowest 6 bits lost": lambda e: e.dark & np.uint16(0xFFC0),
    "bytes swapped": lambda e: e.dark.byteswap(),
    "bias drift of 50 DN per group": lambda e: clipped(
        e.dark + 50.0 * np.arange(e.dark.shape[1])[:, None, None] * inside(e.dark)
    ),
    "chequerboard of +-100 DN": lambda e: clipped(
        e.dark + 100.0 * (np.indices(e.dark.shape[-2:]).sum(0) % 2) * inside(e.dark)
    ),
    "bias +-30 DN, pixel by pixel": lambda e: clipped(
        e.dark + 30 * np.random.default_rng(2).standard_normal(e.dark.shape[-2:])
    ),
}
FLAT_KINDS = {
    "random values": lambda e: random_values(e.flat, 0, 65535),
    "random ramps": lambda e: clipped(
        11000 + np.cumsum(np.random.default_rng(7).uniform(0, 3300, e.flat.shape), axis=1)
    ),
    "uniform ramps without pattern": lambda e: with_light(np.full_like(e.flat, 11000), 1600),
    **{kind: lambda e, change=change: change(e.flat) for kind, change in MOVED.items()},
    "flat of another detector": lambda e: e.other_flat,
    "dark under a flat's header": lambda e: e.dark,
    "dark with little light": lambda e: with_light(e.dark, 3),
    "half lit": lambda e: part(e.flat, clipped(e.flat[:, :1] + 0.0 * e.flat), columns=slice(0, e.flat.shape[-1] // 2)),
    "quarter unlit": lambda e: part(
        e.flat, clipped(e.flat[:, :1] + 0.0 * e.flat), columns=slice(0, e.flat.shape[-1] // 4)
    ),
    "half at a third of the light": lambda e: clipped(
        e.flat[:, :1] + step(e.flat) * np.where(ramp_x(e.flat) > 0.5, 1, 0.33)
    ),
    "gradient from 0 to 1": lambda e: clipped(e.flat[:, :1] + step(e.flat) * ramp_x(e.flat)),
    "pinched illumination": lambda e: clipped(e.flat[:, :1] + step(e.flat) * pinch(e.flat)),
    "random pixels unlit": lambda e: clipped(
        e.flat[:, :1] + step(e.flat) * (np.random.default_rng(9).random(e.flat.shape[-2:]) > 0.5)
    ),
    "saturated": lambda e: np.full_like(e.flat, 65535),
    "half saturated": lambda e: part(e.flat, np.full_like(e.flat, 65535), rows=slice(4, e.flat.shape[-2] // 2)),
    "tenth saturated": lambda e: part(e.flat, np.full_like(e.flat, 65535), rows=slice(4, 4 + e.flat.shape[-2] // 10)),
    "constant": lambda e: np.full_like(e.flat, 11000),
    "all zero": lambda e: np.zeros_like(e.flat),
    "an amplifier dead": lambda e: part(e.flat, np.full_like(e.flat, 11000), rows=slice(4, e.flat.shape[-2] // 4)),
    "noise x 100": lambda e: noisier(e.flat, 100),
    "gain scrambled by 10%": lambda e: clipped(
        e.flat[:, :1] + step(e.flat) * (1 + 0.1 * np.random.default_rng(2).standard_normal(e.flat.shape[-2:]))
    ),
    "rows scrambled": lambda e: shuffled(e.flat, 2),
    "columns scrambled": lambda e: shuffled(e.flat, 3),
    "pixels scrambled": lambda e: scrambled_pixels(e.flat),
    "stars": lambda e: bright_spots(with_light(e.dark, 20), 15, 1500),
    "stars on a flat": lambda e: bright_spots(e.flat, 15, 1500),
    "fringes of 10%": lambda e: clipped(e.flat[:, :1] + step(e.flat) * (1 + 0.1 * np.sin(ramp_x(e.flat) * 120))),
    "negative of the counts": lambda e: clipped(60000.0 - e.flat),
    "ramps reversed in time": lambda e: e.flat[:, ::-1],
    "groups scrambled": lambda e: shuffled(e.flat, 1),
    "bytes swapped": lambda e: e.flat.byteswap(),
    "lowest 12 bits lost": lambda e: e.flat & np.uint16(0xF000),
}
