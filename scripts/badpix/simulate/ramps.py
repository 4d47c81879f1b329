"""Make the raw counts of an exposure, dark or lamp flat, group by group to limit the memory.

Simulated are bias and its reset (kTC) noise, a common and an odd/even drift, 1/f and white read noise, dark current,
lamp signal with shot noise, a mild non-linearity, full well, cosmic rays, the planted pixels, and the effects set in
the Physics of the population, such as capacitive coupling between pixels. Glow, persistence and further effects
are off by default (`badpix.simulate.effects`).
"""

from dataclasses import dataclass

import numpy as np

from badpix.instrument.irs2 import RAW_ROWS, science_rows
from badpix.simulate.cosmic_rays import add_cosmic_rays, add_snowballs
from badpix.simulate.coupling import Coupling, couple
from badpix.simulate.detector import DetectorModel
from badpix.simulate.effects import effect_stream
from badpix.simulate.exposure import Exposure
from badpix.simulate.headers import Geometry, output_of_lines
from badpix.simulate.levels import added_bias, added_rate
from badpix.simulate.miri import group_offsets
from badpix.simulate.slow_telegraph import BEHAVIOUR, slow_telegraph_levels

FLAT_SIGNAL_DN = 25000.0  # mean lamp signal at the end of a ramp: about half of the full well
RESET_NOISE_DN = 12.0  # kTC noise, per pixel and integration
PEDESTAL_DRIFT_DN = 8.0  # common to all pixels, per integration
ODD_EVEN_DRIFT_DN = 2.0
GROUP_DRIFT_DN = 0.5  # standard deviation of the steps of the common random walk, per group
PINK_NOISE_DN = 2.5  # 1/f noise of one readout line
FULL_WELL_ABOVE_SATURATION_DN = 1500.0
ADC_MAXIMUM_DN = 65535
REFERENCE_READ_DN = 11000.0  # level of the interleaved reference reads of IRS2
REFERENCE_READ_NOISE_DN = 6.5

GAUSSIAN_ABOVE_E = 50.0  # median signal per group above which the shot noise is Gaussian instead of Poisson

DIRECT_NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1))  # (y, x)

_STREAMS = {"dark": 1, "flat": 2}


@dataclass(frozen=True)
class ExposureMaps:
    """The pixels in an exposure: float32 images (y, x), and the planted pixels whose signal varies with time."""

    electrons_per_frame: np.ndarray
    bias_dn: np.ndarray
    noise_dn: np.ndarray
    full_well_dn: np.ndarray  # raw counts
    well_e: np.ndarray  # full well in electrons
    rc: np.ndarray  # PIXEL_DTYPE; strength negative for inverse_rc, time constant in frames
    telegraph: np.ndarray  # PIXEL_DTYPE
    slow_telegraph: np.ndarray  # PIXEL_DTYPE
    slow_levels_dn: np.ndarray  # of slow_telegraph: (integration, group, pixel)
    ray_rng: np.random.Generator  # for the effect more_cosmic_rays
    exposure: Exposure  # with `seed` for the random numbers of effects: effect_stream(name, seed, exposure)
    seed: int  # of the detector


