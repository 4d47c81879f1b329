"""RC pixels and pixels of low pedestal by the mean pedestal of all integrations."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from badpix.vote.outlier_test import HIGH, LOW
from badpix.vote.searches.base import Further, Integration, Measure, Measured, Search, VoteCount

# A pedestal counts when it is more than this part of what the pixel collects in a group: the shot noise and
# non-linearity of a hot pixel stay below.
MIN_PEDESTAL_GROUPS = 0.5
_FURTHER = Further(
    "EXCESS / (SLOPE x TGROUP)", MIN_PEDESTAL_GROUPS, "deviation over what the pixel collects in a group"
)


@dataclass(frozen=True)
class PedestalSearch(Search):
    """rc and low_pedestal: a pedestal significantly above or below that of the detector."""

    pedestal_test: str
    rc_fraction_threshold: float
    low_pedestal_fraction: float

    planes = ("FIRST_SAT", "SLOPE")
    # The quantity is the plane of the pedestals that vote, which has its own title.
    measures = {
        "high_pedestal": Measure(None, "DN", "", _FURTHER),
        "low_pedestal": Measure(None, "DN", "", _FURTHER),
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
        planes = integration.planes
        pedestal = np.where(planes["FIRST_SAT"] != 0, planes["PEDESTAL"], np.float32(np.nan))
        least = MIN_PEDESTAL_GROUPS * (np.abs(planes["SLOPE"]) * integration.group_time_s)
        for measure in self.measures:
            yield Measured(measure, pedestal, least)
