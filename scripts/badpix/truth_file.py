"""Write the truth of planted pixels as a FITS file; badpix.score_files reads it."""

from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.table import Table

from badpix.files import atomic_path


def write_truth_file(
    path: str | Path,
    cards: list[tuple[str, object, str]],
    images: dict[str, np.ndarray],
    types: pd.DataFrame,
    pixels: pd.DataFrame,
) -> None:
    """Write images (y, x) under their names and the tables TYPES and PIXELS, the latter beside it as CSV too.

    `cards` are keyword, value and comment of the primary header. For what the images and tables hold see
    `badpix.score_pixels.Truth`.
    """
    header = fits.Header()
    for keyword, value, comment in cards:
        header[keyword] = (value, comment)
    hdus = [fits.PrimaryHDU(header=header)]
    hdus += [fits.ImageHDU(image, name=name) for name, image in images.items()]
    hdus += [
        fits.BinTableHDU(Table.from_pandas(types), name="TYPES"),
        fits.BinTableHDU(Table.from_pandas(pixels), name="PIXELS"),
    ]
    with atomic_path(Path(path).with_suffix(".csv")) as temporary:
        pixels.to_csv(temporary, index=False)
    with atomic_path(path) as temporary:
        fits.HDUList(hdus).writeto(temporary, overwrite=True)
