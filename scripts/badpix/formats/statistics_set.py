"""The statistics files of several exposures, sorted into usable and rejected, and grouped by exposure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from astropy.io import fits

from badpix.formats.product_file import open_verified, require_settings
from badpix.instrument.geometry import Geometry
from badpix.instrument.segments import exposure_of


@dataclass(frozen=True)
class Segment:
    """A usable exposure, or a segment of it: its name, its statistics file and the header of the file.

    The header is a plain mapping of keywords to values: a Header of astropy takes six times the memory.
    """

    name: str
    path: str
    header: Mapping[str, Any]

    @property
    def geometry(self) -> Geometry:
        """The position of the array on the detector."""
        return Geometry.from_header(self.header)

    def n_integrations(self) -> int:
        """Number of integrations in the file."""
        return fits.getval(self.path, "NAXIS3", "SLOPE")


@dataclass(frozen=True)
class Exposure:
    """A usable exposure with its segments: a single segment unless the exposure is split into several files."""

    name: str
    segments: tuple[Segment, ...]

    @property
    def paths(self) -> list[str]:
        """The statistics files."""
        return [segment.path for segment in self.segments]

    @property
    def header(self) -> Mapping[str, Any]:
        """The header of the first segment."""
        return self.segments[0].header

    def n_integrations(self) -> int:
        """Number of integrations in all segments."""
        return sum(segment.n_integrations() for segment in self.segments)


def read_set(
    paths: Sequence[str], made_with: Mapping[str, object] | None = None, planes: Iterable[str] | None = None
) -> tuple[list[Segment], dict[str, str]]:
    """Sort statistics files into usable and rejected files.

    Returns (Segments in the order of their names, dict of exposure name -> reason), so that the order of `paths` has no
    effect. `planes` are verified, all by default; a reader that verifies what it reads needs none. Raises ProductError
    if a file is damaged, or was made with settings other than `made_with`.
    """
    planes = None if planes is None else tuple(planes)
    used: list[Segment] = []
    rejected: dict[str, str] = {}
    for path in paths:
        require_settings(path, made_with)
        with open_verified(path, planes) as hdus:
            header = dict(hdus[0].header)
        if header.get("REJECTED", False):
            rejected[header["EXPOSURE"]] = header["REJREASN"]
        else:
            used.append(Segment(header["EXPOSURE"], str(path), header))
    return sorted(used, key=lambda segment: segment.name), rejected


def exposures_of(segments: Sequence[Segment]) -> tuple[Exposure, ...]:
    """`segments` grouped by exposure, in the order of the first segment of each exposure."""
    groups: dict[str, list[Segment]] = {}
    for segment in segments:
        groups.setdefault(exposure_of(segment.name), []).append(segment)
    return tuple(Exposure(name, tuple(group)) for name, group in groups.items())
