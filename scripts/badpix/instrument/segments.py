"""Segmented exposures: the integrations of an exposure in several files.

The data pipeline divides a long exposure into files `jw..._00001-seg001_nis_uncal.fits`, `-seg002` and so on. Each file
is processed separately; in a vote by exposure the segments of an exposure share a vote.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_SEGMENT = re.compile(r"-seg\d{3}(?=_|$)")


def exposure_of(name: str) -> str:
    """The name of the exposure of the file or segment `name`: the name without the segment number."""
    return _SEGMENT.sub("", name)


def segment_of(name: str) -> str | None:
    """The segment number in the name of a file or segment, such as `-seg001`; None if there is none."""
    match = _SEGMENT.search(name)
    return match[0] if match else None


def by_exposure(names: Iterable[str]) -> dict[str, list[str]]:
    """Exposure -> list of its segments, in the given order; an exposure without segments is its only segment."""
    exposures: dict[str, list[str]] = {}
    for name in names:
        exposures.setdefault(exposure_of(name), []).append(name)
    return exposures


def integrations(header: Mapping[str, Any]) -> int:
    """Number of integrations that a file with this primary header must have.

    A segment of several (EXSEGTOT) has the integrations INTSTART to INTEND, other files have all NINTS.
    """
    if header.get("EXSEGTOT", 1) == 1:
        return header["NINTS"]
    return header["INTEND"] - header["INTSTART"] + 1
