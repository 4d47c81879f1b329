"""The truth of a simulation: the planted pixels, as a FITS file and as a table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits

from badpix.formats.truth_file import write_truth_file
from badpix.simulate.coupling import Coupling, couple
from badpix.simulate.detector import DetectorModel
from badpix.simulate.effects import parse_effects
from badpix.simulate.headers import output_of_lines
from badpix.simulate.populations import PlantedType
from badpix.simulate.static_maps import output_map

REFERENCE_CODE = -1  # reference pixels are neither planted nor healthy
HEALTHY_CODE = 0
RECEIVED_PART = 1e-3  # smallest signal of a halo in units of the limit below: above the rounding of the subtraction
COUPLED_DN_PER_FRAME = 0.05  # a neighbour of a hot pixel with more coupled signal than this is not simply healthy


def truth_image(detector: DetectorModel) -> np.ndarray:
    """Int16 (y, x): the type code of a planted pixel, 0 for a healthy pixel, -1 for a reference pixel."""
    image = np.where(detector.reference, REFERENCE_CODE, HEALTHY_CODE).astype(np.int16)
    image[detector.pixels["y"], detector.pixels["x"]] = detector.pixels["code"]
    return image


def adjacent_to_open(detector: DetectorModel) -> np.ndarray:
    """Uint8 (y, x): 1 at the healthy pixels among the eight neighbours of open pixels."""
    return healthy_neighbours(detector, detector.planted_as("open"))


def do_not_care(detector: DetectorModel, n_groups: int) -> np.ndarray:
    """Uint8 (y, x): 1 at pixels that are neither planted nor simply healthy.

    They receive coupled signal of an intermittent neighbour, or their own noise or dark current is as high as in the
    weakest planted pixels. Pixels in the halo of a permanent pixel are left out.
    """
    sources = coupled_sources(detector, n_groups)
    reached = healthy_neighbours(detector, sources[sources["phase"] >= 0]).astype(bool)
    reached &= halos(detector, n_groups) == 0
    by_nature = outliers_by_nature(detector) & (truth_image(detector) == HEALTHY_CODE)
    return (reached | by_nature).astype(np.uint8)


def coupled_sources(detector: DetectorModel, n_groups: int) -> np.ndarray:
    """The planted pixels (PIXEL_DTYPE) whose coupled signal in a direct neighbour exceeds COUPLED_DN_PER_FRAME.

    Strength is the signal at the end of a ramp of `n_groups`, DN: at most the full well.
    """
    coupling, types = Coupling.of(detector), detector.population.types
    behaviour = np.array(["", *(planted.behaviour for planted in types)])[detector.pixels["code"]]
    sources = detector.pixels.copy()
    n_frames = detector.geometry.n_frames(n_groups)
    full_well_dn = (detector.saturation_dn - detector.bias_dn)[sources["y"], sources["x"]]
    in_frame = np.where(behaviour == "hot", detector.dn_per_frame(sources), sources["strength"])
    in_ramp = in_frame * np.where(behaviour == "hot", n_frames, 1)
    charge = np.isin(behaviour, ("rc", "inverse_rc"))
    in_frame[charge] *= 1 - np.exp(-1 / sources["second"][charge])
    in_ramp[charge] *= 1 - np.exp(-n_frames / sources["second"][charge])
    sources["strength"] = np.minimum(in_ramp, full_well_dn)
    coupled = (behaviour == "hot") | (charge & coupling.of_all_charge)
    return sources[coupled & (in_frame * coupling.direct > COUPLED_DN_PER_FRAME)]


def halos(detector: DetectorModel, n_groups: int) -> np.ndarray:
    """Float32 (y, x), DN: coupled signal of permanent planted pixels in their neighbours, elsewhere 0.

    It is the signal at the end of a ramp of `n_groups`. Planted pixels have the signal of their neighbours too. Pixels
    that are outliers by nature are left out.
    """
    coupling, sources = Coupling.of(detector), coupled_sources(detector, n_groups)
    sources = sources[sources["phase"] < 0]
    signal = np.zeros(detector.reference.shape, np.float32)
    signal[sources["y"], sources["x"]] = sources["strength"]
    received = couple(signal, coupling.direct, coupling.diagonal) - np.float32(coupling.centre) * signal
    reached = within_a_pixel(sources["y"], sources["x"], detector.reference.shape) & ~detector.reference
    reached &= ~outliers_by_nature(detector) | (truth_image(detector) != HEALTHY_CODE)
    return np.where(reached & (received > RECEIVED_PART * COUPLED_DN_PER_FRAME), received, np.float32(0))


def outliers_by_nature(detector: DetectorModel) -> np.ndarray:
    """Bool (y, x): read noise or dark current, without planted behaviour, within the range of the planted strengths.

    Noise is relative to the median of its amplifier, dark current in the unit of hot pixels.
    """
    weakest = {planted.behaviour: planted for planted in detector.population.types if planted.permanent}
    weakest_hot = weakest["hot"]
    geometry = detector.geometry
    lines = detector.read_noise_dn if geometry.fast_along_x else detector.read_noise_dn.T
    output = output_of_lines(geometry)
    typical = np.array([np.median(lines[:, output == number]) for number in range(geometry.n_amplifiers)])
    noise = detector.read_noise_dn / output_map(geometry, typical)
    dark = detector.dark_rate_dn_per_s
    dark = dark if weakest_hot.unit == "DN/s" else dark * geometry.frame_time_s
    return (noise >= weakest["noisy"].strength.low) | (dark >= weakest_hot.strength.low)


def unlit(detector: DetectorModel) -> np.ndarray:
    """Uint8 (y, x): 1 at pixels with less than half of the lamp's light."""
    return (detector.lit_share < 0.5).astype(np.uint8)


