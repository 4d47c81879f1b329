"""The reliability of a mask: all rows of its table, and the pixels that further exposures will not classify."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from badpix.formats.evidence_file import Evidence
from badpix.formats.pixel_types import PIXEL_TYPES
from badpix.reliability.expected import expected_dark, expected_flat
from badpix.reliability.leave_one_out import Stability
from badpix.reliability.stability import FALSE, Row, Shortage, more_needed, settle_rows, stability_rows
from badpix.vote.exposure_set import KINDS, ExposureSet
from badpix.vote.settings import VoteSettings


@dataclass(frozen=True)
class Reliability:
    """`rows` of the table, and type -> boolean image (y, x) of the unresolvable pixels.

    An unresolvable pixel had no valid value in any exposure, so that further exposures of the kind will not help.
    """

    rows: list[Row]
    unresolvable: Mapping[str, np.ndarray]


def types_of(kind: str, evidence: Evidence) -> list[str]:
    """The types in the evidence that exposures of `kind` (darks, flats) can show."""
    return [name for name in evidence.bit_of if f"{PIXEL_TYPES[name].kind}s" == kind]


def unsettled(kind: str, n_exposures: int, evidence: Evidence, settings: VoteSettings) -> Reliability:
    """Rows about the pixels that could not be classified, and the unresolvable pixels among them."""
    rows: list[Row] = []
    unresolvable: dict[str, np.ndarray] = {}
    for name in types_of(kind, evidence):
        if name == "noisy" and "noisy" not in settings.replaced_tests:
            have, need, what = evidence.measured["NCLEAN"], settings.darks.min_clean_slopes, "jump-free slopes"
        elif evidence.tests.get(name):
            have = np.maximum.reduce([evidence.n_valid(test) for test in evidence.tests[name]])
            need, what = max(1, settings.min_valid), "valid votes"
        else:
            continue
        y, x = np.nonzero(evidence.is_insufficient(name))
        if len(y):
            rows += settle_rows(kind, name, Shortage(have[y, x], need, what), n_exposures)
            unresolvable[name] = np.zeros(evidence.found.shape, bool)
            unresolvable[name][y, x] = np.isinf(more_needed(have[y, x], need, n_exposures))
    return Reliability(rows, unresolvable)


def reliability_of(
    exposures: ExposureSet, evidence: Evidence, stability: Stability, settings: VoteSettings
) -> Reliability:
    """The Reliability of the mask made from `exposures`; `evidence` is the evidence file of their vote."""
    rows: list[Row] = []
    unresolvable: dict[str, np.ndarray] = {}
    for kind in KINDS:
        n_exposures = len(exposures.of(kind))
        if not n_exposures:
            continue
        if kind == "darks":
            expected = expected_dark(exposures, evidence, settings)
        else:
            expected = expected_flat(exposures, evidence, settings.flats)
        for name, (value, note) in expected.items():
            rows.append((FALSE, kind, name, "found", int(evidence.is_found(name).sum()), "pixels"))
            rows.append((FALSE, kind, name, "expected", value, note))
        more = unsettled(kind, n_exposures, evidence, settings)
        rows += stability_rows(kind, stability.pixels, stability.types) + more.rows
        unresolvable.update(more.unresolvable)
    return Reliability(rows, unresolvable)
