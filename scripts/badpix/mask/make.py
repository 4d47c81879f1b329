"""From cached statistics to the DQ image of a mask, for the mask itself and for a sweep."""

from dataclasses import dataclass

import numpy as np

from badpix.config.settings import effective_max_dead_norm_signal
from badpix.core.logs import logger
from badpix.formats.response_file import read_response
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.dq import count_flags
from badpix.instrument.geometry import Geometry, full_frame, place, reference_pixels
from badpix.mask.flags import combine, flags_by_type
from badpix.mask.manual_flags import parse_manual_flags, read_text
from badpix.vote.judge import Inputs, gather, judge
from badpix.vote.outliers import read_outliers


@dataclass(frozen=True)
class MaskVote:
    """What a vote says.

    `inputs` is what voted, `verdicts` maps types to Verdict, `measured` names to (image, unit); `dq` is the mask's
    uint32 image (y, x) and `frame` the Geometry of it, which may be larger than that of the other images.
    """

    inputs: Inputs
    verdicts: dict
    measured: dict
    dq: np.ndarray
    frame: Geometry


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


def with_threshold_in_force(config, detector):
    """`config` with the number that `max_dead_norm_signal` stands for, for `detector` (a Detector)."""
    default = effective_max_dead_norm_signal(
        config["max_dead_norm_signal"], config["flat_mean_normalization_method"], detector.max_dead_norm_signal_dn_per_s
    )
    return config | {"max_dead_norm_signal": default}


def vote(statistics, responses, detector, config, manual_flag_path, quarantined, outliers=None):
    """The MaskVote of `detector` (a mapping with the fields of Detector).

    `statistics` maps darks and flats to lists of paths, `responses` maps `mean` to the flats' response file (None
    without flats) and `exposures` to those of the single flats, where they vote, `config` holds the keys of the vote,
    `quarantined` what was left out before (input -> reason). `outliers` is the table of leave_one_out, if those it
    names are to be left out.
    """
    detector = detector_from_mapping(detector)
    config = with_threshold_in_force(config, detector)
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
    return MaskVote(inputs, verdicts, measured, dq, frame)