def simulate_exposure(
    detector: DetectorModel, exposure: Exposure, seed: int, zero_frames_dn: np.ndarray | None = None
) -> np.ndarray:
    """Raw counts of the exposure: uint16 DN (integration, group, y, x).

    The random numbers depend on `seed`, kind and index only, so an exposure does not depend on the number of exposures.
    `zero_frames_dn`, uint16 (integration, y, x), is filled with the first frame of each integration.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, _STREAMS[exposure.kind], exposure.index]))
    maps = exposure_maps(detector, exposure, seed)
    geometry = detector.geometry
    counts = np.empty((exposure.n_integrations, exposure.n_groups, *raw_shape(geometry)), np.uint16)
    for integration in range(exposure.n_integrations):
        if geometry.interleaved:
            science = np.empty((exposure.n_groups, *geometry.shape), np.uint16)
            _, drift_dn, lines_dn = simulate_integration(detector, maps, rng, science, integration)
            counts[integration] = with_reference_reads(geometry, science, drift_dn, lines_dn, rng)
        else:
            first, *_ = simulate_integration(detector, maps, rng, counts[integration], integration)
            if zero_frames_dn is not None:
                zero_frames_dn[integration] = first
    return counts


def flat_level(detector: DetectorModel, index: int, seed: int) -> float:
    """Factor on the lamp signal of flat `index`, from a separate stream of random numbers."""
    levels = detector.population.physics.flat_levels
    if levels is None:
        return 1.0
    (stream,) = np.random.SeedSequence([seed, _STREAMS["flat"], index]).spawn(1)
    return float(levels.draw(np.random.default_rng(stream), 1)[0])


def exposure_maps(detector: DetectorModel, exposure: Exposure, seed: int) -> ExposureMaps:
    """The maps of the healthy detector with the planted behaviours of the exposure."""
    index = exposure.index
    response = apply_response(detector, index)
    frame_time_s = detector.geometry.frame_time_s
    signal_dn = detector.dark_rate_dn_per_s * frame_time_s
    if exposure.kind == "dark" and detector.effects.stray_light:
        gradient = np.linspace(0, detector.effects.stray_light, detector.geometry.n_columns, dtype=np.float32)
        signal_dn = signal_dn + gradient * frame_time_s * ~detector.reference
    if exposure.kind == "flat":
        n_frames = detector.geometry.n_frames(exposure.n_groups)
        if exposure.sky is None:
            diffuse_dn, stars_dn = FLAT_SIGNAL_DN * flat_level(detector, index, seed), np.zeros(1, np.float32)
        else:
            # The diffuse light has the gradient of the lamp.
            diffuse_dn = exposure.sky.signal_dn
            stars_dn = exposure.sky.stars(detector.geometry.shape, index, seed)
        signal_dn = signal_dn + diffuse_dn / n_frames * detector.illumination * response
        signal_dn = signal_dn + stars_dn / n_frames * response
    if (rate := added_rate(detector.geometry, detector.effects, exposure, seed)) is not None:
        signal_dn = signal_dn + rate * frame_time_s * ~detector.reference
    hot = detector.select("hot", index)
    signal_dn[hot["y"], hot["x"]] += detector.dn_per_frame(hot)
    bias_dn = detector.bias_dn.copy()
    if (offset_dn := added_bias(detector.geometry, detector.effects, exposure, seed)) is not None:
        bias_dn += offset_dn * ~detector.reference
    low = detector.select("low_pedestal", index)
    bias_dn[low["y"], low["x"]] -= low["strength"]
    full_well_dn = detector.saturation_dn + FULL_WELL_ABOVE_SATURATION_DN
    inverse_rc = detector.select("inverse_rc", index)
    inverse_rc["strength"] *= -1
    rc = np.concatenate([detector.select("rc", index), inverse_rc])
    if detector.population.time_constants_in_groups:
        rc["second"] *= sum(detector.geometry.frames)
    slow = detector.select(BEHAVIOUR, index)
    return ExposureMaps(
        electrons_per_frame=signal_dn * detector.gain_e_per_dn,
        bias_dn=bias_dn,
        noise_dn=noise_map(detector),
        full_well_dn=full_well_dn,
        well_e=well_electrons(detector, full_well_dn),
        rc=rc,
        telegraph=detector.select("telegraph", index),
        slow_telegraph=slow,
        slow_levels_dn=slow_telegraph_levels(slow, exposure, seed),
        ray_rng=effect_stream("more_cosmic_rays", seed, exposure),
        exposure=exposure,
        seed=seed,
    )


def well_electrons(detector: DetectorModel, full_well_dn: np.ndarray) -> np.ndarray:
    """Full well in electrons, float32 (y, x): with coupling, a single full pixel gives `full_well_dn`."""
    measured_dn = full_well_dn - detector.bias_dn
    true_dn = measured_dn + detector.nonlinearity_per_dn * measured_dn**2
    return true_dn * detector.gain_e_per_dn / Coupling.of(detector).centre


def apply_response(detector: DetectorModel, index: int | None = None) -> np.ndarray:
    """Response to light, float32 (y, x), with the dead, low-QE and open pixels of exposure `index`."""
    response = detector.response.copy()
    for behaviour in ("dead", "low_qe", "open"):
        pixels = detector.select(behaviour, index)
        response[pixels["y"], pixels["x"]] = pixels["strength"]
    opened = detector.select("open", index)
    n_y, n_x = response.shape
    for dy, dx in DIRECT_NEIGHBOURS:
        # The charge of an open pixel goes to its direct neighbours.
        y, x = opened["y"] + dy, opened["x"] + dx
        inside = (y >= 0) & (y < n_y) & (x >= 0) & (x < n_x)
        response[y[inside], x[inside]] *= opened["second"][inside]
    return response


def noise_map(detector: DetectorModel) -> np.ndarray:
    """White noise of one read in DN, float32 (y, x), with noisy pixels."""
    noise = detector.read_noise_dn.copy()
    noisy = detector.select("noisy")
    noise[noisy["y"], noisy["x"]] *= noisy["strength"]
    return noise


def simulate_integration(
    detector: DetectorModel, maps: ExposureMaps, rng: np.random.Generator, counts_dn: np.ndarray, integration: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fill `counts_dn` with an integration: each group is the mean of its frames.

    Parameters
    ----------
    detector : DetectorModel
        The detector.
    maps : ExposureMaps
        The maps of the exposure.
    rng : np.random.Generator
        Source of the random numbers.
    counts_dn : np.ndarray
        Filled in place: raw counts, uint16 (group, y, x).
    integration : int
        Number of the integration, from 0.

    Returns
    -------
    tuple of np.ndarray
        The first frame, uint16 DN (y, x), and the signals common to science and reference pixels: the drift, float64 DN
        (group), and the 1/f noise of `pink_lines` (output, group, line), both means over the frames of a group.
    """
    n_groups, *shape = counts_dn.shape
    averaged, dropped = detector.geometry.frames
    n_frames = detector.geometry.n_frames(n_groups)
    in_group = np.arange(n_groups)[:, None] * (averaged + dropped) + np.arange(averaged)  # frames (group, frame)
    science, physics, coupling = ~detector.reference, detector.population.physics, Coupling.of(detector)
    offset_dn = maps.bias_dn + RESET_NOISE_DN * rng.standard_normal(shape, np.float32) * science
    pedestal_dn = PEDESTAL_DRIFT_DN * rng.standard_normal()
    offset_dn += pedestal_dn
    offset_dn[:, 1::2] += ODD_EVEN_DRIFT_DN * rng.standard_normal()
    lines_dn = pink_lines(detector.geometry, n_frames, rng)
    levels_dn = telegraph_levels(maps.telegraph, n_groups, rng)
    drift_dn = np.cumsum(GROUP_DRIFT_DN * rng.standard_normal(n_frames))
    if detector.geometry.instrument == "MIRI":
        drift_dn += group_offsets(integration, n_frames)
    gaussian = np.median(maps.electrons_per_frame[science]) > GAUSSIAN_ABOVE_E
    sigma_e = np.sqrt(maps.electrons_per_frame)
    total_e, sum_dn = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    first_dn = np.zeros(shape, np.uint16)
    for frame in range(n_frames):
        group, in_sequence = divmod(frame, averaged + dropped)
        if gaussian:
            total_e += maps.electrons_per_frame + sigma_e * rng.standard_normal(shape, np.float32)
        else:
            total_e += rng.poisson(maps.electrons_per_frame)
        add_cosmic_rays(total_e, science, rng)
        if detector.effects.more_cosmic_rays:
            add_cosmic_rays(total_e, science, maps.ray_rng, detector.effects.more_cosmic_rays)
        if physics.snowballs_per_pixel_group:
            add_snowballs(total_e, science, maps.well_e, physics.snowballs_per_pixel_group, rng)
        if physics.well_saturates or coupling.of_all_charge:
            np.minimum(total_e, maps.well_e, out=total_e)
        if in_sequence >= averaged:
            continue  # dropped
        signal_dn = total_e / detector.gain_e_per_dn
        rc_dn = rc_signal(maps.rc["strength"], maps.rc["second"], frame)
        if coupling.of_all_charge:
            signal_dn[maps.rc["y"], maps.rc["x"]] += rc_dn
        if coupling.direct:
            signal_dn = couple(signal_dn, coupling.direct, coupling.diagonal)
        if not coupling.of_all_charge:
            signal_dn[maps.rc["y"], maps.rc["x"]] += rc_dn
        signal_dn = compress(signal_dn, detector.nonlinearity_per_dn)
        signal_dn[maps.telegraph["y"], maps.telegraph["x"]] += levels_dn[group]
        signal_dn[maps.slow_telegraph["y"], maps.slow_telegraph["x"]] += maps.slow_levels_dn[integration, group]
        raw_dn = np.minimum(signal_dn + offset_dn, maps.full_well_dn)
        raw_dn += drift_dn[frame] + line_image(detector.geometry, lines_dn[:, frame])
        raw_dn += maps.noise_dn * rng.standard_normal(shape, np.float32)
        read_dn = np.clip(np.rint(raw_dn), 0, ADC_MAXIMUM_DN)
        if frame == 0:
            first_dn[:] = read_dn
        if averaged == 1:
            counts_dn[group] = read_dn
            continue
        sum_dn = read_dn if in_sequence == 0 else sum_dn + read_dn
        if in_sequence == averaged - 1:
            counts_dn[group] = np.rint(sum_dn / averaged)
    return first_dn, pedestal_dn + drift_dn[in_group].mean(axis=1), lines_dn[:, in_group].mean(axis=2)


