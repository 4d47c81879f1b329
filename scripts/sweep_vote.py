"""Vote with other thresholds, from cached statistics, and count; no mask is made.

Reads what the vote reads, and the truth if there is one; writes a CSV with a row per type, flag and planted type.
"""

from astropy.io import fits

from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.formats.truth_file import read_truth
from badpix.instrument.geometry import cut
from badpix.mask.make import vote
from badpix.sweep.tables import point_table
from badpix.vote.exposure_set import whole_exposures


def truth_of(paths, detector, shape):
    """The Truth of `detector` (its name) among the truth files at `paths`, None without any.

    ValueError when none is of this detector, or it is not of the `shape` (y, x) of the exposures.
    """
    if not paths:
        return None
    for path in paths:
        if fits.getheader(path, 0).get("DETECTOR") == detector:
            truth = read_truth(path)
            if truth.codes.shape != shape:
                raise ValueError(f"truth: {path} is of shape {truth.codes.shape}, the exposures of {shape} (y, x)")
            return truth
    raise ValueError(f"truth: none of {', '.join(map(str, paths))} is of the detector {detector} (keyword DETECTOR)")


def main(statistics, responses, output, detector, config, manual_flag_path, quarantined, truths, outliers=None):
    """Write the `point_table` of one point at `output`.

    Arguments as of `badpix.mask.make.vote`; `config` has the point's values, `truths` lists paths of truth files.
    """
    result = vote(statistics, responses, detector, config, manual_flag_path, quarantined, outliers)
    inputs = result.inputs
    truth = truth_of(truths, inputs.detector.name, inputs.geometry.shape)
    dq = cut(result.dq, result.frame, inputs.geometry)
    n_exposures = max(len(whole_exposures(exposures)) for exposures in inputs.used.values())
    table = point_table(result.verdicts, dq, result.dq, inputs.science, truth, n_exposures)
    write_text(output, table.to_csv(index=False))
    logger.info("%d types and flags", len(table))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            {"darks": list(snakemake.input.darks), "flats": list(snakemake.input.flats)},
            {"mean": snakemake.input.get("response"), "exposures": list(snakemake.input.get("responses", []))},
            snakemake.output.table,
            snakemake.params.detector,
            snakemake.params.config,
            snakemake.input.get("manual_flags"),
            snakemake.params.quarantined,
            list(snakemake.input.truth),
            next(iter(snakemake.input.outliers), None),
        )
