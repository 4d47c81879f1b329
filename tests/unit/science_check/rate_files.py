"""Files of rates with planted pixels, and masks, for the tests of the science check."""

import numpy as np
from astropy.io import fits

from badpix.instrument.dq import PIXEL_FLAGS, bits

SIZE = 64
ARRAY = {"SUBARRAY": "SUB64", "SUBSTRT1": 1985, "SUBSTRT2": 1985, "SUBSIZE1": SIZE, "SUBSIZE2": SIZE, "FASTAXIS": -2,
         "SLOWAXIS": -1}  # fmt: skip
HEADER = {"TELESCOP": "JWST", "INSTRUME": "NIRISS", "DETECTOR": "NIS", "DATE-OBS": "2025-08-01", "NINTS": 2, **ARRAY}
PIXEL_DEG = 0.0656 / 3600


def write_rates(path, images, dq=None, number=1, **header):
    """A rateints file of `images` (integration, y, x), or a rate file of an image."""
    images = np.asarray(images, np.float32)
    flags = np.zeros(images.shape, np.uint32) if dq is None else dq
    primary = fits.PrimaryHDU()
    primary.header.update(HEADER | {"EXP_TYPE": "NIS_DARK", "TIME-OBS": f"{number:02}:00:00.000"} | header)
    sci = fits.ImageHDU(images, name="SCI")
    fits.HDUList([primary, sci, fits.ImageHDU(flags, name="DQ")]).writeto(path)
    return str(path)


def point(path, x):
    """Set the pointing of the file, `x` pixels from the first one."""
    with fits.open(path, mode="update") as hdus:
        hdus["SCI"].header.update(CRVAL1=80 + x * PIXEL_DEG, CRVAL2=0.0, CDELT1=PIXEL_DEG)


def noise(seed, level=0.0, scatter=1.0, n_integrations=2):
    shape = (n_integrations, SIZE, SIZE)
    return level + scatter * np.random.default_rng(seed).standard_normal(shape)


def write_mask(path, pixels, history=(), **header):
    """A MASK file; `pixels` maps (y, x) to names of flags."""
    dq = np.zeros((SIZE, SIZE), np.uint32)
    for place, flags in pixels.items():
        dq[place] = bits(flags)
    primary = fits.PrimaryHDU()
    primary.header.update(HEADER | {"REFTYPE": "MASK", "USEAFTER": "2025-07-01T00:00:00"} | header)
    for line in history:
        primary.header["HISTORY"] = line
    rows = [(value.bit_length() - 1, value, name, "") for name, value in PIXEL_FLAGS.items()]
    dtype = [("BIT", "<i4"), ("VALUE", "<u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")]
    definition = fits.BinTableHDU(np.array(rows, dtype), name="DQ_DEF")
    fits.HDUList([primary, fits.ImageHDU(dq, name="DQ"), definition]).writeto(path)
    return str(path)
