"""The flags of bad reference pixels in a mask: which darks vote, and what must be known about the result."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from badpix.core.logs import logger
from badpix.core.reasons import reason_lines
from badpix.instrument import irs2
from badpix.instrument.detectors import Detector
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import Geometry
from badpix.instrument.reference_groups import reference_groups
from badpix.vote.exposure_set import ExposureSet, VoteFiles
from badpix.vote.reference_pixels import (
    MIN_GOOD,
    ReferenceSettings,
    ReferenceVote,
    read_exposures,
    vote_on_reference_pixels,
)
from badpix.vote.settings import VoteSettings

KEY = "bad_reference_pixels"
MAX_FRACTION = 0.05  # of the reference pixels; more than this is unusual
MAX_REASONS = 5


def vote_on_reference(
    files: VoteFiles, exposures: ExposureSet, settings: VoteSettings, key: Mapping[str, Any] | None
) -> tuple[ReferenceVote | None, list[str]]:
    """The ReferenceVote of the darks that vote on the mask, and its warnings; None if no reference pixel is judged.

    `key` is the value of `bad_reference_pixels`.
    """
    search = ReferenceSettings.of_key(key)
    if search is None:
        return None, []
    groups = reference_groups(exposures.geometry, exposures.detector)
    if not groups.y.size:
        return None, [f"{KEY}: the array {exposures.geometry.subarray} has no reference pixels"]
    names = [dark.name for dark in exposures.darks]
    measured, reasons = read_exposures(files.reference_pixels, names)
    warnings = []
    if reasons:
        warnings.append(
            f"{KEY}: {len(reasons)} of {len(names)} darks have no vote on reference pixels: "
            + "; ".join(reason_lines(reasons, MAX_REASONS, "the logs of reference_statistics"))
        )
    if not measured:
        return None, [*warnings, f"{KEY}: no reference pixel was judged, because no dark has a usable raw file"]
    if any(irs2.is_irs2(dark.header.get("READPATT")) for dark in exposures.darks):
        warnings.append(f"{KEY}: the interleaved reference pixels of IRS2 are not judged, only those of the border")
    vote = vote_on_reference_pixels(measured, groups, search, settings.false_flags_per_million, settings.min_valid)
    n_bad = int((vote.dq != 0).sum())
    if n_bad > MAX_FRACTION * vote.dq.size:
        warnings.append(
            f"{KEY}: {n_bad} of {vote.dq.size} reference pixels are bad; more than {MAX_FRACTION:.0%} is unusual: check"
            " the darks and the limits"
        )
    for note in vote.notes:
        logger.info("%s", note)
    return vote, [*warnings, *vote.warnings]


def few_usable(dq: np.ndarray, frame: Geometry, detector: Detector) -> list[str]:
    """The warning of groups of reference pixels that DO_NOT_USE leaves too few of, whatever its source.

    `dq` is the image of a mask, uint32 (y, x), with the Geometry `frame`. No warning without reference pixels.
    """
    groups = reference_groups(frame, detector)
    usable = dq[groups.y, groups.x] & np.uint32(PIXEL_FLAGS["DO_NOT_USE"]) == 0
    total, good = (np.bincount(groups.group[keep], minlength=len(groups.names)) for keep in (..., usable))
    few = np.flatnonzero(good < np.minimum(MIN_GOOD, total))
    if not few.size:
        return []
    names = "; ".join(f"{good[n]} of {total[n]} of {groups.names[n]}" for n in few[:MAX_REASONS])
    more = f"; and {few.size - MAX_REASONS} more" if few.size > MAX_REASONS else ""
    return [
        f"reference pixels: DO_NOT_USE leaves fewer than {MIN_GOOD} reference pixels in {few.size} of"
        f" {len(groups.names)} groups, so refpix does not correct as it should ({names}{more})"
    ]
