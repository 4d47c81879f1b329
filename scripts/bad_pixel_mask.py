"""Vote across the exposures and write the mask, its evidence and its summary.

Reads the statistics files of the darks and flats and the response of the flats; no ramp. Writes the CRDS-format MASK,
the evidence FITS, the summary CSV (counts and fractions per type and per flag) and the CSV of the exposures left out.
"""

import pandas as pd

from badpix.combine import combine, count_flags, flags_by_type
from badpix.detectors import detector_from_mapping
from badpix.evidence import summary_table, write_evidence
from badpix.exposure_set import observation_dates
from badpix.files import write_text
from badpix.geometry import full_frame, place, reference_pixels
from badpix.history import history_lines
from badpix.judgement import gather, judge
from badpix.logs import logger, logging_to
from badpix.manual_flags import parse_manual_flags, read_text
from badpix.mask_file import complete_pedigree, write_mask
from badpix.outliers import read_outliers
from badpix.response_file import read_response
from badpix.settings import effective_max_dead_norm_signal


def manual_flags(path, geometry, detector):
    """The manual flags of the file at `path` (None: none), uint32 (y, x), cut to the array's place on the detector."""
    if path is None:
        return None
    return parse_manual_flags(
        read_text(path),
        geometry.shape,
        str(path),
        origin=(geometry.x_start - 1, geometry.y_start - 1),
        full_shape=(detector.n_rows, detector.n_columns),
    )


def mask_identity(inputs):
    """What CRDS selects a mask by."""
    header = inputs.exposures[0].header
    identity = {"instrument": inputs.detector.instrument, "detector": inputs.detector.name}
    if inputs.detector.instrument == "FGS":
        identity["exp_type"] = header["EXP_TYPE"]
    if inputs.detector.instrument == "NIRSPEC":
        identity["readpatt"] = header["READPATT"]
    return identity


def save(outputs, inputs, verdicts, measured, dq, frame, config, file_names, parameters):
    """Write all outputs (name -> path); the mask comes last. `frame` is the Geometry of `dq`."""
    headers = [exposure.header for exposure in inputs.exposures]
    files = {
        kind: [file_names.get(exposure.name, exposure.name) for exposure in exposures]
        for kind, exposures in inputs.used.items()
    }
    write_evidence(outputs["evidence"], verdicts, measured, [("DETECTOR", inputs.detector.name, "")])
    summary = summary_table(verdicts, dq, inputs.science)
    write_text(outputs["summary"], summary.to_csv(index=False))
    left_out = pd.DataFrame(sorted(inputs.left_out.items()), columns=["input", "reason"])
    write_text(outputs["quarantine"], left_out.to_csv(index=False))
    texts = {key: config[key] for key in ("author", "description", "useafter")}
    texts["pedigree"] = complete_pedigree(config["pedigree"], observation_dates(inputs.exposures))
    history = history_lines(
        config["history"],
        files,
        inputs.left_out,
        {header["CRDS_CTX"] for header in headers if header.get("CRDS_CTX")},
        {header["R_MASK"] for header in headers if header.get("R_MASK")},
    )
    if frame != inputs.geometry:
        history.append(f"Only this part of the frame was measured: {inputs.geometry}")
    write_mask(outputs["mask"], dq, mask_identity(inputs), frame, texts, history, parameters)
    logger.info("summary:\n%s", summary.to_string(index=False))


def main(
    statistics,
    responses,
    outputs,
    detector,
    config,
    manual_flag_path,
    quarantined,
    file_names,
    parameters,
    outliers=None,
):
    """Make the mask of `detector` (a mapping with the fields of Detector).

    `statistics` maps darks and flats to lists of paths, `responses` maps `mean` to the flats' response file (None
    without flats) and `exposures` to those of the single flats, where they vote,
    `config` holds the keys of the vote, `quarantined` what was left out before (input -> reason), `file_names` the
    input file name of each exposure, `parameters` the values for the mask's header.
    `outliers` is the table of leave_one_out, if those it names are to be left out.
    """
    detector = detector_from_mapping(detector)
    default = effective_max_dead_norm_signal(
        config["max_dead_norm_signal"], config["flat_mean_normalization_method"], detector.max_dead_norm_signal_dn_per_s
    )
    config = config | {"max_dead_norm_signal": default}
    inputs = gather(statistics, detector, config, quarantined, read_outliers(outliers))
    response = read_response(responses["mean"]) if inputs.used["flats"] else None
    verdicts, measured = judge(inputs, response, responses.get("exposures", ()), config)
    for name, verdict in verdicts.items():
        unjudged = verdict.insufficient.sum()
        logger.info("%s: %d pixels found, %d could not be judged", name, verdict.found.sum(), unjudged)
    table = flags_by_type(config["flag_values"], config["dark_do_not_use"], config["flat_do_not_use"])
    frame = full_frame(inputs.geometry, detector) if config["mask_frame"] == "full" else inputs.geometry
    manual = manual_flags(manual_flag_path, frame, detector)
    found = {name: place(verdict.found, inputs.geometry, frame) for name, verdict in verdicts.items()}
    dq = combine(found, table, reference_pixels(frame, detector), manual, config["flat_do_not_use"])
    logger.info("flags of the mask: %s", count_flags(dq))
    save(outputs, inputs, verdicts, measured, dq, frame, config, file_names, parameters)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            {"darks": list(snakemake.input.darks), "flats": list(snakemake.input.flats)},
            {"mean": snakemake.input.get("response"), "exposures": list(snakemake.input.get("responses", []))},
            dict(snakemake.output.items()),
            snakemake.params.detector,
            snakemake.params.config,
            snakemake.input.get("manual_flags"),
            snakemake.params.quarantined,
            snakemake.params.file_names,
            snakemake.params.parameters,
            next(iter(snakemake.input.outliers), None),
        )
