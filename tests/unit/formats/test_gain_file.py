"""The gain of a detector: the reference file cut to the array, and the file that the vote reads."""

import numpy as np
import pytest
from astropy.io import fits

from badpix.core.errors import ProductError
from badpix.formats.gain_file import read_gain, read_reference, write_gain
from badpix.instrument.geometry import Geometry

PART = Geometry("SUB4", 3, 2, 4, 4, 1, 2)


def reference(path, gain, **header):
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.asarray(gain, np.float32), name="SCI")])
    hdus[0].header.update(header)
    hdus.writeto(path)
    return path


def test_a_full_frame_is_cut_to_the_array(tmp_path):
    whole = np.arange(1, 65).reshape(8, 8)
    found = read_reference(reference(tmp_path / "g.fits", whole), PART, True)
    assert found.dtype == np.float32 and np.array_equal(found, whole[1:5, 2:6])
    same = read_reference(reference(tmp_path / "s.fits", whole[:4, :4], SUBSTRT1=3), PART, True)
    assert np.array_equal(same, whole[:4, :4])


def test_rates_that_gain_scale_multiplied_have_a_smaller_gain(tmp_path):
    path = reference(tmp_path / "g.fits", np.full((4, 4), 2.0), GAINFACT=2.0)
    assert (read_reference(path, PART, True) == 1.0).all() and (read_reference(path, PART, False) == 2.0).all()


def test_pixels_without_a_gain_have_the_median(tmp_path):
    gain = np.full((4, 4), 1.6)
    gain[0], gain[1, 0] = (np.nan, 0.0, -1.0, np.inf), 2.0
    path = reference(tmp_path / "jwst_gain.fits", gain)
    write_gain(tmp_path / "gain.fits", read_reference(path, PART, True), path, "jwst_0001.pmap", {})
    found = read_gain(tmp_path / "gain.fits", PART)
    assert found.image[0] == pytest.approx([1.6] * 4) and found.image[1, 0] == 2.0
    assert found.text == (
        "Gain: jwst_gain.fits (jwst_0001.pmap), median 1.6 e-/DN; 4 pixels without a valid gain have the median"
    )
    assert (found.reference.name, found.reference.n_bytes) == ("jwst_gain.fits", path.stat().st_size)
    with pytest.raises(ProductError, match=r"the gain has the shape \(4, 4\)"):
        read_gain(tmp_path / "gain.fits", Geometry("SUB2", 1, 1, 2, 2, 1, 2))


def test_a_gain_without_a_valid_pixel_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no valid gain in the array of the exposures; set gain_e_per_dn"):
        read_reference(reference(tmp_path / "g.fits", np.zeros((4, 4))), PART, True)
