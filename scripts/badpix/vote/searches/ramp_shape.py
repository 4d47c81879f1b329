"""RC and inverse RC pixels, by ramps that are steeper or flatter early than late."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from badpix.numerics.row_blocks import in_blocks
from badpix.vote.outlier_test import HIGH, LOW
from badpix.vote.searches.base import Further, Integration, Measure, Measured, Search, VoteCount

# A change of slope counts only above this fraction of the late slope, because shot noise and non-linearity give hot
# pixels smaller changes.
MIN_SLOPE_CHANGE = 0.3
_FURTHER = Further("DEVIATION / CDS_LATE", MIN_SLOPE_CHANGE, "deviation over the late difference")


@dataclass(frozen=True)
class RampShapeSearch(Search):
    """rc and inverse_rc: the first difference, or the early differences, above or below the late differences."""

    ramp_shape_search: bool
    rc_fraction_threshold: float

    planes = ("CDS_FIRST", "CDS_EARLY", "CDS_LATE")
    measures = {
        name: Measure(f"{plane} - CDS_LATE", "DN/group", title, _FURTHER, level=f"{name} difference", lines=True)
        for name, plane, title in (
            ("first", "CDS_FIRST", "First difference minus late differences"),
            ("early", "CDS_EARLY", "Early differences minus late differences"),
        )
    }
    counts = (
        VoteCount("first_rc", "First difference above the late differences", ("rc",), "first", HIGH),
        VoteCount("early_rc", "Early differences above the late differences", ("rc",), "early", HIGH),
        VoteCount("first_inverse_rc", "First difference below the late differences", ("inverse_rc",), "first", LOW),
        VoteCount("early_inverse_rc", "Early differences below the late differences", ("inverse_rc",), "early", LOW),
    )
    replaces = ("rc_jumps",)
    # A cosmic ray changes a difference too, so a single integration is no evidence.
    lists_intermittent = False

    def is_on(self) -> bool:
        return self.ramp_shape_search

    def header_keys(self) -> tuple[str, ...]:
        return ("ramp_shape_search",)

    def fraction(self, measure: str) -> float:  # noqa: ARG002 - the same for all measures
        return self.rc_fraction_threshold

    def measured(self, integration: Integration) -> Iterator[Measured]:
        first, early, late = (integration.planes[name] for name in ("CDS_FIRST", "CDS_EARLY", "CDS_LATE"))
        min_deviation = in_blocks(late, lambda rows: MIN_SLOPE_CHANGE * np.abs(late[rows]))
        for measure, image in (("first", first), ("early", early)):
            yield Measured(measure, image - late, min_deviation)
