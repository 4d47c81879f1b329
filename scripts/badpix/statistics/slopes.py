"""Slopes and their variances from a rateints file."""

import numpy as np
from astropy.io import fits

from badpix.formats.detector1_products import rates_rows
from badpix.instrument.dq import PIXEL_FLAGS


def slopes(rateints: fits.HDUList, integration: int, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slopes of some rows of a rateints file, and their Poisson and read-noise variances.

    All float32 (rows, x): slope in DN/s, NaN where DO_NOT_USE; variances in (DN/s)2, NaN where the slope is NaN.
    """
    bad = (rates_rows(rateints, "DQ", integration, rows) & PIXEL_FLAGS["DO_NOT_USE"]) != 0
    slope = np.array(rates_rows(rateints, "SCI", integration, rows), dtype=np.float32)
    slope[bad | ~np.isfinite(slope)] = np.nan
    poisson, read_noise = (
        np.where(np.isnan(slope), np.float32(np.nan), rates_rows(rateints, name, integration, rows)).astype(np.float32)
        for name in ("VAR_POISSON", "VAR_RNOISE")
    )
    return slope, poisson, read_noise
