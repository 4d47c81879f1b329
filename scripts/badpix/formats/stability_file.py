"""The file of a mask's statistical control, pixel by pixel (stability.fits).

Image STABILITY, float32 (y, x): the share of the votes without one exposure in which a pixel keeps its types, the least
of them; NaN where no type was found. Image UNRESOLVABLE, uint32 (y, x): a bit per type (table TYPES) at pixels that no further
exposure of the kind will settle. Table PIXELS: as in `badpix.formats.leave_one_out_file`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

from badpix.core.files import atomic_path
from badpix.formats.evidence_file import bit_image, types_hdu
from badpix.formats.leave_one_out_file import pixels_hdu

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PixelReliability:
    """`stability` is image STABILITY, `unresolvable` maps types to boolean images, `pixels` is table PIXELS."""

    stability: np.ndarray
    unresolvable: Mapping[str, np.ndarray]
    pixels: "pd.DataFrame"


def write_pixel_reliability(path: str | Path, control: PixelReliability, detector: str) -> None:
    """Write the file for `detector` (its name)."""
    names = [*control.pixels["type"].unique(), *control.unresolvable]
    bits = {name: bit for bit, name in enumerate(dict.fromkeys(names))}
    image = (
        bit_image(control.unresolvable, bits) if control.unresolvable else np.zeros(control.stability.shape, np.uint32)
    )
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(control.stability, name="STABILITY"),
        fits.ImageHDU(image, name="UNRESOLVABLE"),
        types_hdu(bits),
        pixels_hdu(control.pixels),
    ]
    hdus[0].header["DETECTOR"] = detector
    with atomic_path(path) as temporary:
        fits.HDUList(hdus).writeto(temporary, overwrite=True)
