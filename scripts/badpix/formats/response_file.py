"""The files of the flats' responses: the file of all flats combined, and the files of single flats.

Separate from `badpix.response`, so that a reader does not import the libraries that make a response.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.files import card_text
from badpix.core.fits_table import table_hdu
from badpix.formats.product_file import open_verified, write_product
from badpix.formats.provenance import Provenance
from badpix.formats.statistics_file import rejection_reason

# Names of the images in the file, in the order of the attributes of FlatResponse; the last two for flats of the sky.
IMAGES = ("MEAN", "STD", "NVALID", "RESPONSE", "ERROR", "NCOVERED")


@dataclass(frozen=True)
class FlatResponse:
    """The combined flats of a detector as images (y, x).

    `mean` and `std` (float64, DN/s) are those of the integrations after sigma clipping, `n_valid` (int32) is the number
    of integrations left. `normalised` (float64) is the mean divided by the level of its surroundings.

    Of flats of the sky: `error` (float64) is the standard deviation of a healthy pixel's `normalised`, `n_covered`
    (int16) the number of flats in which a source covers the pixel.
    """

    mean: np.ndarray
    std: np.ndarray
    n_valid: np.ndarray
    normalised: np.ndarray
    error: np.ndarray | None = None
    n_covered: np.ndarray | None = None


@dataclass(frozen=True)
class Responses:
    """Paths of the flats' responses: `mean` of all flats (None without flats), `single` if each flat has a vote."""

    mean: str | None = None
    single: tuple[str, ...] = ()

    def read_mean(self) -> FlatResponse:
        """The response of all flats; ValueError without its file."""
        if self.mean is None:
            raise ValueError("the flats of a vote have no response file")
        return read_response(self.mean)

    def every_exposure(self) -> Iterator[tuple[str, str]]:
        """(exposure, path) of the single responses, without rejected exposures."""
        for path in self.single:
            if rejection_reason(path) is None:
                yield fits.getval(path, "EXPOSURE"), path

    def of_exposures(self, names: set[str]) -> Iterator[tuple[str, str]]:
        """(exposure, path) of the single responses of the exposures `names`, without rejected exposures."""
        return ((name, path) for name, path in self.every_exposure() if name in names)


def read_response(path: str | Path) -> FlatResponse:
    """The FlatResponse in a file of `write_response`."""
    with open_verified(path) as hdus:
        return FlatResponse(*(np.array(hdus[name].data) for name in IMAGES if name in hdus))


def write_response(
    path: str | Path, response: FlatResponse, detector: str, names: list[str], provenance: Provenance
) -> None:
    """Write the response of the flats `names` (exposures or segments, table USED) of `detector`."""
    hdus = [fits.PrimaryHDU()]
    hdus[0].header["DETECTOR"] = detector
    images = (
        response.mean, response.std, response.n_valid, response.normalised, response.error, response.n_covered
    )  # fmt: skip
    named = zip(IMAGES, images, strict=True)
    for name, image in named:
        if image is not None:
            hdus.append(fits.ImageHDU(image, name=name))
            if name in ("MEAN", "STD"):
                hdus[-1].header["BUNIT"] = "DN/s"
    hdus.append(table_hdu("USED", {"EXPOSURE": names}))
    write_product(path, hdus, provenance)


def read_single_response(path: str | Path) -> np.ndarray:
    """The normalised response in a file of `write_single_response`, float32 (y, x)."""
    with open_verified(path) as hdus:
        return np.array(hdus["RESPONSE"].data)


def write_single_response(path: str | Path, response: np.ndarray, exposure: str, provenance: Provenance) -> None:
    """Write the normalised `response` (y, x) of a single flat."""
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(response.astype(np.float32), name="RESPONSE")]
    hdus[0].header["EXPOSURE"] = card_text(exposure)
    hdus[0].header["REJECTED"] = False
    write_product(path, hdus, provenance)
