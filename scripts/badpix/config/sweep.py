"""Sweeps of thresholds: which points they have, and what is wrong with them.

A point is a set of keys of the vote with values other than the configured ones; the configured point has none. Every
job reads this with the configuration, so it takes no large library.
"""

import itertools
import json
import re
import zlib
from dataclasses import dataclass

from badpix.config.renamed import RENAMED_KEYS
from badpix.config.schema import problems
from badpix.config.settings import RESPONSE_KEYS, vote_keys
from badpix.core.wording import suggestion

CONFIGURED = "configured"
ONE_AT_A_TIME = "one_at_a_time"
PRODUCT = "product"
MAX_POINTS = 2000
MAX_NAME = 100
# What the vote reads beside its thresholds.
NO_THRESHOLDS = {
    "author", "description", "pedigree", "useafter", "history", "mask_frame", "min_darks", "min_flats",
    "on_bad_exposure", "flag_values", "dark_do_not_use", "flat_do_not_use",
}  # fmt: skip
# Thresholds of the vote that other rules depend on, too.
MORE_THAN_THE_VOTE = {"early_cutoff_fraction", "flat_vote_unit"}


@dataclass(frozen=True)
class Sweep:
    """A sweep: its points (name -> values of the keys that differ), the configured values of all its keys, its grid."""

    points: dict
    configured: dict
    grid: str  # ONE_AT_A_TIME or PRODUCT


def sweep_keys(schema):
    """The configuration keys that can be swept: those that re-run the vote and nothing before it, sorted."""
    return sorted(set(vote_keys(schema)) - NO_THRESHOLDS - set(RESPONSE_KEYS) - MORE_THAN_THE_VOTE)


def sweep_points(sweep, grid, config):
    """Point name -> mapping of the keys that differ from `config` to their values, the configured point first.

    `sweep` maps keys to lists of values. `grid` is `one_at_a_time`: each key on its own, the others as configured; or
    `product`: all combinations.
    """
    if grid == PRODUCT:
        found = [dict(zip(sweep, values, strict=True)) for values in itertools.product(*sweep.values())]
    else:
        found = [{key: value} for key, values in sweep.items() for value in values]
    differing = [{key: value for key, value in point.items() if value != config[key]} for point in found]
    return {point_name(point): point for point in [{}, *differing]}


def point_name(point):
    """Name of a point, fit for a file: its keys and values, with a checksum where these do not fit."""
    text = "+".join(f"{key}={value_text(value)}" for key, value in point.items()) or CONFIGURED
    name = re.sub(r"[^A-Za-z0-9_.=+-]+", "-", text)
    return name if name == text and len(name) <= MAX_NAME else f"{name[:MAX_NAME]}-{zlib.crc32(text.encode()):08x}"


def value_text(value):
    """A value as text: numbers and words as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def sweep_problems(config, schema, rules):
    """What is wrong with the sweep of the (otherwise sound) `config`, one line each.

    Every value must be allowed for its key by `schema`, and every point must satisfy `rules`, pairs of (keys, function
    of a complete configuration that returns problems).
    """
    found, known = [], sweep_keys(schema)
    for key, values in config["sweep"].items():
        if key not in known:
            found.append(f"sweep.{key}: {_why_not(key, schema)}{suggestion(key, known)}")
            continue
        found += problems(values, {"items": schema["properties"][key]}, schema, f"sweep.{key}")
    if found or not config["sweep"]:
        return found
    number = _number_of_points(config["sweep"], config["sweep_grid"])
    if number > MAX_POINTS:
        return [f"sweep: it has {number} points, which is more than {MAX_POINTS}; leave out some values"]
    for point in sweep_points(config["sweep"], config["sweep_grid"], config).values():
        said = ", ".join(f"{key} {value_text(value)}" for key, value in point.items())
        for keys, rule in rules if point else ():
            if point.keys() & set(keys):
                found += [f"sweep, with {said}: {problem}" for problem in rule(config | point)]
    return found


def _why_not(key, schema):
    """Why `key` cannot be swept."""
    if key in RENAMED_KEYS:
        return f"renamed to {RENAMED_KEYS[key]}"
    if key not in schema["properties"]:
        return "there is no such key"
    changes = schema["properties"][key]["changes"]
    if key not in MORE_THAN_THE_VOTE | set(RESPONSE_KEYS):
        return "it is no threshold of the vote, so it cannot be swept"
    return f"it cannot be swept, because a change of it re-runs {changes}; run the workflow once with each value"


def _number_of_points(sweep, grid):
    numbers = [len(values) for values in sweep.values()]
    if grid == PRODUCT:
        product = 1
        for number in numbers:
            product *= number
        return product
    return 1 + sum(numbers)
