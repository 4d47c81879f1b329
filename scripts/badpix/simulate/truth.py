"""The answer to a simulation: which pixel was planted as what, as a FITS file and as a table."""

from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.table import Table

from badpix.files import atomic_path
from badpix.simulate.detector import MINORITY_PERIOD, PLANTED_TYPES, DetectorModel

REFERENCE_CODE = -1  # reference pixels are neither planted nor healthy
HEALTHY_CODE = 0


def truth_image(detector: DetectorModel) -> np.ndarray:
    """Int16 (y, x): the type code of a planted pixel, 0 for a healthy one, -1 for a reference pixel."""
    image = np.where(detector.reference, REFERENCE_CODE, HEALTHY_CODE).astype(np.int16)
    image[detector.pixels["y"], detector.pixels["x"]] = detector.pixels["code"]
    return image


def adjacent_to_open(detector: DetectorModel) -> np.ndarray:
    """Uint8 (y, x): 1 at the eight neighbours of every open pixel."""
    image = np.zeros(detector.reference.shape, np.uint8)
    opened = detector.planted_as("open")
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            image[opened["y"] + dy, opened["x"] + dx] = 1
    image[opened["y"], opened["x"]] = 0
    return image


def type_table() -> pd.DataFrame:
    """One row per planted type: CODE, NAME, EXPECTED (the detection type that should find it, or empty)."""
    rows = [(code, planted.name, planted.expected) for code, planted in enumerate(PLANTED_TYPES, start=1)]
    return pd.DataFrame(rows, columns=["CODE", "NAME", "EXPECTED"])


def pixel_table(detector: DetectorModel) -> pd.DataFrame:
    """One row per planted pixel, sorted by y and x (0-based).

    `second` is the second parameter of open (response of the neighbours), rc (time constant in frames) and telegraph
    (chance to switch per group) pixels; `phase` of a minority pixel: it is bad in the exposures, numbered from 1,
    where (number - 1) % 5 equals the phase.
    """
    pixels = np.sort(detector.pixels, order=["y", "x"])
    planted = [PLANTED_TYPES[code - 1] for code in pixels["code"]]
    return pd.DataFrame(
        {
            "x": pixels["x"],
            "y": pixels["y"],
            "type": [one.name for one in planted],
            "strength": pixels["strength"].round(4),
            "strength_unit": [one.unit for one in planted],
            "second": pixels["second"].round(4),
            "phase": pixels["phase"],
        }
    )


def write_truth(fits_path: str | Path, csv_path: str | Path, detector: DetectorModel, seed: int) -> None:
    """Write the images TRUTH and ADJ_OPEN and the tables TYPES and PIXELS; the latter also as CSV."""
    geometry = detector.geometry
    header = fits.Header()
    for keyword, value, comment in (
        ("INSTRUME", geometry.instrument, "instrument"),
        ("DETECTOR", geometry.detector, "detector"),
        ("SUBARRAY", geometry.subarray, "subarray"),
        ("SUBSTRT1", geometry.xstart, "first pixel in x, 1-based"),
        ("SUBSTRT2", geometry.ystart, "first pixel in y, 1-based"),
        ("SEED", seed, "of the simulated detector"),
        ("MINORITY", MINORITY_PERIOD, "minority pixels: bad in one exposure of"),
    ):
        header[keyword] = (value, comment)
    pixels = pixel_table(detector)
    hdus = [
        fits.PrimaryHDU(header=header),
        fits.ImageHDU(truth_image(detector), name="TRUTH"),
        fits.ImageHDU(adjacent_to_open(detector), name="ADJ_OPEN"),
        fits.BinTableHDU(Table.from_pandas(type_table()), name="TYPES"),
        fits.BinTableHDU(Table.from_pandas(pixels), name="PIXELS"),
    ]
    pixels.to_csv(csv_path, index=False)
    with atomic_path(fits_path) as temporary:
        fits.HDUList(hdus).writeto(temporary, overwrite=True)


def check_same_detector(fits_path: str | Path, detector: DetectorModel, seed: int) -> None:
    """Raise ValueError when the truth file at `fits_path` belongs to another detector than this one."""
    geometry = detector.geometry
    expected = {"DETECTOR": geometry.detector, "SUBARRAY": geometry.subarray, "SEED": seed}
    with fits.open(fits_path) as hdus:
        found = {key: hdus[0].header.get(key) for key in expected}
        same_pixels = np.array_equal(hdus["TRUTH"].data, truth_image(detector))
    if found != expected:
        raise ValueError(f"{fits_path} holds another detector: {found}, asked for {expected}; choose another folder")
    if not same_pixels:
        raise ValueError(f"{fits_path} was made by another version of the simulator; choose another folder")
