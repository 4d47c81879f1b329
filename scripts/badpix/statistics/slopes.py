"""Slopes and their variances from a rateints file."""

import numpy as np
from astropy.io import fits

from badpix.formats.detector1_products import rates_rows
from badpix.instrument.dq import PIXEL_FLAGS


def slopes(rateints: fits.HDUList, integration: int, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slopes of some rows of a rateints file, and their Poisson and read-noise variances.

    All float32 (rows, x): slope in DN/s, NaN where DO_NOT_USE; variances in (DN/s)2, NaN where the slope is NaN.

    A slope of 0 whose variances are 0 is NaN too: ramp_fit leaves it, without a flag, where it fitted nothing (jwst
    3.0.0: noisy pixels in ramps of two groups, which would look dead in flats). A fit has read noise.
    """
    bad = (rates_rows(rateints, "DQ", integration, rows) & PIXEL_FLAGS["DO_NOT_USE"]) != 0
    slope = np.array(rates_rows(rateints, "SCI", integration, rows), dtype=np.float32)
    poisson, read_noise = (
        np.array(rates_rows(rateints, name, integration, rows), dtype=np.float32)
        for name in ("VAR_POISSON", "VAR_RNOISE")
    )
    unfitted = (slope == 0) & (poisson == 0) & (read_noise == 0)
    for image in (slope, poisson, read_noise):
        image[bad | unfitted | ~np.isfinite(slope)] = np.nan
    return slope, poisson, read_noise
