"""Vote again without each exposure in turn: the stability of each flag.

Reads the statistics files of the darks and flats, and the responses of the flats if single flats vote. Writes a CSV
with a row per exposure, and a FITS with the stability of each flag.
"""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from badpix.core.logs import logging_to
from badpix.formats.leave_one_out_file import write_exposures, write_votes
from badpix.instrument.detectors import detector_from_mapping
from badpix.reliability.leave_one_out import Stability, kinds_of, leave_one_out
from badpix.vote.exposure_set import VoteFiles, select_exposures
from badpix.vote.settings import VoteSettings


def main(files: VoteFiles, outputs: Mapping, detector: Mapping, config: Mapping) -> None:
    """Vote without each exposure, and write the table of exposures and the stability of the flags.

    Parameters
    ----------
    files : VoteFiles
        Statistics, responses and comparison.
    outputs : mapping
        table, stability -> path.
    detector : mapping
        The fields of Detector.
    config : mapping
        The configuration keys of the vote.
    """
    settings = VoteSettings.from_config(config)
    # The mask's own job checks the numbers of exposures.
    required = replace(settings.required, min_darks=0, min_flats=0, on_bad_exposure="reject")
    exposures = select_exposures(files, detector_from_mapping(detector), required)
    votes = {kind: leave_one_out(of_kind, files.responses, settings) for kind, of_kind in kinds_of(exposures)}
    write_exposures(outputs["table"], pd.concat([of_kind.exposures(kind) for kind, of_kind in votes.items()]))
    stability = Stability.of(votes)
    write_votes(outputs["stability"], stability.pixels, stability.types, files.provenance(config))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            VoteFiles.of_rule(snakemake.input, snakemake.params),
            dict(snakemake.output.items()),
            snakemake.params.detector,
            snakemake.params.config,
        )
