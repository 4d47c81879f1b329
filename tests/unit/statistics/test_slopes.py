"""Slopes and variances of a rateints file: which pixels have none."""

import numpy as np
from astropy.io import fits

from badpix.statistics.slopes import slopes

NAN = np.nan


def test_pixels_without_a_fit_have_no_slope(tmp_path):
    # Columns: a fit, a fit of slope 0, DO_NOT_USE, NaN, nothing fitted (as ramp_fit leaves it), no shot noise.
    images = {
        "SCI": [5.0, 0.0, 5.0, NAN, 0.0, -1.0],
        "VAR_POISSON": [2.0, 0.0, 2.0, 2.0, 0.0, 0.0],
        "VAR_RNOISE": [1.0, 1.0, 1.0, 1.0, 0.0, 1.0],
    }
    hdus = [fits.ImageHDU(np.array([[values]], np.float32), name=name) for name, values in images.items()]
    dq = fits.ImageHDU(np.array([[[0, 0, 1, 0, 0, 0]]], np.uint32), name="DQ")
    fits.HDUList([fits.PrimaryHDU(), *hdus, dq]).writeto(tmp_path / "a_rateints.fits")
    with fits.open(tmp_path / "a_rateints.fits") as rateints:
        slope, poisson, read_noise = slopes(rateints, 0, slice(0, 1))
    np.testing.assert_array_equal(slope, [[5, 0, NAN, NAN, NAN, -1]])
    np.testing.assert_array_equal(poisson, [[2, 0, NAN, NAN, NAN, 0]])
    np.testing.assert_array_equal(read_noise, [[1, 1, NAN, NAN, NAN, 1]])
