"""Vote with other thresholds, from the cached statistics, and count the found pixels; without a mask.

Reads the inputs of the vote, and the truth if it is known; writes a CSV with a row per type, flag and planted type.
"""

from collections.abc import Mapping, Sequence

from badpix.core.csv_table import write_csv
from badpix.core.logs import logger, logging_to
from badpix.formats.truth_file import truth_of
from badpix.instrument.detectors import detector_from_mapping
from badpix.mask.make import MaskSettings, make_mask
from badpix.sweep.tables import point_table
from badpix.vote.exposure_set import VoteFiles
from badpix.vote.settings import VoteSettings


def main(files: VoteFiles, output: str, detector: Mapping, config: Mapping, truths: Sequence[str]) -> None:
    """Vote with the values of a point and write its `point_table`.

    Parameters
    ----------
    files : VoteFiles
        The files of the vote.
    output : path
        CSV to write.
    detector : mapping
        The fields of Detector.
    config : mapping
        The configuration keys of the vote, with the values of the point.
    truths : sequence of paths
        Truth files; may be empty.
    """
    settings, mask = VoteSettings.from_config(config), MaskSettings.from_config(config)
    vote = make_mask(files, detector_from_mapping(detector), settings, mask)
    truth = truth_of(truths, vote.exposures.detector.name, vote.exposures.geometry.shape)
    table = point_table(vote, truth)
    write_csv(output, table)
    logger.info("%d types and flags", len(table))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            VoteFiles.of_rule(snakemake.input, snakemake.params),
            snakemake.output.table,
            snakemake.params.detector,
            snakemake.params.config,
            list(snakemake.input.truth),
        )
