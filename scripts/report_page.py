"""Write the report page of a detector: one HTML file that opens from disk, without a network.

Reads the statistics of the exposures, the flats' response, the evidence, the mask, the tables beside them, the
benchmark files, and the ramps of a few pixels from raw (or kept jump) files. The page classifies nothing: it shows the
votes and thresholds of the mask, and the job stops if the votes do not add up to the counts of the evidence file. Also
writes the overview of the detector as JSON, for the index of all pages.
"""

import json
from collections.abc import Mapping

from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.formats.evidence_file import read_evidence
from badpix.instrument.detectors import detector_from_mapping
from badpix.report import page
from badpix.report.assemble import PageInputs, ReportPage
from badpix.vote.exposure_set import VoteFiles, select_exposures
from badpix.vote.settings import VoteSettings


def main(files: VoteFiles, evidence: str, given: PageInputs, outputs: Mapping, detector: Mapping) -> None:
    """Write the report page and the overview of a detector.

    Parameters
    ----------
    files : VoteFiles
        The files of the vote.
    evidence : path
        The evidence file of the vote.
    given : PageInputs
        All other inputs of the page.
    outputs : mapping
        page, overview -> path.
    detector : mapping
        The fields of Detector.
    """
    settings = VoteSettings.from_config(given.config)
    exposures = select_exposures(files, detector_from_mapping(detector), settings.required)
    report = ReportPage(exposures, settings, read_evidence(evidence), given)
    report.read_mask()
    report.read_pixels()
    report.draw()
    name = " ".join(filter(None, (exposures.detector.name, given.epoch)))
    text = page.render(f"{name} – bad pixel mask", report.figures, report.lazy, report.variables())
    write_text(outputs["page"], text)
    write_text(outputs["overview"], json.dumps(report.overview(), indent=1, ensure_ascii=False) + "\n")
    logger.info("%s: %d pixels, %d with measurements, %.1f MB", exposures.detector.name, report.pixels.size,
                report.n_detailed, len(text) / 2**20)  # fmt: skip


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        files = VoteFiles.of_rule(snakemake.input, snakemake.params)
        main(
            files,
            snakemake.input.evidence,
            PageInputs(
                mask=snakemake.input.mask,
                rejected=snakemake.input.rejected,
                comparison=files.comparison,
                leave_one_out=snakemake.input.get("leave_one_out"),
                compare_with=snakemake.input.get("compare_with"),
                responses=files.responses,
                ramp_files=snakemake.params.ramp_files,
                benchmarks=snakemake.params.benchmarks,
                index=snakemake.params.index,
                epoch=snakemake.params.epoch,
                config=snakemake.params.config,
            ),
            dict(snakemake.output.items()),
            snakemake.params.detector,
        )
