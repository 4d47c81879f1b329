"""The DQ image of a mask from cached statistics, for the mask itself and for a sweep."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from badpix.config.dates import date_warnings
from badpix.config.settings import Settings
from badpix.core.logs import logger
from badpix.exposures.optical_setup import setup_warnings
from badpix.formats.type_result import TypeResult
from badpix.instrument.detectors import Detector
from badpix.instrument.dq import count_flags
from badpix.instrument.geometry import Geometry, embed, full_frame, reference_pixels
from badpix.mask.flags import combine, flags_by_type
from badpix.mask.manual_flags import manual_flags
from badpix.mask.reference_pixels import few_usable, vote_on_reference
from badpix.mask.warnings import exposure_starts, vote_warnings
from badpix.vote.classification import Measured
from badpix.vote.classify import classify
from badpix.vote.exposure_set import ExposureSet, VoteFiles, select_exposures
from badpix.vote.reference_pixels import ReferenceVote
from badpix.vote.settings import VoteSettings


@dataclass(frozen=True)
class MaskSettings(Settings):
    """The configuration keys that turn the result of a vote into a mask; attributes have the names of the keys."""

    mask_frame: str
    bad_reference_pixels: Mapping[str, Any] | None
    flag_values: Mapping[str, list[str]]
    dark_do_not_use: list[str]
    flat_do_not_use: list[str]
    author: str
    description: str
    pedigree: str
    useafter: str
    history: str
    # The record of `badpix.config.presets.Preset`, None without a preset.
    preset: Mapping[str, Any] | None


@dataclass(frozen=True)
class MaskVote:
    """A mask and the vote behind it.

    `exposures` took part in the vote; `results` maps types to TypeResult, `measured` maps names to (image, unit). `dq`
    is the image of the mask, uint32 (y, x), and `frame` its Geometry. The frame of the mask may be larger than the
    array of the other images. `warnings` are sentences about results that may be wrong; the log and the HISTORY of the
    mask have them. `reference` is the vote on reference pixels, None without it. `flags` maps types to their DQ bits,
    `notes` are further lines of HISTORY. `not_lit` is the number of science pixels without light in the flats,
    None without `min_unlit_area`.
    """

    exposures: ExposureSet
    results: dict[str, TypeResult]
    measured: Measured
    dq: np.ndarray
    frame: Geometry
    warnings: tuple[str, ...] = ()
    reference: ReferenceVote | None = None
    flags: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    not_lit: int | None = None


def make_mask(
    files: VoteFiles, detector: Detector, settings: VoteSettings, mask: MaskSettings, threads: int = 1
) -> MaskVote:
    """Classify the pixels by a vote of the exposures in `files` with so many `threads`, and turn the types into flags.

    Raises TooFewExposures, and BadExposure if an exposure is rejected and `on_bad_exposure` is `fail`.
    """
    # The vote verifies the planes that it reads.
    exposures = select_exposures(files, detector, settings.required, planes=())
    voted = classify(exposures, files.responses.read_mean, files.responses, settings, threads)
    results = voted.results
    n_clean = voted.measured["NCLEAN"][0] if exposures.darks else None
    geometry = exposures.geometry
    frame = full_frame(geometry, detector) if mask.mask_frame == "full" else geometry
    manual = manual_flags(files.manual_flags, frame, detector)
    reference, reference_warnings = vote_on_reference(files, exposures, settings, mask.bad_reference_pixels)
    warnings = (
        *date_warnings(mask.pedigree, mask.useafter, exposure_starts(exposures)),
        *setup_warnings(segment.header for flat in exposures.flats for segment in flat.segments),
        *exposures.warnings,
        *voted.warnings,
        *vote_warnings(exposures, results, n_clean, settings),
        *reference_warnings,
        *(manual.warnings if manual else ()),
    )
    for name, result in results.items():
        n_insufficient = result.insufficient.sum()
        logger.info("%s: %d pixels found, %d could not be classified", name, result.found.sum(), n_insufficient)
    table = flags_by_type(mask.flag_values, mask.dark_do_not_use, mask.flat_do_not_use)
    found = {name: embed(result.found, geometry, frame) for name, result in results.items()}
    dq = combine(
        found, table, reference_pixels(frame, detector), manual.flags if manual else None, mask.flat_do_not_use
    )
    if reference is not None:
        dq |= embed(reference.image(geometry.shape), geometry, frame)
    warnings = (*warnings, *few_usable(dq, frame, detector))
    for warning in warnings:
        logger.warning("%s", warning)
    logger.info("flags of the mask: %s", count_flags(dq))
    flags = {name: of_type.bits for name, of_type in table.items()}
    return MaskVote(
        exposures, results, voted.measured, dq, frame, warnings, reference, flags, voted.notes, voted.not_lit
    )
