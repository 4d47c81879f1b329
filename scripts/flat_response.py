"""Combine the flats into the normalised response of the detector.

Reads the flats' statistics files, by rows; writes one FITS with the images (y, x) `MEAN` and `STD` (DN/s), `NVALID`
(integrations left after clipping) and `RESPONSE` (normalised), and the table `USED` of the exposures. With flats of the
sky it reads the files of each flat too, and writes `ERROR` (of the response) and `NCOVERED` (number of flats with a
source there).
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from badpix.config.settings import ResponseSettings, SkySettings
from badpix.core.errors import TooFewExposures
from badpix.core.logs import logger, logging_to
from badpix.core.reasons import reason_lines
from badpix.formats.comparison_file import read_comparison, rejectable
from badpix.formats.input_files import input_file, product_inputs
from badpix.formats.mask_tables import REJECTED, surviving_table, write_rejected_exposures
from badpix.formats.provenance import Provenance, versions
from badpix.formats.response_file import Responses, write_response
from badpix.formats.statistics_set import exposures_of, read_set
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.geometry import reference_pixels
from badpix.instrument.segments import exposure_of
from badpix.response.normalise import MIN_INTEGRATIONS_TO_CLIP
from badpix.response.sky import combine


def main(statistics, output, detector, settings, outliers=None, sky=(), sky_settings=None):
    """Write the response of all flats of a detector.

    Parameters
    ----------
    statistics : list of paths
        The statistics files of the flats.
    output : path
        Response file to write.
    detector : mapping
        The fields of Detector.
    settings : ResponseSettings
        Method and parameters of clipping and normalisation.
    outliers : path, optional
        Comparison of the exposures; its outliers are left out.
    sky : list of paths
        The files of the single flats, if any flat is of the sky.
    sky_settings : SkySettings, optional
        The settings of these files.

    Raises
    ------
    TooFewExposures
        No flat can be used.
    """
    detector = detector_from_mapping(detector)
    excluded = rejectable(read_comparison(outliers))
    usable, rejected = read_set(statistics)
    exposures = [flat for flat in usable if exposure_of(flat.name) not in excluded]
    used = [segment.path for segment in exposures]
    if not used:
        rejected = rejected | {flat.name: excluded[exposure_of(flat.name)] for flat in usable}
        write_rejected_exposures(surviving_table(Path(output).parent / REJECTED), rejected)
        lines = "".join(f"\n  {line}" for line in reason_lines(rejected, table=REJECTED))
        raise TooFewExposures(
            f"{detector.name}: no mask, because none of the {len(statistics)} flats can be used. Rejected:{lines}"
        )
    science = ~reference_pixels(exposures[0].geometry, detector)
    n_integrations = sum(segment.n_integrations() for segment in exposures)
    if n_integrations < MIN_INTEGRATIONS_TO_CLIP:
        logger.warning(
            "only %d flat integrations: sigma clipping along the stack can reject little or nothing", n_integrations
        )
    flats = {flat.name: flat.paths for flat in exposures_of(exposures)}
    singles = dict(Responses(single=tuple(sky)).of_exposures(set(flats)))
    response = combine(flats, singles, science, settings, detector.slices)
    inputs = product_inputs({"statistics": statistics, "exposure_response": sky})
    if outliers is not None:
        inputs = (*inputs, input_file("comparison", outliers))
    used_settings = asdict(settings) | (asdict(sky_settings) if sky_settings else {})
    provenance = Provenance(used_settings, inputs, versions("numpy", "scipy"))
    write_response(output, response, detector.name, [segment.name for segment in exposures], provenance)
    logger.info(
        "%s: %d integrations of %d flats, median response %.4f",
        detector.name,
        n_integrations,
        len(used),
        np.nanmedian(response.normalised[science]),
    )


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            snakemake.input.statistics,
            snakemake.output.response,
            snakemake.params.detector,
            ResponseSettings.from_config(snakemake.params.settings),
            next(iter(snakemake.input.outliers), None),
            list(snakemake.input.get("sky", ())),
            SkySettings.from_config(snakemake.params.settings) if snakemake.input.get("sky") else None,
        )
