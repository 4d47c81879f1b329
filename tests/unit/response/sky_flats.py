"""Flats of the sky of 96 x 96 pixels as statistics files, and their products, for the tests of several packages."""

import dataclasses

import numpy as np
from astropy.io import fits

import sky_response
from badpix.config.settings import ResponseSettings, SkySettings
from badpix.formats.provenance import Provenance
from badpix.formats.statistics_file import StatisticsWriter
from badpix.instrument.detectors import load_detectors
from badpix.simulate.sky import star
from unit.test_adapters import DETECTOR as SMALL
from unit.test_adapters import ROOT, config

SIZE, BORDER = 96, 4
DETECTOR = dataclasses.asdict(load_detectors(ROOT / "config" / "detectors")["NIS"]) | {
    "n_columns": SIZE, "n_rows": SIZE, "reference_pixels": SMALL["reference_pixels"] | dict.fromkeys(
        ["left", "right", "bottom", "top"], BORDER),
}  # fmt: skip
SCIENCE = np.zeros((SIZE, SIZE), bool)
SCIENCE[BORDER:-BORDER, BORDER:-BORDER] = True
PIXEL_DEG = 0.065 / 3600
# Offsets (y, x) of the five flats, in pixels.
DITHERS = ((0, 0), (17, -12), (-14, 18), (9, 25), (-22, -8))
RESPONSE = ResponseSettings.from_config(config(flat_mean_normalization_method="smoothed", smoothing_type="Box2D"))
SKY = SkySettings(3.0, 2)


def header_of(dither, exp_type="NIS_IMAGE", **changes):
    """The primary header of a flat with its pointing; None leaves a keyword out."""
    keywords = {
        "INSTRUME": "NIRISS", "DETECTOR": "NIS", "EXP_TYPE": exp_type, "SUBARRAY": "FULL", "SUBSTRT1": 1,
        "SUBSTRT2": 1, "SUBSIZE1": SIZE, "SUBSIZE2": SIZE, "FASTAXIS": -2, "SLOWAXIS": -1, "NGROUPS": 20, "NFRAMES": 1,
        "TFRAME": 1.0, "TGROUP": 1.0, "READPATT": "NISRAPID", "DATE-OBS": "2024-07-01", "TIME-OBS": "00:00:00",
        "CRVAL1": 80 - dither[1] * PIXEL_DEG, "CRVAL2": -dither[0] * PIXEL_DEG, "CDELT1": PIXEL_DEG,
    } | changes  # fmt: skip
    return fits.Header({key: value for key, value in keywords.items() if value is not None})


def with_stars(image, stars, dither):
    """Add `stars` (y, x, flux) to `image` in place, moved by `dither`."""
    for y, x, flux in stars:
        y, x = y + dither[0], x + dither[1]
        part = star(y - round(y), x - round(x)) * flux
        for dy in range(-12, 13):
            for dx in range(-12, 13):
                row, column = round(y) + dy, round(x) + dx
                if 0 <= row < SIZE and 0 <= column < SIZE:
                    image[row, column] += part[25 + dy, 25 + dx]


def flats(folder, stars=(), dithers=DITHERS, level=10.0, noise=0.2, response=None, extra=None, **header):
    """Statistics files of flats with the sky at `level` (DN/s, or one for each) and `noise` (DN/s) per integration.

    `response` and `extra` (DN/s, light that is not of the sky) are images (y, x) of the detector.
    """
    paths = []
    for number, dither in enumerate(dithers):
        of_sky = level[number] if np.ndim(level) else level
        image = np.full((SIZE, SIZE), float(of_sky))
        with_stars(image, stars, dither)
        image = image * (1 if response is None else response) + (0 if extra is None else extra)
        rng = np.random.default_rng(number)
        writer = StatisticsWriter(f"f{number}", header_of(dither, **header), 2, (SIZE, SIZE))
        for integration in range(2):
            slope = (image + noise * rng.standard_normal(image.shape)).astype(np.float32)
            slope[~SCIENCE] = np.nan
            writer.put("SLOPE", integration, slice(None), slope, "DN/s")
            variance = np.where(SCIENCE, noise**2, np.nan).astype(np.float32)
            writer.put("VAR_SLOPE", integration, slice(None), variance, "(DN/s)2")
        path = folder / f"f{number}_flat_statistics.fits"
        writer.write(path, Provenance())
        paths.append(str(path))
    return paths


def sky_files(folder, statistics, **changes):
    """The files of the single flats of these statistics files."""
    settings = dataclasses.asdict(RESPONSE) | dataclasses.asdict(SKY) | changes
    paths = []
    for number, path in enumerate(statistics):
        paths.append(str(folder / f"f{number}_sky_response.fits"))
        sky_response.main([path], paths[-1], f"f{number}", DETECTOR, settings)
    return paths
