"""The statistics files of several exposures: which can be used, grouped by exposure."""

from collections.abc import Sequence
from dataclasses import dataclass

from astropy.io import fits

from badpix.formats.statistics_file import checked_header
from badpix.instrument.geometry import Geometry
from badpix.instrument.segments import exposure_of


@dataclass(frozen=True)
class Segment:
    """An exposure, or a segment of it, that takes part: its name, its statistics file and the header of that file."""

    name: str
    path: str
    header: fits.Header

    @property
    def geometry(self) -> Geometry:
        return Geometry.from_header(self.header)

    def n_integrations(self) -> int:
        """Number of integrations in the file."""
        return fits.getval(self.path, "NAXIS3", "SLOPE")


@dataclass(frozen=True)
class Exposure:
    """An exposure that takes part, with its segments: a single segment unless it came in several files."""

    name: str
    segments: tuple[Segment, ...]

    @property
    def paths(self) -> list[str]:
        """The statistics files."""
        return [segment.path for segment in self.segments]

    @property
    def header(self) -> fits.Header:
        """The header of the first segment."""
        return self.segments[0].header

    def n_integrations(self) -> int:
        """Number of integrations in all segments."""
        return sum(segment.n_integrations() for segment in self.segments)


def read_set(paths: Sequence[str]) -> tuple[list[Segment], dict[str, str]]:
    """Sort statistics files into usable and rejected ones.

    Returns (list of Segments by name, dict of exposure name -> reason). Sorted, so that the order in which files are
    given changes nothing. Raises StatisticsError when a file is damaged.
    """
    used, rejected = [], {}
    for path in paths:
        header = checked_header(path)
        if header.get("REJECTED", False):
            rejected[header["EXPOSURE"]] = header["REJREASN"]
        else:
            used.append(Segment(header["EXPOSURE"], str(path), header))
    return sorted(used, key=lambda segment: segment.name), rejected


def exposures_of(segments: Sequence[Segment]) -> tuple[Exposure, ...]:
    """`segments` grouped by their exposure, in the order of the first of each."""
    groups: dict[str, list[Segment]] = {}
    for segment in segments:
        groups.setdefault(exposure_of(segment.name), []).append(segment)
    return tuple(Exposure(name, tuple(group)) for name, group in groups.items())
