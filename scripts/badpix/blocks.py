"""Exposures read by blocks of rows, so that the memory needed does not grow with them."""

import numpy as np

from badpix.dq import PIXEL_FLAGS
from badpix.products import rates_rows

# Ramps of so many bytes are held at a time.
BLOCK_BYTES = 32 * 2**20


def row_blocks(n_rows, bytes_per_row, block_bytes=BLOCK_BYTES):
    """Slices that cut `n_rows` rows into blocks of about `block_bytes` (at least a row each)."""
    step = max(1, int(block_bytes // max(1, bytes_per_row)))
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def slopes(rateints, integration, rows):
    """Slope (DN/s, NaN where DO_NOT_USE) of some rows of a rateints file, and its Poisson and read-noise variances.

    All float32 images (y, x); the variances are NaN where the slope is.
    """
    bad = (rates_rows(rateints, "DQ", integration, rows) & PIXEL_FLAGS["DO_NOT_USE"]) != 0
    slope = np.array(rates_rows(rateints, "SCI", integration, rows), dtype=np.float32)
    slope[bad | ~np.isfinite(slope)] = np.nan
    poisson, read_noise = (
        np.where(np.isnan(slope), np.float32(np.nan), rates_rows(rateints, name, integration, rows)).astype(np.float32)
        for name in ("VAR_POISSON", "VAR_RNOISE")
    )
    return slope, poisson, read_noise
