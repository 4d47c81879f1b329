"""Vote across the exposures and write the mask, its evidence and its summary.

Reads the statistics files of the darks and flats and the response of the flats; no ramp. Writes the CRDS-format MASK,
the evidence FITS, the summary CSV (counts and fractions per type and per flag) and the CSV of the exposures left out.
"""

from concurrent.futures import ThreadPoolExecutor

import pandas as pd

from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.formats.evidence_file import write_evidence
from badpix.formats.mask_file import MaskHeader, complete_pedigree, load_datamodel, write_mask
from badpix.mask.make import vote
from badpix.mask.provenance import history_lines
from badpix.mask.summary import summary_table
from badpix.vote.exposure_set import observation_dates


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
    write_mask(outputs["mask"], dq, frame, MaskHeader(mask_identity(inputs), texts, history, parameters))
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
    # The datamodel takes seconds to load, and the vote's compiled code leaves it a core.
    with ThreadPoolExecutor(max_workers=1) as beside:
        beside.submit(load_datamodel)
        result = vote(statistics, responses, detector, config, manual_flag_path, quarantined, outliers)
    save(
        outputs,
        result.inputs,
        result.verdicts,
        result.measured,
        result.dq,
        result.frame,
        config,
        file_names,
        parameters,
    )


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
