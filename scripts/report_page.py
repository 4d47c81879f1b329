"""Write the report page of a detector: one HTML file that opens from disk, without a network.

Reads the statistics of the exposures, the flats' response, the evidence, the mask, the tables beside them, the
benchmark files, and the ramps of a few pixels from raw (or kept jump) files. No verdict is made here: ballots are the
vote's own, thresholds are those of the evidence file, and the job stops if the ballots do not add up to the votes
counted there. Writes the facts for the page over all detectors as JSON, too.
"""

import json

from badpix.config.settings import effective_max_dead_norm_signal
from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.formats.evidence_file import read_evidence
from badpix.instrument.detectors import detector_from_mapping
from badpix.report import page
from badpix.report.assemble import ReportPage
from badpix.vote.judge import gather
from badpix.vote.outliers import read_outliers


def main(statistics, outputs, detector, config, quarantined, outliers, evidence, **given):
    """Write the report page of `detector` (a mapping with the fields of Detector) at `outputs["page"]`, and its facts
    at `outputs["facts"]`.

    `statistics`, `config`, `quarantined` and `outliers` are as for scripts/bad_pixel_mask.py, `evidence` is the file
    that it wrote. `given` has the paths `mask`, `quarantine`, `leave_one_out` and `compare_with` (each of the two last
    may be None), `responses` as bad_pixel_mask.py takes them, `ramp_files` (exposure -> {`jump`, `uncal`: path}),
    `benchmarks`, a list of folders, `index`, the address of the page over all detectors, and `epoch`, the name of the
    mask's epoch (empty if there are none).
    """
    detector = detector_from_mapping(detector)
    default = effective_max_dead_norm_signal(
        config["max_dead_norm_signal"], config["flat_mean_normalization_method"], detector.max_dead_norm_signal_dn_per_s
    )
    config = config | {"max_dead_norm_signal": default}
    inputs = gather(statistics, detector, config, quarantined, read_outliers(outliers))
    report = ReportPage(inputs, read_evidence(evidence), given | {"config": config})
    report.read_mask()
    report.read_pixels()
    report.draw()
    name = " ".join(filter(None, (detector.name, given["epoch"])))
    text = page.render(f"{name} – bad pixel mask", report.figures, report.lazy, report.variables())
    write_text(outputs["page"], text)
    write_text(outputs["facts"], json.dumps(report.facts(), indent=1, ensure_ascii=False) + "\n")
    logger.info("%s: %d pixels, %d with measurements, %.1f MB", detector.name, report.pixels.size, report.n_detailed,
                len(text) / 2**20)  # fmt: skip


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            {"darks": list(snakemake.input.darks), "flats": list(snakemake.input.flats)},
            dict(snakemake.output.items()),
            snakemake.params.detector,
            snakemake.params.config,
            snakemake.params.quarantined,
            next(iter(snakemake.input.outliers), None),
            snakemake.input.evidence,
            mask=snakemake.input.mask,
            quarantine=snakemake.input.quarantine,
            leave_one_out=snakemake.input.get("leave_one_out"),
            compare_with=snakemake.input.get("compare_with"),
            responses={
                "mean": snakemake.input.get("response"),
                "exposures": list(snakemake.input.get("responses", [])),
            },
            ramp_files=snakemake.params.ramp_files,
            benchmarks=snakemake.params.benchmarks,
            index=snakemake.params.index,
            epoch=snakemake.params.epoch,
        )
