"""The limits of an OutlierTest as rows of the table of thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass

from badpix.formats.thresholds import ABOVE, BELOW, MEAN_DEVIATION, Threshold, around
from badpix.vote.outlier_test import HIGH, OutlierTest


@dataclass(frozen=True)
class LimitOfCount:
    """A vote count and what it compares: its name, the quantity, the side (HIGH, LOW) and the unit of the quantity."""

    name: str
    quantity: str
    side: int
    unit: str

    @property
    def direction(self) -> str:
        """The side in words."""
        return ABOVE if self.side == HIGH else BELOW


def limit_rows(
    limit: LimitOfCount, test: OutlierTest, integrations: Sequence[tuple[str, int]], min_margin: float
) -> list[Threshold]:
    """The Thresholds of each integration and region, and those of the means. Call it after `OutlierTest.found`.

    `integrations` are (exposure, number) in the order in which they were added. A vote must exceed the margin of the
    noise and `min_margin`, so the larger margin is the limit.
    """
    rows = []
    for levels, of_levels, (exposure, number) in zip(test.levels, test.weights(), integrations, strict=True):
        for region, ((centre, sigma), weight) in enumerate(zip(levels, of_levels, strict=True), 1):
            row = around(
                limit.name,
                limit.quantity,
                limit.direction,
                centre,
                max(test.vote_sigma * sigma, min_margin),
                unit=limit.unit,
                exposure=exposure,
                integration=number,
                region=region if len(levels) > 1 else 0,
                weight=float(weight),
            )
            rows.append(row)
    for region, (centre, margin) in enumerate(test.mean_limits[limit.side], 1):
        region = region if len(test.regions) > 1 else 0
        value = limit.side * (centre + margin)
        rows.append(Threshold(limit.name, MEAN_DEVIATION, limit.direction, value, limit.unit, region=region))
    return rows
