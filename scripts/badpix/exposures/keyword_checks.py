"""Checks of the values of header keywords: types, ranges, and the time of the observation."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from badpix.config.dates import FLIGHT_AND_GROUND
from badpix.exposures.header_walk import Keywords
from badpix.instrument.detectors import Detector

TEXTS = ("INSTRUME", "DETECTOR", "EXP_TYPE", "SUBARRAY", "READPATT", "DATE-OBS", "TIME-OBS")
# The first tests of the detectors on the ground, and the launch of JWST.
FIRST_TESTS, LAUNCH = datetime.date(2010, 1, 1), datetime.date(2021, 12, 25)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{2}:\d{2}:\d{2}(\.\d+)?", re.ASCII)


@dataclass(frozen=True)
class Range:
    """The allowed numbers of a keyword, both ends included."""

    types: tuple[type, ...]
    least: float
    most: float
    required: bool = True

    def problem(self, value: object) -> str | None:
        """The reason why `value` is not allowed, None if it is allowed."""
        if isinstance(value, self.types) and not isinstance(value, bool) and self.least <= value <= self.most:  # type: ignore[operator]
            return None
        return f"{value!r}, not {'a number' if float in self.types else 'an integer'} from {self.least} to {self.most}"


_COUNT, _OPTIONAL = Range((int,), 1, 65535), Range((int,), 1, 65535, required=False)
_SECONDS = Range((int, float), 1e-4, 1e5)
# The limits exclude numbers that no exposure of JWST has and that would overflow, or ask for more than the memory.
RANGES: dict[str, Range] = {
    "NINTS": _COUNT, "NGROUPS": _COUNT, "NFRAMES": _COUNT, "SUBSIZE1": _COUNT, "SUBSIZE2": _COUNT, "SUBSTRT1": _COUNT,
    "SUBSTRT2": _COUNT, "TFRAME": _SECONDS, "TGROUP": _SECONDS,
    "GROUPGAP": Range((int,), 0, 65535, required=False), "EXSEGNUM": _OPTIONAL, "EXSEGTOT": _OPTIONAL,
    "INTSTART": _OPTIONAL, "INTEND": _OPTIONAL,
}  # fmt: skip


def text_problem(keywords: Keywords) -> str | None:
    """The first keyword of TEXTS that is no text; all must be present."""
    return next((f"{key} is {keywords[key]!r}, not a text" for key in TEXTS if type(keywords[key]) is not str), None)


def number_problem(keywords: Keywords) -> str | None:
    """The first keyword of RANGES whose value is not allowed; all that are required must be present."""
    for key, allowed in RANGES.items():
        if (allowed.required or key in keywords) and (problem := allowed.problem(keywords[key])):
            return f"{key} is {problem}"
    return None


def array_problem(keywords: Keywords, detector: Detector) -> str | None:
    """The reason why the array of an exposure does not lie on its detector."""
    for axis, length in ((1, detector.n_columns), (2, detector.n_rows)):
        start, size = keywords[f"SUBSTRT{axis}"], keywords[f"SUBSIZE{axis}"]
        if start - 1 + size > length:
            return (
                f"SUBSTRT{axis} is {start} and SUBSIZE{axis} is {size}, beyond the {length} pixels of {detector.name}"
            )
    return None


def start_of(keywords: Mapping[str, Any]) -> datetime.datetime:
    """The start of an exposure (UTC, without a time zone) from DATE-OBS, YYYY-MM-DD, and TIME-OBS, HH:MM:SS[.sss].

    ValueError for texts of another form, which `fromisoformat` would take for a week or for a time zone.
    """
    date, time = keywords["DATE-OBS"], keywords["TIME-OBS"]
    if not (_DATE.fullmatch(date) and _TIME.fullmatch(time)):
        raise ValueError(f"{date!r} and {time!r} are not a date and a time")
    return datetime.datetime.fromisoformat(f"{date}T{time}")


def date_problem(keywords: Keywords, pedigree: str) -> str | None:
    """The reason why the time of an exposure cannot be right for a mask of this PEDIGREE."""
    try:
        day = start_of(keywords).date()
    except ValueError:
        return (
            f"DATE-OBS and TIME-OBS are {keywords['DATE-OBS']!r} and {keywords['TIME-OBS']!r}, not a date and a time"
            " (YYYY-MM-DD, HH:MM:SS)"
        )
    # A day more, since the clock of this machine and its time zone may be wrong.
    if day > datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1):
        return f"DATE-OBS is {day}, after today"
    if day < FIRST_TESTS:
        return f"DATE-OBS is {day}, before {FIRST_TESTS}, when no detector of JWST was tested yet"
    if pedigree.startswith("INFLIGHT") and pedigree != FLIGHT_AND_GROUND and day < LAUNCH:
        return (
            f"DATE-OBS is {day}, before the launch on {LAUNCH}, and pedigree is INFLIGHT; to use exposures of the"
            f" ground too, set pedigree: {FLIGHT_AND_GROUND}"
        )
    return None