def compress(true_dn: np.ndarray, per_dn: np.ndarray | float) -> np.ndarray:
    """Measured signal of a true signal, DN: the inverse of true = measured + `per_dn` x measured^2."""
    positive = np.maximum(true_dn, 0)
    return np.where(
        true_dn > 0, (np.sqrt(1 + 4 * per_dn * positive) - 1) / (2 * per_dn), true_dn
    ).astype(np.float32)  # fmt: skip


def pink_lines(geometry: Geometry, n_frames: int, rng: np.random.Generator) -> np.ndarray:
    """1/f noise of every readout line in DN: float32 (output, frame, line), continuous through an integration."""
    length = n_frames * geometry.n_slow
    frequency = np.fft.rfftfreq(length)
    amplitude = np.zeros(len(frequency))
    amplitude[1:] = 1 / np.sqrt(frequency[1:])
    phases = rng.standard_normal((geometry.n_amplifiers, len(frequency), 2)) @ np.array([1, 1j])
    noise = np.fft.irfft(phases * amplitude, n=length, axis=-1)
    noise *= PINK_NOISE_DN / noise.std(axis=-1, keepdims=True)
    return noise.astype(np.float32).reshape(geometry.n_amplifiers, n_frames, geometry.n_slow)


def line_image(geometry: Geometry, lines: np.ndarray) -> np.ndarray:
    """Image (y, x) of `lines` (output, line): lines are along the fast axis, and follow each other on the slow axis."""
    if geometry.slowaxis < 0:
        lines = lines[:, ::-1]
    image = lines[output_of_lines(geometry)]  # (fast, slow)
    return image.T if geometry.fast_along_x else image


