"""The flags of bad reference pixels in a mask: which darks vote, and what must be known about the result."""

from collections.abc import Mapping
from typing import Any

from badpix.core.logs import logger
from badpix.core.reasons import reason_lines
from badpix.instrument import irs2
from badpix.instrument.reference_groups import reference_groups
from badpix.vote.exposure_set import ExposureSet, VoteFiles
from badpix.vote.reference_pixels import ReferenceSettings, ReferenceVote, read_exposures, vote_on_reference_pixels
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
