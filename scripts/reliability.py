"""Measure the reliability of a mask: false flags to expect from noise, stability of flags, unclassified pixels.

Reads the statistics files, the evidence of the vote, and the votes without each exposure. Writes a tidy CSV (section,
kind, type, quantity, value, note) and a FITS (`badpix.formats.stability_file`).
"""

from collections.abc import Mapping

from badpix.core.csv_table import write_csv
from badpix.core.logs import logger, logging_to
from badpix.formats.evidence_file import read_evidence
from badpix.formats.leave_one_out_file import read_votes
from badpix.formats.stability_file import PixelReliability, write_pixel_reliability
from badpix.instrument.detectors import detector_from_mapping
from badpix.reliability.leave_one_out import Stability
from badpix.reliability.stability import stability_image, table_of
from badpix.reliability.summary import reliability_of
from badpix.vote.exposure_set import VoteFiles, select_exposures
from badpix.vote.settings import VoteSettings


def main(files: VoteFiles, inputs: Mapping, outputs: Mapping, detector: Mapping, config: Mapping) -> None:
    """Write the table and the images of the reliability.

    Parameters
    ----------
    files : VoteFiles
        Statistics and comparison.
    inputs : mapping
        evidence, stability (of leave_one_out) -> path.
    outputs : mapping
        table, stability -> path.
    detector : mapping
        The fields of Detector.
    config : mapping
        The configuration keys of the vote.
    """
    settings = VoteSettings.from_config(config)
    exposures = select_exposures(files, detector_from_mapping(detector), settings.required)
    stability = Stability(*read_votes(inputs["stability"]))
    reliability = reliability_of(exposures, read_evidence(inputs["evidence"]), stability, settings)
    table, shape = table_of(reliability.rows), exposures.geometry.shape
    image = stability_image(stability.pixels, shape)
    pixels = PixelReliability(image, reliability.unresolvable, stability.pixels)
    write_pixel_reliability(outputs["stability"], pixels, exposures.detector.name, files.provenance(config))
    write_csv(outputs["table"], table)
    logger.info("reliability:\n%s", table.drop(columns="note").to_string(index=False))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            VoteFiles.of_rule(snakemake.input, snakemake.params),
            {"evidence": snakemake.input.evidence, "stability": snakemake.input.votes},
            dict(snakemake.output.items()),
            snakemake.params.detector,
            snakemake.params.config,
        )