def healthy_neighbours(detector: DetectorModel, pixels: np.ndarray) -> np.ndarray:
    """Uint8 (y, x): 1 at the healthy science pixels among the eight neighbours of `pixels`."""
    near = within_a_pixel(pixels["y"], pixels["x"], detector.reference.shape)
    return (near & (truth_image(detector) == HEALTHY_CODE)).astype(np.uint8)


def within_a_pixel(y: np.ndarray, x: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Bool (y, x) of `shape`: True at the pixels (`y`, `x`) and their eight neighbours."""
    near = np.zeros(np.add(shape, 2), bool)  # an additional pixel on each side
    for dy in (0, 1, 2):
        for dx in (0, 1, 2):
            near[y + dy, x + dx] = True
    return near[1:-1, 1:-1]


def type_table(types: Sequence[PlantedType]) -> pd.DataFrame:
    """A row per planted type: CODE, NAME, EXPECTED (detection type that should find it, or empty), STRONGER, UNIT.

    STRONGER is +1 if larger strengths are easier to find, -1 if smaller strengths are. UNIT is the unit of strength.
    """
    rows = [
        (code, planted.name, planted.expected, planted.stronger, planted.unit)
        for code, planted in enumerate(types, start=1)
    ]
    return pd.DataFrame(rows, columns=["CODE", "NAME", "EXPECTED", "STRONGER", "UNIT"])


def pixel_table(detector: DetectorModel) -> pd.DataFrame:
    """A row per planted pixel, sorted by y and x (0-based).

    `second` is the second parameter: for open pixels the factor on the response of the neighbours, for rc and
    inverse_rc the time constant in frames (realistic: in groups), for telegraph the chance to switch per group.
    Exposures are numbered from 1.
    An intermittent pixel of the survey is bad in exposures with (number - 1 + phase) % 8 < `bad_of_8`, a minority pixel
    of the demo in exposures with (number - 1) % 5 equal to the phase (its `bad_of_8` is -1). Permanent pixels have
    phase -1 and bad_of_8 8. `group` is the kind of its cluster, or empty.
    """
    pixels = np.sort(detector.pixels, order=["y", "x"])
    planted = [detector.population.types[code - 1] for code in pixels["code"]]
    bad_of_8 = pixels["bad_exposures"] if detector.population.period == 8 else np.full(len(pixels), -1, np.int16)
    return pd.DataFrame(
        {
            "x": pixels["x"],
            "y": pixels["y"],
            "type": [planted_type.name for planted_type in planted],
            "strength": pixels["strength"].round(4),
            "strength_unit": [planted_type.unit for planted_type in planted],
            "second": pixels["second"].round(4),
            "phase": pixels["phase"],
            "bad_of_8": np.where(pixels["phase"] < 0, 8, bad_of_8).astype(np.int16),
            "group": pixels["group"].astype(object),
        }
    )


def write_truth(fits_path: str | Path, detector: DetectorModel, seed: int, n_groups: int) -> None:
    """Write the images TRUTH, ADJ_OPEN, DONTCARE, HALO, UNLIT and the tables TYPES, PIXELS (also written as CSV).

    HALO is that of exposures of `n_groups`.
    """
    geometry, population = detector.geometry, detector.population
    cards = [
        ("INSTRUME", geometry.instrument, "instrument"),
        ("DETECTOR", geometry.detector, "detector"),
        ("SUBARRAY", geometry.subarray, "subarray"),
        ("READPATT", geometry.readpatt, "read pattern"),
        ("SUBSTRT1", geometry.xstart, "first pixel in x, 1-based"),
        ("SUBSTRT2", geometry.ystart, "first pixel in y, 1-based"),
        ("SEED", seed, "seed of the simulated detector"),
        ("POPULATN", population.name, "population of bad pixels"),
        ("MINORITY", population.period, "period of intermittent pixels in exposures"),
    ]
    if detector.effects.text:
        cards.append(("EFFECTS", detector.effects.text, "effects"))
    images = {
        "TRUTH": truth_image(detector),
        "ADJ_OPEN": adjacent_to_open(detector),
        "DONTCARE": do_not_care(detector, n_groups),
        "HALO": halos(detector, n_groups),
        "UNLIT": unlit(detector),
    }
    write_truth_file(fits_path, cards, images, type_table(population.types), pixel_table(detector))


def check_same_detector(fits_path: str | Path, detector: DetectorModel, seed: int) -> None:
    """Raise ValueError if the truth file `fits_path` belongs to another detector or simulator version."""
    geometry = detector.geometry
    expected = {"DETECTOR": geometry.detector, "SUBARRAY": geometry.subarray, "SEED": seed}
    expected["READPATT"] = geometry.readpatt
    expected["POPULATN"] = detector.population.name
    effects = detector.effects.of_detector
    with fits.open(fits_path) as hdus:
        found = {key: hdus[0].header.get(key) for key in expected}
        found_effects = parse_effects(hdus[0].header.get("EFFECTS", "").split()).of_detector
        same_pixels = np.array_equal(hdus["TRUTH"].data, truth_image(detector))
    if found != expected:
        raise ValueError(f"{fits_path} has another detector: {found}, not {expected}; choose another folder")
    if found_effects != effects:
        raise ValueError(
            f"{fits_path} has other effects: {found_effects.text!r}, not {effects.text!r}; choose another folder"
        )
    if not same_pixels:
        raise ValueError(f"{fits_path} was made by another version of the simulator; choose another folder")
