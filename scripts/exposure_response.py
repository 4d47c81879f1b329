"""Normalise a single flat exposure.

Reads the statistics files of its segments; writes one FITS with the image (y, x) `RESPONSE`: the mean slope of its
integrations divided by the level of the surroundings, with the configured method. Rejected segments are left out; a
flat without usable segments gives a rejected product.
"""

from dataclasses import asdict

import numpy as np

from badpix.config.settings import ResponseSettings
from badpix.core.logs import logger, logging_to
from badpix.formats.input_files import product_inputs
from badpix.formats.provenance import Provenance, versions
from badpix.formats.response_file import write_single_response
from badpix.formats.statistics_file import write_rejected
from badpix.formats.statistics_set import read_set
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.geometry import reference_pixels
from badpix.response.normalise import combine_flats


def main(statistics, output, exposure, detector, settings):
    """Write the response of a single flat.

    Parameters
    ----------
    statistics : list of paths
        The statistics files of its segments; a flat without segments has a single file.
    output : path
        Response file to write.
    exposure : str
        Name of the exposure.
    detector : mapping
        The fields of Detector.
    settings : ResponseSettings
        Method and parameters of the normalisation.
    """
    used, rejected = read_set(statistics)
    provenance = Provenance(asdict(settings), product_inputs({"statistics": statistics}), versions("numpy", "scipy"))
    if not used:
        write_rejected(output, exposure, "; ".join(sorted(set(rejected.values()))), provenance)
        return
    detector = detector_from_mapping(detector)
    science = ~reference_pixels(used[0].geometry, detector)
    response = combine_flats([segment.path for segment in used], science, settings, detector.slices).normalised
    write_single_response(output, response, exposure, provenance)
    logger.info("%s: median response %.4f", exposure, np.nanmedian(response[science]))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            snakemake.input.statistics,
            snakemake.output.response,
            snakemake.wildcards.exposure,
            snakemake.params.detector,
            ResponseSettings.from_config(snakemake.params.settings),
        )
