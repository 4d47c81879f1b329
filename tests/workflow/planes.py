"""Read the planes of an evidence file."""

import numpy as np
from astropy.io import fits


def bits_by_type(hdus):
    return {row["TYPE"]: int(row["BIT"]) for row in hdus["TYPES"].data}


def plane_of_types(evidence, plane):
    """Boolean image per type from a plane (FOUND, INSUFFICIENT) of the evidence file."""
    with fits.open(evidence) as hdus:
        image = np.array(hdus[plane].data)
        return {name: (image & np.uint32(1 << bit)) != 0 for name, bit in bits_by_type(hdus).items()}
