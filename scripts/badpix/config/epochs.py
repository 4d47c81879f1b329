"""Check the configuration's list of epochs. Without slow imports, since every job checks the configuration."""

import datetime
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
RANGE_KEYS = ("name", "start", "end")


def date_texts(setting: object) -> object:
    """`setting` with the dates of a list of epochs as text; all else unchanged."""
    if not isinstance(setting, list):
        return setting
    return [dates_as_text(row) if isinstance(row, dict) else row for row in setting]


def dates_as_text(row: Mapping) -> dict:
    """`row` with its dates as text, since YAML reads dates without quotes as date objects."""
    return {key: value.isoformat() if type(value) is datetime.date else value for key, value in row.items()}


def range_problems(setting: Sequence[Mapping[str, str]]) -> list[str]:
    """The problems of a list of epochs whose rows hold texts only, one line each."""
    found: list[str] = []
    for number, row in enumerate(setting):
        key = f"epochs[{number}]"
        if missing := [name for name in RANGE_KEYS if name not in row]:
            found.append(f"{key}: has no {' and no '.join(missing)}; an epoch needs {', '.join(RANGE_KEYS)}")
            continue
        if not NAME.fullmatch(row["name"]):
            found.append(
                f"{key}.name: {row['name']!r} is not allowed; it must consist of letters, digits, '.', '_',"
                " '-' and begin with a letter or digit"
            )
        for name in ("start", "end"):
            try:
                datetime.date.fromisoformat(row[name])
            except ValueError as error:
                found.append(f"{key}.{name}: {row[name]!r} is not allowed; it must be a real date ({error})")
        if row["end"] < row["start"]:
            found.append(f"{key}: its end {row['end']} is before its start {row['start']}")
    return found or _clashes(setting)


def _clashes(setting: Sequence[Mapping[str, str]]) -> list[str]:
    """The problems of rows that are sound by themselves: names given twice and ranges that share a day."""
    names = [row["name"] for row in setting]
    found = [f"epochs: the name {name!r} is given twice" for name in sorted(set(names)) if names.count(name) > 1]
    for first, second in pairwise(sorted(setting, key=lambda row: row["start"])):
        if second["start"] <= first["end"]:
            found.append(
                f"epochs: {first['name']} ({first['start']} to {first['end']}) and {second['name']} ({second['start']}"
                f" to {second['end']}) share days; the first and the last day belong to an epoch"
            )
    return found
