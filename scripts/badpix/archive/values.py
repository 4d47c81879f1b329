"""Values in the answers of MAST."""

import datetime
import re
from typing import Any

_MJD_0 = datetime.datetime(1858, 11, 17)
_EPOCH = datetime.datetime(1970, 1, 1)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# Milliseconds since 1970, as Microsoft's JSON has dates; an offset after them does not change the moment.
_TICKS = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


def text_of(value: Any) -> str:
    """The text of a cell, empty for none."""
    return "" if value is None or str(value) == "None" else str(value).strip()


def is_true(value: Any) -> bool:
    """True for the texts and numbers of a true cell."""
    return text_of(value).lower() in ("true", "t", "1")


def positive(value: Any) -> int | None:
    """A number above zero; None for others and for none."""
    return int(value) if value is not None and int(value) > 0 else None


def moment(column: str, value: Any) -> str:
    """The time of a cell as YYYY-MM-DDTHH:MM:SS (UTC), empty for none.

    ValueError, with the `column`, for a text that is neither ISO 8601 nor `/Date(milliseconds)/`.
    """
    text = text_of(value)
    if not text:
        return ""
    try:
        if match := _TICKS.fullmatch(text):
            found = _EPOCH + datetime.timedelta(milliseconds=int(match[1]))
        elif _DAY.match(text):
            found = datetime.datetime.fromisoformat(text)
        else:
            raise ValueError(text)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{column} is {text!r}, neither a time as YYYY-MM-DDTHH:MM:SS nor /Date(milliseconds)/"
        ) from None
    if found.tzinfo:
        found = found.astimezone(datetime.UTC).replace(tzinfo=None)
    return found.isoformat(timespec="seconds")


def of_mjd(value: Any) -> str:
    """The time of an MJD as YYYY-MM-DDTHH:MM:SS, empty for none."""
    if value is None or not float(value) > 0:
        return ""
    return (_MJD_0 + datetime.timedelta(days=float(value))).isoformat(timespec="seconds")
