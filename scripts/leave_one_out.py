"""Vote again without each exposure in turn: the outliers among the exposures, and the stability of each flag.

Reads the statistics files of the darks and flats, and the responses of the flats if single flats vote. Writes a CSV
with a row per exposure, and a FITS with the stability of each flag.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from badpix.core.logs import logger, logging_to
from badpix.formats.leave_one_out_file import write_exposures, write_votes
from badpix.instrument.detectors import detector_from_mapping
from badpix.reliability.leave_one_out import Stability, kinds_of, leave_one_out
from badpix.reliability.outliers import outlier_table
from badpix.vote.exposure_set import RequiredExposures, VoteFiles, select_exposures
from badpix.vote.settings import VoteSettings

# The mask's own job checks the numbers of exposures.
NO_LIMITS = RequiredExposures(min_darks=0, min_flats=0, on_bad_exposure="reject")


@dataclass(frozen=True)
class OutlierRule:
    """An outlier changes `factor` times as many pixels as all others; if `excluded`, outliers have no vote."""

    factor: float
    excluded: bool


def main(files: VoteFiles, outputs: Mapping, detector: Mapping, config: Mapping, rule: OutlierRule) -> None:
    """Vote without each exposure, and write the table of exposures and the stability of the flags.

    Parameters
    ----------
    files : VoteFiles
        Statistics and responses.
    outputs : mapping
        table, stability -> path.
    detector : mapping
        The fields of Detector.
    config : mapping
        The configuration keys of the vote.
    rule : OutlierRule
        If it excludes outliers, the stability is computed without them.
    """
    settings = VoteSettings.from_config(config)
    exposures = select_exposures(files, detector_from_mapping(detector), NO_LIMITS)
    n_science = int(exposures.science.sum())
    tables, votes = [], {}
    for kind, of_kind in kinds_of(exposures):
        votes[kind] = leave_one_out(of_kind, files.responses, settings)
        table = outlier_table(votes[kind].n_changed, n_science, rule.factor)
        table.insert(0, "kind", kind)
        tables.append(table)
        outliers = table[table["outlier"]]
        for row in outliers.itertuples():
            logger.warning(
                "%s is an outlier: the types of %d pixels change without it, of %.0f without another exposure",
                row.exposure,
                row.n_changed,
                row.others,
            )
            of_kind = of_kind.without(row.exposure)
        if rule.excluded and len(outliers):
            votes[kind] = leave_one_out(of_kind, files.responses, settings)
    write_exposures(outputs["table"], pd.concat(tables))
    stability = Stability.of(votes)
    write_votes(outputs["stability"], stability.pixels, stability.types, files.provenance(config))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            VoteFiles.of_rule(snakemake.input, snakemake.params),
            dict(snakemake.output.items()),
            snakemake.params.detector,
            snakemake.params.config,
            OutlierRule(snakemake.params.outlier_factor, snakemake.params.exclude_outliers),
        )
