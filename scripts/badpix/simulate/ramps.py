"""Make the raw counts of one exposure: darks and lamp flats, group by group, with bounded memory.

What is simulated: bias and its reset (kTC) noise, a common and an odd/even drift, 1/f and white read noise, dark
current, lamp signal with shot noise, a mild non-linearity, full well, cosmic rays, and the planted pixels. Not
simulated: capacitive coupling between pixels, persistence, and glow: a planted pixel must not change its neighbours.
"""

from dataclasses import dataclass

import numpy as np

from badpix.simulate.detector import DetectorModel

FLAT_SIGNAL_DN = 25000.0  # mean lamp signal at the end of a ramp: about half of the full well
NONLINEARITY_PER_DN = 6.0e-7  # true = measured + this x measured^2: 1.5% at the end of a flat ramp
RESET_NOISE_DN = 12.0  # kTC: per pixel and integration
PEDESTAL_DRIFT_DN = 8.0  # common to all pixels, per integration
ODD_EVEN_DRIFT_DN = 2.0
GROUP_DRIFT_DN = 0.5  # step of the common random walk from group to group
PINK_NOISE_DN = 2.5  # 1/f noise of one readout line
FULL_WELL_ABOVE_SATURATION_DN = 1500.0
ADC_MAXIMUM_DN = 65535

# Hits per pixel and group: 5 protons per cm2 and second on 18 micron pixels in a full-frame group of 10.7 s. It is
# kept for small arrays too, whose groups are shorter: the share of hit pixels is then that of a real dark.
HITS_PER_PIXEL_GROUP = 1.7e-4
HIT_MEDIAN_E = 900.0
HIT_LOG_SIGMA = 1.1
NEIGHBOUR_CHANCE = 0.5  # a hit reaches a neighbouring pixel, and with the same chance a third one

GAUSSIAN_ABOVE_E = 50.0  # shot noise of a whole image is drawn as a Gaussian from this median signal per group on

_STREAMS = {"dark": 1, "flat": 2}


@dataclass(frozen=True)
class ExposureMaps:
    """What the pixels do in one exposure: float32 images (y, x), and the planted pixels with memory."""

    electrons_per_group: np.ndarray
    bias_dn: np.ndarray
    noise_dn: np.ndarray
    full_well_dn: np.ndarray  # raw counts
    rc: np.ndarray  # PIXEL_DTYPE
    telegraph: np.ndarray  # PIXEL_DTYPE


