"""Vote across the exposures and write the mask, its evidence and its summary.

Reads the statistics files of the darks and flats and the response of the flats; no ramp. Writes the CRDS-format MASK,
the evidence FITS, the summary CSV (counts and fractions per type and per flag) and the CSV of the exposures left out.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from astropy.io import fits

from badpix.combine import combine, count_flags, flags_by_type
from badpix.dark_excess import DarkExcess, dark_verdicts
from badpix.dark_vote import DarkVote, pedestal_plane
from badpix.detectors import detector_from_mapping
from badpix.errors import BadExposure
from badpix.evidence import summary_table, write_evidence
from badpix.exposure_set import common_geometry, observation_dates, read_set, require_enough, whole_exposures
from badpix.files import write_text
from badpix.flat_background import unlit
from badpix.flat_ballots import FlatBallots
from badpix.flat_types import flat_verdicts
from badpix.geometry import amplifiers, full_frame, place, reference_pixels
from badpix.history import history_lines
from badpix.logs import logger, logging_to
from badpix.manual_flags import parse_manual_flags, read_text
from badpix.mask_file import complete_pedigree, write_mask
from badpix.precedence import only_at_times, without_explained
from badpix.settings import DarkExcessSettings, DarkVoteSettings, FlatTypeSettings, effective_max_dead_norm_signal
from badpix.statistics_file import open_segments, open_statistics, quarantine_reason


@dataclass
class Inputs:
    """What the vote works on: exposures by kind, those left out (name -> reason), and the detector's pixels."""

    used: dict
    left_out: dict
    detector: object
    geometry: object
    border: np.ndarray

    @property
    def science(self):
        return ~self.border

    @property
    def exposures(self):
        return [exposure for exposures in self.used.values() for exposure in exposures]


def gather(statistics, detector, config, quarantined):
    """Read the headers of `statistics` (kind -> paths) and check that they can make one mask.

    `quarantined` maps what the inventory left out to its reason. Raises TooFewExposures, and BadExposure when
    something was left out and `on_bad_exposure` is `fail`.
    """
    used, left_out = {}, dict(quarantined)
    for kind, paths in statistics.items():
        used[kind], unusable = read_set(paths)
        left_out.update(unusable)
    for name, reason in sorted(left_out.items()):
        logger.warning("left out: %s: %s", name, reason)
    if left_out and config["on_bad_exposure"] == "fail":
        raise BadExposure("; ".join(f"{name}: {reason}" for name, reason in sorted(left_out.items())))
    for kind in statistics:
        if statistics[kind]:
            require_enough(detector.name, kind, used[kind], left_out, config[f"min_{kind}"])
    geometry = common_geometry([exposure for exposures in used.values() for exposure in exposures])
    return Inputs(used, left_out, detector, geometry, reference_pixels(geometry, detector))


def vote_darks(inputs, config):
    """Verdicts and measured images of the darks; nothing if there are none."""
    if not inputs.used["darks"]:
        return {}, {}
    darks = whole_exposures(inputs.used["darks"])
    vote, beyond = DarkVote(inputs.geometry.shape, DarkVoteSettings.from_config(config)), None
    settings = DarkExcessSettings.from_config(config)
    if settings.any:
        n_integrations = sum(fits.getval(dark.path, "NAXIS3", "SLOPE") for dark in inputs.used["darks"])
        regions = amplifiers(inputs.geometry, inputs.detector)
        beyond = DarkExcess(inputs.science, settings, len(darks), n_integrations, regions)
    for segments in darks.values():
        with open_segments(segment.path for segment in segments) as statistics:
            vote.add_exposure(*statistics)
            if beyond:
                planes = [hdu.name for hdu in statistics[0]]
                beyond.add_exposure(*statistics, pedestal_name=pedestal_plane(config["pedestal_source"], planes))
    noise, n_clean = vote.noise()
    measured = {"NOISE": (noise.astype(np.float32), "DN/s"), "NCLEAN": (n_clean, None)}
    return dark_verdicts(vote, beyond, inputs.science), measured


