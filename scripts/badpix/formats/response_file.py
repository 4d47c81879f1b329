"""The file of the flats' response, apart from how it is made: reading it takes none of the libraries that do that."""

from dataclasses import dataclass

import numpy as np
from astropy.io import fits

# Names of the images in the file, in the order of FlatResponse.
IMAGES = ("MEAN", "STD", "NVALID", "RESPONSE")


@dataclass(frozen=True)
class FlatResponse:
    """The flats of a detector as one: images (y, x).

    `mean` and `std` (float64, DN/s) of the integrations after clipping and `n_valid` (int32), how many are left;
    `normalised` (float64), the mean divided by the level of its surroundings.
    """

    mean: np.ndarray
    std: np.ndarray
    n_valid: np.ndarray
    normalised: np.ndarray


def read_response(path):
    """The FlatResponse of the file that scripts/flat_response.py wrote."""
    with fits.open(path) as hdus:
        return FlatResponse(*(np.array(hdus[name].data) for name in IMAGES))
