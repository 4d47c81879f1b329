"""Vote again without each exposure in turn, and name those whose removal changes far more than that of the others.

Reads the statistics files of the darks and flats, and the responses of the flats where they vote one by one; writes a
CSV with a row per exposure.
"""

import pandas as pd

from badpix.control.leave_one_out import votes
from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.instrument.detectors import detector_from_mapping
from badpix.mask.make import with_threshold_in_force
from badpix.vote.outliers import changed_pixels, outlier_table


def compare(kind, statistics, responses, detector, config, response_settings):
    """The `outlier_table` of the exposures of `kind`; `responses` maps exposure to the file of a flat's response."""
    n_changed, whole = {}, None
    for vote in votes(kind, statistics, responses, detector, config, response_settings):
        if vote.left_out is None:
            whole = vote
            continue
        n_changed[vote.left_out] = changed_pixels(whole.found, vote.found)
        logger.info("without %s the types of %d pixels change", vote.left_out, n_changed[vote.left_out])
    return outlier_table(n_changed, int(whole.science.sum()) if whole else 0, config["outlier_factor"])


def main(statistics, responses, output, detector, config, response_settings):
    """Write the table at `output`.

    `statistics` maps darks and flats to lists of paths, `responses` flat to the path of its response, where flats vote
    one by one; `detector` maps the fields of Detector, `config` the keys of the vote and `response_settings` those of
    the response.
    """
    detector = detector_from_mapping(detector)
    config = with_threshold_in_force(config, detector)
    tables = []
    for kind, paths in statistics.items():
        table = compare(kind, paths, responses, detector, config, response_settings)
        table.insert(0, "kind", kind)
        tables.append(table)
        for row in table[table["outlier"]].itertuples():
            logger.warning(
                "%s is an outlier: without it the types of %d pixels change, without another one those of %.0f",
                row.exposure,
                row.n_changed,
                row.others,
            )
    write_text(output, pd.concat(tables).to_csv(index=False))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            {"darks": list(snakemake.input.darks), "flats": list(snakemake.input.flats)},
            dict(zip(snakemake.params.flats, snakemake.input.get("responses", []), strict=False)),
            snakemake.output.table,
            snakemake.params.detector,
            snakemake.params.config,
            snakemake.params.response_settings,
        )
