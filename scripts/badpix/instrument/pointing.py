"""The pointing of an exposure, from the keywords of its SCI header, and the distance of two pointings in pixels."""

from collections.abc import Mapping
from math import cos, hypot, isnan, nan, radians
from typing import Any

from badpix.instrument.exp_types import instrument_of

# Of the reference point of the array, of the telescope's axis, roll, pixel scale (deg), and dither offsets (arcsec).
KEYWORDS = ("CRVAL1", "CRVAL2", "RA_V1", "DEC_V1", "PA_V3", "CDELT1", "XOFFSET", "YOFFSET", "TARG_RA", "TARG_DEC")
# Where CDELT1 is missing: arcsec per pixel (JWST user documentation), by detector or instrument.
PIXEL_ARCSEC = {
    "NIRCAM": 0.031, "NRCALONG": 0.063, "NRCBLONG": 0.063, "NIRISS": 0.066, "NIRSPEC": 0.1, "FGS": 0.069, "MIRI": 0.11,
    "MIRIFUSHORT": 0.2, "MIRIFULONG": 0.25,
}  # fmt: skip
# A roll moves a source by the angle times its distance from the reference point: a typical distance (pixels).
TYPICAL_DISTANCE = 100
# Pairs of right ascension and declination (deg), the first that both exposures have.
POSITIONS = (("CRVAL1", "CRVAL2"), ("RA_V1", "DEC_V1"))


def _number(header: Mapping[str, Any], key: str) -> float:
    """The number of a keyword, NaN without a number."""
    value = header.get(key)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else nan


def pixel_arcsec(header: Mapping[str, Any]) -> float:
    """Arcsec per pixel, from CDELT1 (deg) or the detector; NaN if neither is known."""
    scale = abs(_number(header, "CDELT1")) * 3600
    if scale > 0:
        return scale
    detector = str(header.get("DETECTOR"))
    return PIXEL_ARCSEC.get(detector, PIXEL_ARCSEC.get(str(instrument_of(detector)), nan))


def distance(first: Mapping[str, Any], second: Mapping[str, Any]) -> float:
    """Distance (pixels) by which sources move on the detector from one exposure to another; NaN if it is not known.

    From the positions on the sky, or else from the dither offsets of exposures of the same target.
    """
    scale = pixel_arcsec(first)
    roll = radians(_number(second, "PA_V3") - _number(first, "PA_V3"))
    turned = 0.0 if isnan(roll) else abs(roll) * TYPICAL_DISTANCE
    for right_ascension, declination in POSITIONS:
        x = _number(second, right_ascension) - _number(first, right_ascension)
        x = (x + 180) % 360 - 180
        y = _number(second, declination) - _number(first, declination)
        moved = hypot(x * cos(radians(_number(first, declination))), y) * 3600 / scale
        if not isnan(moved):
            return moved + turned
    if all(_number(first, key) == _number(second, key) for key in ("TARG_RA", "TARG_DEC")):
        offsets = (_number(second, key) - _number(first, key) for key in ("XOFFSET", "YOFFSET"))
        return hypot(*offsets) / scale + turned
    return nan
