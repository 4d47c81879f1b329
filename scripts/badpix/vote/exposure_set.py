"""The statistics files of a vote: which exposures can be used, and what they have in common."""

from dataclasses import dataclass

from astropy.io import fits

from badpix.core.errors import TooFewExposures
from badpix.formats.statistics_file import whole_header
from badpix.instrument.geometry import Geometry
from badpix.instrument.segments import exposure_of


@dataclass(frozen=True)
class UsedExposure:
    """An exposure, or a segment of one, that takes part: its name, its statistics file and that file's header."""

    name: str
    path: str
    header: fits.Header

    @property
    def geometry(self):
        return Geometry.from_header(self.header)


def read_set(paths):
    """Sort statistics files into usable and quarantined ones.

    Returns (list of UsedExposure by name, dict of exposure name -> reason). Sorted, so that the order in which files
    are given changes nothing. Raises StatisticsError when a file is damaged.
    """
    used, left_out = [], {}
    for path in paths:
        header = whole_header(path)
        if header.get("QUARANT", False):
            left_out[header["EXPOSURE"]] = header["QREASON"]
        else:
            used.append(UsedExposure(header["EXPOSURE"], str(path), header))
    return sorted(used, key=lambda exposure: exposure.name), left_out


def require_enough(detector, kind, used, left_out, minimum):
    """Raise TooFewExposures when fewer than `minimum` exposures of `kind` (darks, flats) are left."""
    number = len({exposure_of(exposure.name) for exposure in used})
    if number < minimum:
        reasons = "".join(f"\n  {name}: {reason}" for name, reason in sorted(left_out.items()))
        raise TooFewExposures(
            f"{detector}: no mask, because {number} usable {kind} remain and min_{kind} is {minimum}."
            + (f" Left out:{reasons}" if reasons else "")
        )


def whole_exposures(used):
    """The exposures of `used` by name, each a list of its segments."""
    exposures = {}
    for segment in used:
        exposures.setdefault(exposure_of(segment.name), []).append(segment)
    return exposures


def common_geometry(exposures):
    """The geometry that all exposures share; ValueError naming two of them if they do not."""
    first = exposures[0]
    for other in exposures[1:]:
        if other.geometry != first.geometry:
            raise ValueError(
                f"exposures of different geometry: {first.name} is {first.geometry}, {other.name} is {other.geometry}"
            )
    return first.geometry


def observation_dates(exposures):
    """DATE-OBS of all exposures that have one."""
    return [exposure.header["DATE-OBS"] for exposure in exposures if exposure.header.get("DATE-OBS")]
