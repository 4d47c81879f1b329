"""A simulated exposure: its kind, number, size and start time, and the segments of its files."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from badpix.simulate.sky import Sky


@dataclass(frozen=True)
class Kind:
    """A kind of exposures: program, activity (visit group + sequence + activity), and UTC of exposure number 0."""

    program: str
    activity: str
    epoch: datetime


# Numbers in the style of the observatory, but invented. Darks are before flats.
KINDS = {
    "dark": Kind(program="09001", activity="02101", epoch=datetime(2024, 6, 1)),
    "flat": Kind(program="09002", activity="03101", epoch=datetime(2024, 7, 1)),
}
EXPOSURE_SPACING = timedelta(hours=1)


@dataclass(frozen=True)
class Exposure:
    """An exposure: `kind` is "dark" or "flat", `index` its number among the exposures of its kind, from 1.

    `sky` is the sky of a flat; None for a flat of the lamp.
    """

    kind: str
    index: int
    n_integrations: int
    n_groups: int  # per integration
    sky: Sky | None = None

    @property
    def start_time(self) -> datetime:
        """UTC start."""
        return KINDS[self.kind].epoch + self.index * EXPOSURE_SPACING


@dataclass(frozen=True)
class Segment:
    """The integrations of an exposure in a file: segment `number` of `total`, integrations counted from 1."""

    number: int
    total: int
    first_integration: int
    last_integration: int


def split_integrations(n_integrations: int, n_segments: int) -> list[Segment]:
    """The segments of an exposure, as equal as possible; ValueError for more segments than integrations."""
    if not 1 <= n_segments <= n_integrations:
        raise ValueError(f"{n_integrations} integrations cannot be written in {n_segments} segments")
    edges = [round(number * n_integrations / n_segments) for number in range(n_segments + 1)]
    return [
        Segment(number, n_segments, first + 1, last)
        for number, (first, last) in enumerate(zip(edges[:-1], edges[1:], strict=True), start=1)
    ]
