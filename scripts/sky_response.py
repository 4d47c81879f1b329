"""Measure a flat of the sky: its response, the error of the response, and its sources.

Reads the statistics files of the segments of the flat; writes one FITS with the images (y, x) `RESPONSE`, `ERROR`,
`LEVEL` (DN/s) and `SOURCES`. Rejected segments are left out; a flat without usable segments gives a rejected product.
A flat of a lamp that is used together with flats of the sky has no sources.
"""

from dataclasses import asdict

import numpy as np

from badpix.config.settings import ResponseSettings, SkySettings
from badpix.core.logs import logger, logging_to
from badpix.formats.input_files import product_inputs
from badpix.formats.provenance import Provenance, versions
from badpix.formats.sky_file import write_sky_flat
from badpix.formats.statistics_file import write_rejected
from badpix.formats.statistics_set import read_set
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.exp_types import sees_sky
from badpix.instrument.geometry import reference_pixels
from badpix.response.sky import measure_sky_flat


def main(statistics, output, exposure, detector, settings):
    """Write the file of a flat of the sky.

    Parameters
    ----------
    statistics : list of paths
        The statistics files of its segments; a flat without segments has a single file.
    output : path
        File to write.
    exposure : str
        Name of the exposure.
    detector : mapping
        The fields of Detector.
    settings : mapping
        The keys of the normalisation and of the search of sources.
    """
    used, rejected = read_set(statistics)
    response, sky = ResponseSettings.from_config(settings), SkySettings.from_config(settings)
    software = versions("numpy", "scipy", "photutils")
    provenance = Provenance(asdict(response) | asdict(sky), product_inputs({"statistics": statistics}), software)
    if not used:
        write_rejected(output, exposure, "; ".join(sorted(set(rejected.values()))), provenance)
        return
    detector = detector_from_mapping(detector)
    science = ~reference_pixels(used[0].geometry, detector)
    header = used[0].header
    flat = measure_sky_flat(
        [segment.path for segment in used], science, sees_sky(header.get("EXP_TYPE")), response, sky, detector.slices
    )
    write_sky_flat(output, flat, exposure, sky.source_growth, header, provenance)
    error = flat.error[science & np.isfinite(flat.error)]
    logger.info(
        "%s: sources on %.2f%% of the science pixels, error of the response %.4f (median)",
        exposure,
        100 * flat.sources[science].mean(),
        np.median(error) if error.size else np.nan,
    )


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            snakemake.input.statistics,
            snakemake.output.response,
            snakemake.wildcards.exposure,
            snakemake.params.detector,
            snakemake.params.settings,
        )
