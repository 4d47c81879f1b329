"""Say how far a mask can be trusted: false flags to expect from noise, stability of each flag, pixels not settled.

Reads the statistics files, the evidence of the vote, and the votes without each exposure. Writes a tidy CSV (section,
kind, type, quantity, value, note) and a FITS (`badpix.formats.stability_file`).
"""

from collections.abc import Mapping

from badpix.core.files import write_text
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
    """Write `outputs` (table, stability -> path) from `files` and `inputs` (evidence, stability -> path).

    `detector` maps the fields of Detector, `config` the keys of the vote.
    """
    settings = VoteSettings.from_config(config)
    exposures = select_exposures(files, detector_from_mapping(detector), settings.required)
    stability = Stability(*read_votes(inputs["stability"]))
    control = reliability_of(exposures, read_evidence(inputs["evidence"]), stability, settings)
    table, shape = table_of(control.rows), exposures.geometry.shape
    image = stability_image(stability.pixels, shape)
    pixels = PixelReliability(image, control.unresolvable, stability.pixels)
    write_pixel_reliability(outputs["stability"], pixels, exposures.detector.name)
    write_text(outputs["table"], table.to_csv(index=False))
    logger.info("control:\n%s", table.drop(columns="note").to_string(index=False))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            VoteFiles.of_rule(snakemake.input, snakemake.params),
            {"evidence": snakemake.input.evidence, "stability": snakemake.input.votes},
            dict(snakemake.output.items()),
            snakemake.params.detector,
            snakemake.params.config,
        )
