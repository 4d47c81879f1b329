"""The responses of the flats: the file of all flats together, and those of single flats.

Apart from how they are made, so that reading takes none of the libraries for that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.files import atomic_path, card_text
from badpix.core.fits_table import table_hdu
from badpix.formats.statistics_file import rejection_reason

# Names of the images in the file, in the order of FlatResponse.
IMAGES = ("MEAN", "STD", "NVALID", "RESPONSE")


@dataclass(frozen=True)
class FlatResponse:
    """The flats of a detector as one: images (y, x).

    `mean` and `std` (float64, DN/s) of the integrations after clipping and `n_valid` (int32), how many are left;
    `normalised` (float64), the mean divided by the level of its surroundings.
    """

    mean: np.ndarray
    std: np.ndarray
    n_valid: np.ndarray
    normalised: np.ndarray


@dataclass(frozen=True)
class Responses:
    """The files of the flats' responses: `mean` of all flats (None without flats), `single` where each flat votes."""

    mean: str | None = None
    single: tuple[str, ...] = ()

    def of_exposures(self, names: set[str]) -> Iterator[tuple[str, str]]:
        """(exposure, path) of the single responses of the exposures `names` that could be made."""
        for path in self.single:
            if rejection_reason(path) is None and (name := fits.getval(path, "EXPOSURE")) in names:
                yield name, path


def read_response(path: str | Path) -> FlatResponse:
    """The FlatResponse of a file of `write_response`."""
    with fits.open(path) as hdus:
        return FlatResponse(*(np.array(hdus[name].data) for name in IMAGES))


def write_response(path: str | Path, response: FlatResponse, detector: str, names: list[str]) -> None:
    """Write the response of the flats `names` (exposures or segments, table USED) of `detector`."""
    hdus = [fits.PrimaryHDU()]
    hdus[0].header["DETECTOR"] = detector
    images = (response.mean, response.std, response.n_valid, response.normalised)
    hdus += [fits.ImageHDU(image, name=name) for name, image in zip(IMAGES, images, strict=True)]
    hdus.append(table_hdu("USED", {"EXPOSURE": names}))
    with atomic_path(path) as temporary:
        fits.HDUList(hdus).writeto(temporary, overwrite=True)


def read_single_response(path: str | Path) -> np.ndarray:
    """The normalised response (y, x) of a file of `write_single_response`, float32."""
    return fits.getdata(path, "RESPONSE")


def write_single_response(path: str | Path, response: np.ndarray, exposure: str) -> None:
    """Write the normalised `response` (y, x) of a single flat."""
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(response.astype(np.float32), name="RESPONSE")]
    hdus[0].header["EXPOSURE"] = card_text(exposure)
    hdus[0].header["REJECTED"] = False
    with atomic_path(path) as temporary:
        fits.HDUList(hdus).writeto(temporary, overwrite=True)
