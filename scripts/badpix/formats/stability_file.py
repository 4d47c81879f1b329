"""The reliability of a mask, pixel by pixel (stability.fits).

Image STABILITY, float32 (y, x): the fraction of the leave-one-out votes in which a pixel keeps a type, the lowest of
its types; NaN where no type was found. Image UNRESOLVABLE, uint32 (y, x): a bit per type (table TYPES), set where no
exposure gave a valid value, so that further exposures of the kind will not help. Table PIXELS: as in
`badpix.formats.leave_one_out_file`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

from badpix.formats.evidence_file import bit_image, types_hdu
from badpix.formats.leave_one_out_file import pixels_hdu
from badpix.formats.product_file import write_product
from badpix.formats.provenance import Provenance

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PixelReliability:
    """`stability` is image STABILITY, `unresolvable` maps types to bool images (y, x), `pixels` is table PIXELS."""

    stability: np.ndarray
    unresolvable: Mapping[str, np.ndarray]
    pixels: "pd.DataFrame"


def write_pixel_reliability(
    path: str | Path, reliability: PixelReliability, detector: str, provenance: Provenance
) -> None:
    """Write the file for `detector` (its name)."""
    unresolvable = reliability.unresolvable
    names = [*reliability.pixels["type"].unique(), *unresolvable]
    bits = {name: bit for bit, name in enumerate(dict.fromkeys(names))}
    image = bit_image(unresolvable, bits) if unresolvable else np.zeros(reliability.stability.shape, np.uint32)
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(reliability.stability, name="STABILITY"),
        fits.ImageHDU(image, name="UNRESOLVABLE"),
        types_hdu(bits),
        pixels_hdu(reliability.pixels),
    ]
    hdus[0].header["DETECTOR"] = detector
    write_product(path, hdus, provenance)
