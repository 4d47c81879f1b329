"""Vote again without each exposure in turn, and name those whose removal changes far more than that of the others.

Reads the statistics files of the darks and flats, and the responses of the flats where they vote one by one; writes a
CSV with a row per exposure.
"""

import pandas as pd

from badpix.detectors import detector_from_mapping
from badpix.exposure_set import read_set
from badpix.files import write_text
from badpix.flat_response import combine_flats
from badpix.judgement import gather, judge
from badpix.logs import logger, logging_to
from badpix.outliers import changed_pixels, outlier_table
from badpix.segments import by_exposure
from badpix.settings import effective_max_dead_norm_signal

# Whether there are enough is asked where the mask is made.
ENOUGH = {"min_darks": 1, "min_flats": 1, "on_bad_exposure": "quarantine"}


def types_of(kind, statistics, responses, detector, config, response_settings):
    """Type -> boolean image (y, x) of the pixels found by the exposures of `kind` alone; and the science pixels."""
    inputs = gather({"darks": [], "flats": [], kind: statistics}, detector, config | ENOUGH, {})
    response = None
    if kind == "flats":
        response = combine_flats([flat.path for flat in inputs.used["flats"]], inputs.science, response_settings)
    verdicts, _ = judge(inputs, response, responses, config)
    return {name: verdict.found for name, verdict in verdicts.items()}, inputs.science


def compare(kind, statistics, responses, detector, config, response_settings):
    """The `outlier_table` of the exposures of `kind`; `responses` maps exposure to the file of a flat's response."""
    paths = {segment.name: segment.path for segment in read_set(statistics)[0]}
    exposures = by_exposure(paths)

    def types_without(left_out):
        kept = [path for name, segments in exposures.items() if name != left_out for path in map(paths.get, segments)]
        voting = [path for name, path in responses.items() if name in exposures and name != left_out]
        return types_of(kind, kept, voting, detector, config, response_settings)

    if len(exposures) < 2:
        return outlier_table({}, 0, config["outlier_factor"])
    found, science = types_without(None)
    n_changed = {}
    for name in exposures:
        n_changed[name] = changed_pixels(found, types_without(name)[0])
        logger.info("without %s the types of %d pixels change", name, n_changed[name])
    return outlier_table(n_changed, int(science.sum()), config["outlier_factor"])


def main(statistics, responses, output, detector, config, response_settings):
    """Write the table at `output`.

    `statistics` maps darks and flats to lists of paths, `responses` flat to the path of its response, where flats vote
    one by one; `detector` maps the fields of Detector, `config` the keys of the vote and `response_settings` those of
    the response.
    """
    detector = detector_from_mapping(detector)
    default = effective_max_dead_norm_signal(
        config["max_dead_norm_signal"], config["flat_mean_normalization_method"], detector.max_dead_norm_signal_dn_per_s
    )
    config = config | {"max_dead_norm_signal": default}
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
