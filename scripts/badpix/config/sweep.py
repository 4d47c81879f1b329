"""Sweeps of thresholds: their points and the problems of their configuration.

A point is a set of keys of the vote with values that differ from the configuration; the configured point is empty.
Without slow imports, since every job loads it with the configuration.
"""

import itertools
import json
import math
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from badpix.config.renamed import RENAMED_KEYS
from badpix.config.rules import Rule
from badpix.config.schema import problems
from badpix.config.settings import RESPONSE_KEYS, vote_keys
from badpix.core.wording import suggestion

CONFIGURED = "configured"
ONE_AT_A_TIME = "one_at_a_time"
PRODUCT = "product"
MAX_POINTS = 2000
MAX_NAME = 100
# Keys of the vote that are not thresholds.
NO_THRESHOLDS = {
    "author", "description", "pedigree", "useafter", "history", "mask_frame", "subarray_name", "selectors",
    "min_darks", "min_flats", "on_bad_exposure", "flag_values", "dark_do_not_use", "flat_do_not_use",
    "intermittent", "intermittent_from", "preset",
}  # fmt: skip
# Thresholds of the vote on which earlier rules depend too.
MORE_THAN_THE_VOTE = {"early_cutoff_fraction", "flat_vote_unit", "reject_outliers"}


@dataclass(frozen=True)
class Sweep:
    """A sweep: its points (name -> values of the keys that differ), the configured values of its keys, its grid."""

    points: dict[str, dict[str, Any]]
    configured: dict[str, Any]
    grid: str  # ONE_AT_A_TIME or PRODUCT


def sweep_keys(schema: Mapping[str, Any]) -> list[str]:
    """The configuration keys that can be swept, sorted: a change re-runs the vote and no earlier rule."""
    return sorted(set(vote_keys(schema)) - NO_THRESHOLDS - set(RESPONSE_KEYS) - MORE_THAN_THE_VOTE)


def sweep_points(sweep: Mapping[str, Sequence[Any]], grid: str, config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The points of a sweep: name -> values of the keys that differ from `config`, the configured point first.

    `sweep` maps keys to lists of values. `grid` is `one_at_a_time` (each key is varied alone) or `product` (all
    combinations).
    """
    if grid == PRODUCT:
        found = [dict(zip(sweep, values, strict=True)) for values in itertools.product(*sweep.values())]
    else:
        found = [{key: value} for key, values in sweep.items() for value in values]
    differing = [{key: value for key, value in point.items() if value != config[key]} for point in found]
    no_change: dict[str, Any] = {}
    return {point_name(point): point for point in [no_change, *differing]}


def point_name(point: Mapping[str, Any]) -> str:
    """Name of a point that can be a file name: keys and values, with a checksum where text is replaced or cut."""
    text = "+".join(f"{key}={value_text(value)}" for key, value in point.items()) or CONFIGURED
    name = re.sub(r"[^A-Za-z0-9_.=+-]+", "-", text)
    return name if name == text and len(name) <= MAX_NAME else f"{name[:MAX_NAME]}-{zlib.crc32(text.encode()):08x}"


def value_text(value: object) -> str:
    """A value as text: a text unchanged, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def sweep_problems(config: Mapping[str, Any], schema: Mapping[str, Any], rules: Iterable[Rule]) -> list[str]:
    """The problems of the sweep of the otherwise sound `config`, one line each.

    `schema` must allow every value for its key, and every point must satisfy the `rules`, pairs of (keys, function of
    a complete configuration that returns problems).
    """
    found: list[str] = []
    known = sweep_keys(schema)
    for key, values in config["sweep"].items():
        if key not in known:
            found.append(f"sweep.{key}: {_why_not(key, schema)}{suggestion(key, known)}")
            continue
        found += problems(values, {"items": schema["properties"][key]}, schema, f"sweep.{key}")
    if found or not config["sweep"]:
        return found
    n_points = _number_of_points(config["sweep"], config["sweep_grid"])
    if n_points > MAX_POINTS:
        return [f"sweep: it has {n_points} points, more than {MAX_POINTS}; leave out some values"]
    for point in sweep_points(config["sweep"], config["sweep_grid"], config).values():
        values_text = ", ".join(f"{key} {value_text(value)}" for key, value in point.items())
        for keys, rule in rules if point else ():
            if point.keys() & set(keys):
                found += [f"sweep, with {values_text}: {problem}" for problem in rule({**config, **point})]
    return found


def _why_not(key: str, schema: Mapping[str, Any]) -> str:
    """The reason why `key` cannot be swept."""
    if key in RENAMED_KEYS:
        return f"renamed to {RENAMED_KEYS[key]}"
    if key not in schema["properties"]:
        return "there is no such key"
    changes = schema["properties"][key]["changes"]
    if key not in MORE_THAN_THE_VOTE | set(RESPONSE_KEYS):
        return "it is not a threshold of the vote, so it cannot be swept"
    return f"it cannot be swept, because a change of it re-runs {changes}; run the workflow once with each value"


def _number_of_points(sweep: Mapping[str, Sequence[Any]], grid: str) -> int:
    n_values = [len(values) for values in sweep.values()]
    return math.prod(n_values) if grid == PRODUCT else 1 + sum(n_values)
