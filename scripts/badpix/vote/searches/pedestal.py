"""RC pixels and low-pedestal pixels, by the mean pedestal of all integrations."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from badpix.numerics.row_blocks import in_blocks
from badpix.vote.outlier_test import HIGH, LOW
from badpix.vote.searches.base import Further, Integration, Measure, Measured, Search, VoteCount

# A pedestal counts only above this fraction of the signal that the pixel collects in a group, because shot noise and
# non-linearity give hot pixels smaller pedestals.
MIN_PEDESTAL_GROUPS = 0.5
_FURTHER = Further("DEVIATION / (SLOPE x TGROUP)", MIN_PEDESTAL_GROUPS, "deviation over the signal of a group")


@dataclass(frozen=True)
class PedestalSearch(Search):
    """rc and low_pedestal: a pedestal significantly above or below the level of the detector."""

    pedestal_test: str
    rc_fraction_threshold: float
    low_pedestal_fraction: float

    planes = ("FIRST_SAT", "SLOPE")
    # No quantity and no title: both are those of the plane of the pedestals that vote.
    measures = {
        "high_pedestal": Measure(None, "DN", "", _FURTHER, level="pedestal", lines=True),
        "low_pedestal": Measure(None, "DN", "", _FURTHER, level="pedestal", lines=True),
    }
    counts = (
        VoteCount("high_pedestal", "High pedestal", ("rc",), "high_pedestal", HIGH),
        VoteCount("low_pedestal", "Low pedestal", ("low_pedestal",), "low_pedestal", LOW),
    )
    replaces = ("high_pedestal", "low_pedestal")

    def is_on(self) -> bool:
        return self.pedestal_test == "significance"

    def header_keys(self) -> tuple[str, ...]:
        return ("pedestal_test",)

    def fraction(self, measure: str) -> float:
        return self.rc_fraction_threshold if measure == "high_pedestal" else self.low_pedestal_fraction

    def measured(self, integration: Integration) -> Iterator[Measured]:
        pedestal, min_deviation = pedestal_and_floor(integration)
        for measure in self.measures:
            yield Measured(measure, pedestal, min_deviation)


def pedestal_and_floor(integration: Integration) -> tuple[np.ndarray, np.ndarray]:
    """The pedestals (float32, DN), NaN where the first group is saturated, and the smallest deviations that count."""
    pedestal, slope, first_saturated = (integration.planes[name] for name in ("PEDESTAL", "SLOPE", "FIRST_SAT"))
    time, nan = integration.times.group_time_s, np.float32(np.nan)
    return (
        in_blocks(pedestal, lambda rows: np.where(first_saturated[rows] != 0, pedestal[rows], nan)),
        in_blocks(slope, lambda rows: MIN_PEDESTAL_GROUPS * (np.abs(slope[rows]) * time)),
    )
