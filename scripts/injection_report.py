"""Measure the found share of the planted pixels, and the changes of all other pixels.

Reads the truth of the planted pixels, and evidence and mask of the runs without and with planted pixels. Writes three
CSV (completeness per type and strength, changes of all other pixels, confusion of types) and a figure.
"""

from badpix.core.csv_table import write_csv
from badpix.core.logs import logger, logging_to
from badpix.formats.truth_file import read_truth
from badpix.injection.tables import change_table, curve_table, injection_score, strength_table
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.geometry import Geometry
from badpix.score.files import read_findings
from badpix.score.plots import plot_curves
from badpix.score.tables import confusion_table


def main(inputs, outputs, detector, geometry, n_exposures):
    """Write the tables and the figure.

    Parameters
    ----------
    inputs : mapping
        truth, evidence and mask (without planted pixels), injected_evidence and injected_mask (with planted pixels)
        -> path.
    outputs : mapping
        strengths, changes, confusion, figure -> path.
    detector : Detector
    geometry : Geometry
        The geometry of the exposures.
    n_exposures : int
        The larger of the numbers of darks and flats.
    """
    before, after = (
        read_findings(inputs[f"{run}evidence"], inputs[f"{run}mask"], geometry, detector) for run in ("", "injected_")
    )
    planted = read_truth(inputs["truth"])
    truth, score = injection_score(planted, before, after, n_exposures)
    if lost := len(planted.pixels) - len(truth.pixels):
        logger.warning("%d planted pixels are left out, because the run without planted pixels flags them now", lost)
    strengths, changes = strength_table(score), change_table(truth, before, after)
    logger.info("completeness:\n%s", strengths.to_string(index=False))
    logger.info("other pixels:\n%s", changes.to_string(index=False))
    for name, table in (("strengths", strengths), ("changes", changes), ("confusion", confusion_table(score))):
        write_csv(outputs[name], table)
    curves, thresholds = curve_table(score)
    plot_curves(outputs["figure"], curves, thresholds, label="found")


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            dict(snakemake.input.items()),
            dict(snakemake.output.items()),
            detector_from_mapping(snakemake.params.detector),
            Geometry(**snakemake.params.geometry),
            snakemake.params.n_exposures,
        )
