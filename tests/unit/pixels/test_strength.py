"""Strengths of pixels from the statistics of darks."""

import numpy as np
import pytest
from astropy.io import fits

from badpix.formats.statistics_set import Exposure, Segment
from badpix.pixels.strength import PLANES, dark_strengths


@pytest.mark.parametrize(("without", "number"), [(20, np.uint8), (300, np.int16), (-1, np.int16)])
def test_a_pixel_that_does_not_saturate_has_no_first_group(without, number, tmp_path):
    """The number of groups, or -1 in statistics of earlier versions."""
    planes = {name: np.zeros((1, 1, 2), np.float32) for name in PLANES}
    planes["FIRST_SAT"] = np.array([[[without, 4]]], number)
    integrations = fits.BinTableHDU.from_columns(
        [
            fits.Column("N_GROUPS", "J", array=[20 if without < 0 else without]),
            fits.Column("PEDESTAL_T0_MEAN", "D", array=[0]),
        ],
        name="INTEGRATIONS",
    )
    hdus = [fits.ImageHDU(image, name=name) for name, image in planes.items()]
    fits.HDUList([fits.PrimaryHDU(), *hdus, integrations]).writeto(tmp_path / "a.fits")
    dark = Exposure("a", (Segment("a", str(tmp_path / "a.fits"), fits.Header()),))
    found = dark_strengths([dark], np.array([0, 1]), None)["saturated_at_group"]
    assert np.isnan(found[0]) and found[1] == 4
