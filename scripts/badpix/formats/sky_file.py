"""The file of a flat of the sky: its response, the error of the response, its sources and its diffuse light."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from badpix.core.files import card_text
from badpix.formats.product_file import open_verified, write_product
from badpix.formats.provenance import Provenance
from badpix.instrument import pointing

# Names of the images in the file, in the order of the attributes of SkyFlat.
IMAGES = ("RESPONSE", "ERROR", "LEVEL", "SOURCES")
KEYWORDS = ("INSTRUME", "DETECTOR", "EXP_TYPE", *pointing.KEYWORDS)


@dataclass(frozen=True)
class SkyFlat:
    """A flat of the sky as images (y, x).

    `response` (float32) is the slope divided by the local level, also at sources; `error` (float32) its standard
    deviation. `level` (float32, DN/s) is the diffuse light. `sources` (bool) are the pixels of sources, without their
    surroundings.
    """

    response: np.ndarray
    error: np.ndarray
    level: np.ndarray
    sources: np.ndarray


def write_sky_flat(
    path: str | Path, flat: SkyFlat, exposure: str, growth: int, header: Mapping[str, Any], provenance: Provenance
) -> None:
    """Write the file of a flat of the sky.

    Parameters
    ----------
    path : path
        File to write.
    flat : SkyFlat
        Its images.
    exposure : str
        Name of the exposure.
    growth : int
        `source_growth`: width (pixels) of the surroundings of a source.
    header : mapping
        Header of the exposure's statistics, with its type and pointing.
    provenance : Provenance
        Settings, inputs and software.
    """
    hdus = [fits.PrimaryHDU()]
    hdus[0].header["EXPOSURE"] = card_text(exposure)
    hdus[0].header["REJECTED"] = False
    hdus[0].header["GROWTH"] = (growth, "[pixel] surroundings of a source")
    for key in KEYWORDS:
        if key in header:
            hdus[0].header[key] = header[key]
    images = (flat.response, flat.error, flat.level, flat.sources.astype(np.uint8))
    hdus += [fits.ImageHDU(image, name=name) for name, image in zip(IMAGES, images, strict=True)]
    hdus[1 + IMAGES.index("LEVEL")].header["BUNIT"] = "DN/s"
    write_product(path, hdus, provenance)


def read_sky_flat(path: str | Path) -> SkyFlat:
    """The SkyFlat in a file of `write_sky_flat`."""
    with open_verified(path) as hdus:
        response, error, level, sources = (np.array(hdus[name].data) for name in IMAGES)
    return SkyFlat(response, error, level, sources > 0)


def read_plane(path: str | Path, name: str, rows: slice = slice(None)) -> np.ndarray:
    """The `rows` of an image of a file of `write_sky_flat`, not verified."""
    with fits.open(path) as hdus:
        return np.array(hdus[name].data[rows])


def growth_of(path: str | Path) -> int:
    """Width (pixels) of the surroundings of a source."""
    return fits.getheader(path)["GROWTH"]


def is_sky_file(path: str | Path) -> bool:
    """Whether a response of a single flat is a file of `write_sky_flat`."""
    return "GROWTH" in fits.getheader(path)
