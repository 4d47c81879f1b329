"""What a mask is for: instrument, detector, SUBARRAY and the further keywords by which CRDS selects it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from badpix.instrument.geometry import Geometry
from badpix.mask.crds_rules import RulesUnavailable, cache_alone, mask_rules
from badpix.mask.selectors import SelectorSettings, needs_irs2_rows, selector_values, subarray_name
from badpix.vote.exposure_set import ExposureSet

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Identity:
    """The keywords of a mask by which CRDS selects it.

    `cards` are keywords beside INSTRUME, DETECTOR and SUBARRAY with their values. `irs2_rows` is True for a mask with
    the interleaved rows of raw IRS2 files. `source` is a sentence on the origin of the list of keywords, for HISTORY.
    """

    instrument: str
    detector: str
    subarray: str
    cards: Mapping[str, str | int]
    irs2_rows: bool
    source: str


def mask_identity(
    exposures: ExposureSet, frame: Geometry, settings: SelectorSettings, crds: Mapping[str, str | None]
) -> Identity:
    """The Identity of the mask of `exposures` with the Geometry `frame`; `crds` as for `set_crds_environment`.

    SelectorError if the configured values cannot be used.
    """
    detector = exposures.detector
    headers = [segment.header for segment in exposures.segments]
    keywords: tuple[str, ...]
    try:
        with cache_alone(crds, {header["CRDS_CTX"] for header in headers if header.get("CRDS_CTX")}):
            rules = mask_rules(detector.instrument)
        keywords, origin = rules.keywords, f"the mask rmap of {rules.context}"
    except RulesUnavailable as error:
        keywords, origin = ("DETECTOR", *detector.mask_selectors), "the documentation of the pipeline"
        logger.warning("the keywords by which CRDS selects masks are those of %s: %s", origin, error)
    cards = selector_values(keywords, headers, settings.selectors, detector.instrument)
    return Identity(
        detector.instrument,
        detector.name,
        subarray_name(settings.subarray_name, exposures.geometry, frame, detector),
        cards,
        needs_irs2_rows(cards, headers),
        f"CRDS selects by {', '.join(keywords)}, from {origin}",
    )
