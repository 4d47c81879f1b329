"""The files of the flats' responses."""

import numpy as np
import pytest

from badpix.formats.provenance import Provenance
from badpix.formats.response_file import FlatResponse, Responses, write_response


def test_the_response_of_all_flats_is_read_back(tmp_path):
    written = FlatResponse(*(np.arange(6.0).reshape(2, 3) + shift for shift in range(4)))
    write_response(tmp_path / "response.fits", written, "NIS", ["flat1"], Provenance())
    read = Responses(str(tmp_path / "response.fits")).read_mean()
    for name in ("mean", "std", "n_valid", "normalised"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))


def test_flats_without_a_response_file_are_an_error():
    with pytest.raises(ValueError, match="no response file"):
        Responses().read_mean()