def simulate_exposure(
    detector: DetectorModel, kind: str, index: int, n_integrations: int, n_groups: int, seed: int
) -> np.ndarray:
    """Raw counts of exposure `index` (from 1) of `kind` "dark" or "flat": uint16 DN (integration, group, y, x).

    The random numbers belong to (seed, kind, index): an exposure is the same however many others are made.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, _STREAMS[kind], index]))
    maps = exposure_maps(detector, kind, index, n_groups)
    shape = detector.bias_dn.shape
    counts = np.empty((n_integrations, n_groups, *shape), np.uint16)
    for integration in range(n_integrations):
        simulate_integration(detector, maps, rng, counts[integration])
    return counts


def exposure_maps(detector: DetectorModel, kind: str, index: int, n_groups: int) -> ExposureMaps:
    """Apply the planted behaviours that hold in exposure `index` to the healthy maps."""
    response = apply_response(detector, index)
    frame_time_s = detector.geometry.frame_time_s
    signal_dn = detector.dark_rate_dn_per_s * frame_time_s
    if kind == "flat":
        signal_dn = signal_dn + FLAT_SIGNAL_DN / n_groups * detector.illumination * response
    for behaviour in ("hot", "hot_saturated"):
        hot = detector.select(behaviour, index)
        signal_dn[hot["y"], hot["x"]] += hot["strength"]
    bias_dn = detector.bias_dn.copy()
    low = detector.select("low_pedestal", index)
    bias_dn[low["y"], low["x"]] -= low["strength"]
    return ExposureMaps(
        electrons_per_group=signal_dn * detector.gain_e_per_dn,
        bias_dn=bias_dn,
        noise_dn=noise_map(detector),
        full_well_dn=detector.saturation_dn + FULL_WELL_ABOVE_SATURATION_DN,
        rc=detector.select("rc", index),
        telegraph=detector.select("telegraph", index),
    )


def apply_response(detector: DetectorModel, index: int | None = None) -> np.ndarray:
    """Response to light, float32 (y, x), with the dead, low-QE and open pixels of exposure `index` put in."""
    response = detector.response.copy()
    for behaviour in ("dead", "low_qe", "open"):
        pixels = detector.select(behaviour, index)
        response[pixels["y"], pixels["x"]] = pixels["strength"]
    opened = detector.select("open", index)
    for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        # the charge of an open pixel goes to its direct neighbours
        response[opened["y"] + dy, opened["x"] + dx] *= opened["second"]
    return response


def noise_map(detector: DetectorModel) -> np.ndarray:
    """White noise of one read in DN, float32 (y, x), noisy pixels included."""
    noise = detector.read_noise_dn.copy()
    noisy = detector.select("noisy")
    noise[noisy["y"], noisy["x"]] *= noisy["strength"]
    return noise


def simulate_integration(
    detector: DetectorModel, maps: ExposureMaps, rng: np.random.Generator, counts_dn: np.ndarray
) -> None:
    """Fill `counts_dn`, uint16 (group, y, x), with one integration."""
    n_groups, *shape = counts_dn.shape
    science = ~detector.reference
    offset_dn = maps.bias_dn + RESET_NOISE_DN * rng.standard_normal(shape, np.float32) * science
    offset_dn += PEDESTAL_DRIFT_DN * rng.standard_normal()
    offset_dn[:, 1::2] += ODD_EVEN_DRIFT_DN * rng.standard_normal()
    lines_dn = pink_lines(detector.geometry, n_groups, rng)
    levels_dn = telegraph_levels(maps.telegraph, n_groups, rng)
    drift_dn = np.cumsum(GROUP_DRIFT_DN * rng.standard_normal(n_groups))
    gaussian = np.median(maps.electrons_per_group[science]) > GAUSSIAN_ABOVE_E
    sigma_e = np.sqrt(maps.electrons_per_group)
    total_e = np.zeros(shape, np.float32)
    for group in range(n_groups):
        if gaussian:
            total_e += maps.electrons_per_group + sigma_e * rng.standard_normal(shape, np.float32)
        else:
            total_e += rng.poisson(maps.electrons_per_group)
        add_cosmic_rays(total_e, science, rng)
        signal_dn = total_e / detector.gain_e_per_dn
        decay = 1 - np.exp(-(group + 1) / maps.rc["second"])
        signal_dn[maps.rc["y"], maps.rc["x"]] += maps.rc["strength"] * decay
        signal_dn = compress(signal_dn)
        signal_dn[maps.telegraph["y"], maps.telegraph["x"]] += levels_dn[group]
        raw_dn = np.minimum(signal_dn + offset_dn, maps.full_well_dn)
        raw_dn += drift_dn[group] + line_image(detector.geometry, lines_dn[:, group])
        raw_dn += maps.noise_dn * rng.standard_normal(shape, np.float32)
        counts_dn[group] = np.clip(np.rint(raw_dn), 0, ADC_MAXIMUM_DN)


def compress(true_dn: np.ndarray) -> np.ndarray:
    """Measured signal of a true one, DN: the inverse of true = measured + NONLINEARITY_PER_DN x measured^2."""
    positive = np.maximum(true_dn, 0)
    return np.where(
        true_dn > 0, (np.sqrt(1 + 4 * NONLINEARITY_PER_DN * positive) - 1) / (2 * NONLINEARITY_PER_DN), true_dn
    ).astype(np.float32)  # fmt: skip


def pink_lines(geometry, n_groups: int, rng: np.random.Generator) -> np.ndarray:
    """1/f noise of every readout line in DN: float32 (output, group, line), continuous through an integration."""
    length = n_groups * geometry.size
    frequency = np.fft.rfftfreq(length)
    amplitude = np.zeros(len(frequency))
    amplitude[1:] = 1 / np.sqrt(frequency[1:])
    phases = rng.standard_normal((geometry.noutputs, len(frequency), 2)) @ np.array([1, 1j])
    noise = np.fft.irfft(phases * amplitude, n=length, axis=-1)
    noise *= PINK_NOISE_DN / noise.std(axis=-1, keepdims=True)
    return noise.astype(np.float32).reshape(geometry.noutputs, n_groups, geometry.size)


def line_image(geometry, lines: np.ndarray) -> np.ndarray:
    """Spread (output, line) over an image (y, x). A line runs along the fast axis; lines follow the slow axis."""
    if geometry.slowaxis < 0:
        lines = lines[:, ::-1]
    image = np.repeat(lines, geometry.size // geometry.noutputs, axis=0)  # (fast, slow)
    return image.T if abs(geometry.fastaxis) == 1 else image


def telegraph_levels(pixels: np.ndarray, n_groups: int, rng: np.random.Generator) -> np.ndarray:
    """Two-level random telegraph signal in DN: float32 (group, pixel), half the strength above and below the bias.

    `second` is the chance to switch per group; a superbias, the mean of many reads, lies between the two levels.
    """
    switches = rng.random((n_groups, len(pixels))) < pixels["second"]
    state = (np.cumsum(switches, axis=0) + rng.integers(0, 2, len(pixels))) % 2
    return ((state - 0.5) * pixels["strength"]).astype(np.float32)


def add_cosmic_rays(total_e: np.ndarray, science: np.ndarray, rng: np.random.Generator) -> None:
    """Add the hits of one group to `total_e`, float32 (y, x), in place; about half of them reach a neighbour."""
    n_y, n_x = total_e.shape
    number = rng.poisson(HITS_PER_PIXEL_GROUP * total_e.size)
    y, x = rng.integers(0, n_y, number), rng.integers(0, n_x, number)
    charge_e = HIT_MEDIAN_E * np.exp(HIT_LOG_SIGMA * rng.standard_normal(number))
    for _ in range(3):
        inside = (y >= 0) & (y < n_y) & (x >= 0) & (x < n_x)
        y, x, charge_e = y[inside], x[inside], charge_e[inside]
        np.add.at(total_e, (y, x), charge_e * science[y, x])
        onward = rng.random(len(y)) < NEIGHBOUR_CHANCE
        y, x = y[onward] + rng.integers(-1, 2, onward.sum()), x[onward] + rng.integers(-1, 2, onward.sum())
        charge_e = charge_e[onward] * rng.uniform(0.05, 1.0, onward.sum())
