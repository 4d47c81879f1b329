"""Write a MASK reference file that flags the reference pixels of a detector and nothing else.

Detector1 uses this file instead of the mask currently in CRDS: the pipeline does not measure pixels with DO_NOT_USE.
Writes a CRDS-format mask, from the geometry alone.
"""

import numpy as np

from badpix.core.logs import logger, logging_to
from badpix.formats.mask_file import MaskHeader, write_mask
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import Geometry, reference_pixels


def main(output, detector, geometry):
    """Write the mask of `detector` at `output`; both arguments map the fields of Detector and Geometry."""
    detector = detector_from_mapping(detector)
    geometry = Geometry(**geometry)
    border = reference_pixels(geometry, detector)
    dq = np.where(border, np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"]), np.uint32(0))
    texts = {
        "author": "jwst-badpix",
        "description": "Reference pixels only, for making masks",
        "pedigree": "GROUND",
        "useafter": "2000-01-01T00:00:00",
    }
    identity = {"instrument": detector.instrument, "detector": detector.name}
    history = ["Reference pixels only; not for delivery."]
    write_mask(output, dq, geometry, MaskHeader(identity, texts, history))
    logger.info("%s: %d of %d pixels are reference pixels", detector.name, border.sum(), border.size)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            snakemake.output.mask,
            snakemake.params.detector,
            snakemake.params.geometry,
        )