def raw_shape(geometry: Geometry) -> tuple[int, int]:
    """(rows, columns) of a raw image, with the interleaved reads of IRS2."""
    return (RAW_ROWS, geometry.n_columns) if geometry.interleaved else geometry.shape


def with_reference_reads(
    geometry: Geometry, science: np.ndarray, drift_dn: np.ndarray, lines_dn: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Interleave `science` with the IRS2 reads of reference pixels: uint16 (group, raw row, x).

    Reference reads have the drift and the 1/f noise of their amplifier; the reference output has the drift only.

    Parameters
    ----------
    geometry : Geometry
        The array.
    science : np.ndarray
        Raw counts, uint16 (group, y, x).
    drift_dn, lines_dn : np.ndarray
        Results of `simulate_integration`.
    rng : np.random.Generator
        Source of the random numbers.
    """
    rows = science_rows(geometry.detector)
    per_output = RAW_ROWS // geometry.noutputs
    output = np.arange(RAW_ROWS) // per_output - (0 if geometry.detector == "NRS2" else 1)
    own = ~rows & (output >= 0) & (output < geometry.n_amplifiers)
    level_dn = REFERENCE_READ_DN + 5 * rng.standard_normal((RAW_ROWS, 1), np.float32)
    lines_dn = lines_dn[..., ::-1] if geometry.slowaxis < 0 else lines_dn
    raw = np.empty((len(science), RAW_ROWS, geometry.n_columns), np.uint16)
    for group, pixels in enumerate(science):
        reads_dn = level_dn + np.float32(drift_dn[group])
        reads_dn = reads_dn + REFERENCE_READ_NOISE_DN * rng.standard_normal(raw.shape[1:], np.float32)
        reads_dn[own] += lines_dn[output[own], group]
        raw[group] = np.rint(reads_dn)
        raw[group, rows] = pixels
    return raw


def rc_signal(strength_dn: np.ndarray, time_constant: np.ndarray, group: int) -> np.ndarray:
    """Additional signal of rc pixels in frame `group` (from 0), DN (pixel).

    `strength_dn` (pixel) is negative for inverse_rc, `time_constant` (pixel) is in frames.
    """
    return strength_dn * (1 - np.exp(-(group + 1) / time_constant))


def telegraph_levels(pixels: np.ndarray, n_groups: int, rng: np.random.Generator) -> np.ndarray:
    """Two-level random telegraph noise in DN: float32 (group, pixel), half the strength above and below the bias.

    `second` is the chance to switch per group. A superbias, the mean of many reads, lies between the two levels.
    """
    switches = rng.random((n_groups, len(pixels))) < pixels["second"]
    state = (np.cumsum(switches, axis=0) + rng.integers(0, 2, len(pixels))) % 2
    return ((state - 0.5) * pixels["strength"]).astype(np.float32)