def mean_last_groups(exposures, shape):
    """Mean signal (DN) of the last raw groups over all integrations of the flats, float64 (y, x)."""
    total, number = np.zeros(shape), 0
    for exposure in exposures:
        with open_statistics(exposure.path) as statistics:
            if "LAST_GROUPS" not in statistics:
                raise ValueError(
                    f"run_dead_flux_check needs the uncal file of {exposure.name}; see dead_flux_check_files"
                )
            for plane in statistics["LAST_GROUPS"].data:
                total += plane
                number += 1
    return total / number


def judge_flats(inputs, responses, config):
    """Verdicts and measured images of the flats; nothing if there are none.

    `responses` maps `mean` to the response file of all flats and `exposures` to those of the single ones, if they vote.
    """
    if not inputs.used["flats"]:
        return {}, {}
    with fits.open(responses["mean"]) as hdus:
        mean, norm, n_valid = (np.array(hdus[name].data) for name in ("MEAN", "RESPONSE", "NVALID"))
    settings = FlatTypeSettings.from_config(config)
    last_groups = None
    if settings.dead_search and settings.run_dead_flux_check:
        last_groups = mean_last_groups(inputs.used["flats"], inputs.geometry.shape)
    lit = inputs.science
    if config["unlit_fraction"] is not None:
        dark = unlit(mean, inputs.science, config["unlit_fraction"])
        logger.info("%d pixels are not lit in the flats, or at the edge of the light", dark.sum())
        lit = inputs.science & ~dark
    measured = {"RESPONSE": (norm.astype(np.float32), None), "NFLAT": (n_valid, None)}
    if settings.flat_ballot == "exposure":
        vote = FlatBallots(inputs.science, lit, settings)
        for path in responses["exposures"]:
            if quarantine_reason(path) is None:
                vote.add(fits.getdata(path, "RESPONSE"))
        return vote.verdicts(last_groups), measured
    return flat_verdicts(np.where(lit, norm, np.nan), n_valid, inputs.science, settings, last_groups), measured


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


def main(statistics, responses, outputs, detector, config, manual_flag_path, quarantined, file_names, parameters):
    """Make the mask of `detector` (a mapping with the fields of Detector).

    `statistics` maps darks and flats to lists of paths, `responses` maps `mean` to the flats' response file (None
    without flats) and `exposures` to those of the single flats, where they vote,
    `config` holds the keys of the vote, `quarantined` what was left out before (input -> reason), `file_names` the
    input file name of each exposure, `parameters` the values for the mask's header.
    """
    detector = detector_from_mapping(detector)
    default = effective_max_dead_norm_signal(
        config["max_dead_norm_signal"], config["flat_mean_normalization_method"], detector.max_dead_norm_signal_dn_per_s
    )
    config = config | {"max_dead_norm_signal": default}
    inputs = gather(statistics, detector, config, quarantined)
    dark, dark_images = vote_darks(inputs, config)
    flat, flat_images = judge_flats(inputs, responses, config)
    verdicts = dark | flat
    if config["exclusive_types"]:
        verdicts = without_explained(verdicts, config["telegraph_search"])
    verdicts = only_at_times(verdicts)
    for name, verdict in verdicts.items():
        unjudged = verdict.insufficient.sum()
        logger.info("%s: %d pixels found, %d could not be judged", name, verdict.found.sum(), unjudged)
    table = flags_by_type(config["flag_values"], config["dark_do_not_use"], config["flat_do_not_use"])
    frame = full_frame(inputs.geometry, detector) if config["mask_frame"] == "full" else inputs.geometry
    manual = manual_flags(manual_flag_path, frame, detector)
    found = {name: place(verdict.found, inputs.geometry, frame) for name, verdict in verdicts.items()}
    dq = combine(found, table, reference_pixels(frame, detector), manual, config["flat_do_not_use"])
    logger.info("flags of the mask: %s", count_flags(dq))
    save(outputs, inputs, verdicts, dark_images | flat_images, dq, frame, config, file_names, parameters)


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
        )
