"""From cached statistics to the DQ image of a mask, for the mask itself and for a sweep."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from badpix.config.settings import Settings
from badpix.core.logs import logger
from badpix.formats.response_file import read_response
from badpix.formats.type_result import TypeResult
from badpix.instrument.detectors import Detector
from badpix.instrument.dq import count_flags
from badpix.instrument.geometry import Geometry, embed, full_frame, reference_pixels
from badpix.mask.flags import combine, flags_by_type
from badpix.mask.manual_flags import manual_flags
from badpix.vote.classify import Measured, classify
from badpix.vote.exposure_set import ExposureSet, VoteFiles, select_exposures
from badpix.vote.settings import VoteSettings


@dataclass(frozen=True)
class MaskSettings(Settings):
    """The configuration keys that turn a vote into a mask, under their own names."""

    mask_frame: str
    flag_values: Mapping[str, list[str]]
    dark_do_not_use: list[str]
    flat_do_not_use: list[str]
    author: str
    description: str
    pedigree: str
    useafter: str
    history: str


@dataclass(frozen=True)
class MaskVote:
    """The outcome of a vote.

    `exposures` are those that voted, `results` maps types to TypeResult, `measured` names to (image, unit); `dq` is the
    mask's uint32 image (y, x) and `frame` the Geometry of it, which may be larger than that of the other images.
    """

    exposures: ExposureSet
    results: dict[str, TypeResult]
    measured: Measured
    dq: np.ndarray
    frame: Geometry


def make_mask(files: VoteFiles, detector: Detector, settings: VoteSettings, mask: MaskSettings) -> MaskVote:
    """Let the exposures of `files` vote, and turn the types into flags.

    Raises TooFewExposures, and BadExposure where a rejected exposure stops the run.
    """
    exposures = select_exposures(files, detector, settings.required)
    response = read_response(files.responses.mean) if exposures.flats else None
    results, measured = classify(exposures, response, files.responses, settings)
    for name, result in results.items():
        unjudged = result.insufficient.sum()
        logger.info("%s: %d pixels found, %d could not be judged", name, result.found.sum(), unjudged)
    table = flags_by_type(mask.flag_values, mask.dark_do_not_use, mask.flat_do_not_use)
    geometry = exposures.geometry
    frame = full_frame(geometry, detector) if mask.mask_frame == "full" else geometry
    manual = manual_flags(files.manual_flags, frame, detector)
    found = {name: embed(result.found, geometry, frame) for name, result in results.items()}
    dq = combine(found, table, reference_pixels(frame, detector), manual, mask.flat_do_not_use)
    logger.info("flags of the mask: %s", count_flags(dq))
    return MaskVote(exposures, results, measured, dq, frame)
