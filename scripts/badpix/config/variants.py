"""Variants: several masks of one set of statistics, each with keys of its own. Without slow imports."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from badpix.config.epochs import NAME
from badpix.config.paths import expanded
from badpix.config.renamed import RENAMED_KEYS, renamed
from badpix.config.rules import Rule
from badpix.config.schema import merged, problems
from badpix.config.settings import KINDS
from badpix.core.wording import show, suggestion

# Kind of exposures -> the key of a variant that selects from them.
SELECTIONS = {kind: f"select_{kind}" for kind in KINDS}
# Keys on which the exposures of the run depend, and not only those of a mask.
OF_THE_RUN = frozenset({"on_bad_exposure", "pedigree", "flat_types_from"})
# Keys of rules after the vote that a mask may have for itself.
AFTER_THE_VOTE = frozenset({"compare_with", "max_new_fraction", "max_recovered_fraction", "known_bad"})


def variant_keys(schema: Mapping[str, Any]) -> list[str]:
    """The configuration keys that a variant may override, sorted: no earlier rule than the vote depends on them."""
    of_the_vote = {key for key, node in schema["properties"].items() if node["changes"] == "bad_pixel_mask"}
    return sorted(of_the_vote - OF_THE_RUN | AFTER_THE_VOTE)


def overrides_of(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The keys that variant `name` of the complete `config` overrides, with their values; none for an empty name."""
    if not name:
        return {}
    given = config["variants"][name]
    return {key: merged(config[key], value) for key, value in given.items() if key not in SELECTIONS.values()}


def of_variant(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The complete configuration of variant `name`; that of all masks for an empty name.

    Mappings, such as `flag_values`, are merged with those of `config`; all other values replace them.
    """
    return {**config, **overrides_of(config, name)}


def prepared(setting: object, schema: Mapping[str, Any]) -> tuple[list[str], object]:
    """The problems of renamed keys and of paths in variants, one line each, and `setting` with its paths expanded."""
    if not isinstance(setting, dict):
        return [], setting
    found, result = [], {}
    for name, keys in setting.items():
        result[name] = keys
        if isinstance(keys, dict):
            outdated, current = renamed(keys)
            undefined, result[name] = expanded(current, schema)
            found += [f"variants.{name}.{problem}" for problem in (*outdated, *undefined)]
    return found, result


def variant_problems(config: Mapping[str, Any], schema: Mapping[str, Any], rules: Iterable[Rule]) -> list[str]:
    """The problems of the variants of the otherwise sound and complete `config`, one line each.

    `schema` must allow each value for its key, and each variant must satisfy the `rules`, pairs of (keys, function of a
    complete configuration that returns problems).
    """
    found: list[str] = []
    for name, keys in config["variants"].items():
        if not NAME.fullmatch(name):
            found.append(
                f"variants: the name {show(name)} is not allowed; it must consist of letters, digits, '.', '_', '-' and"
                " begin with a letter or digit"
            )
        for key, value in keys.items():
            place = f"variants.{name}.{key}"
            if key in SELECTIONS.values():
                found += _range_problems(place, value)
            elif key not in (known := variant_keys(schema)):
                found.append(f"{place}: {_why_not(key, schema, known)}")
            else:
                found += problems(value, schema["properties"][key], schema, place)
        if "useafter" in keys and config["epochs"] is not None:
            found.append(
                f"variants.{name}.useafter: not allowed with epochs, whose masks have the start of their epoch"
            )
    if found:
        return found
    for name in config["variants"]:
        overrides, complete = overrides_of(config, name), of_variant(config, name)
        for keys, rule in rules:
            if overrides.keys() & set(keys):
                found += [f"variants.{name}: {problem}" for problem in rule(complete)]
    return found


def _range_problems(place: str, selection: Mapping[str, Any]) -> list[str]:
    """The problem of a range of NGROUPS without any number."""
    limits = selection.get("NGROUPS", {})
    if not selection or ("NGROUPS" in selection and not limits):
        return [f"{place}: it selects nothing; give READPATT: [...], or NGROUPS: {{min: ..., max: ...}}, or both"]
    if limits.get("min", 1) > limits.get("max", limits.get("min", 1)):
        return [f"{place}.NGROUPS: min {limits['min']} is above max {limits['max']}"]
    return []


def _why_not(key: str, schema: Mapping[str, Any], known: Iterable[str]) -> str:
    """The reason why a variant cannot override `key`, and the keys that it can."""
    can = f"a variant can have {', '.join(SELECTIONS.values())}, and override {', '.join(known)}"
    if key in RENAMED_KEYS:
        return f"renamed to {RENAMED_KEYS[key]}"
    if key not in schema["properties"]:
        return f"unknown key{suggestion(key, [*SELECTIONS.values(), *known])}; {can}"
    changes = schema["properties"][key]["changes"]
    what = (
        "the run and not a mask"
        if key in OF_THE_RUN or not re.search("statistics|detector1|response|compare_exposures|inputs", changes)
        else f"files that all variants share (it re-runs {changes})"
    )
    return f"not allowed in a variant, because it changes {what}; {can}"
