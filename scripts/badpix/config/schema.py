"""Check values against the configuration's JSON Schema, fill in its defaults, and say in words what it allows.

The package jsonschema decides, with stricter numbers: NaN, infinity, and 5.0 for an integer are refused. The messages
are written here. That the schema is one is tested, not checked in every job; its `$ref`s are followed beforehand, which
is four times faster for a long list.
"""

import math
from collections.abc import Hashable
from itertools import groupby

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from badpix.core.wording import show, suggestion


def _is_number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the range of float
        return False


def repeated(items):
    """The items of a list that equal an earlier item, in their order; the time grows with the list's length only."""
    seen, found = set(), []
    for item in items:
        stand_in = _hashable(item)
        if stand_in in seen:
            found.append(item)
        seen.add(stand_in)
    return found


def _hashable(value):
    """A stand-in for a value that can be a member of a set; equal values have equal ones."""
    if isinstance(value, list):
        return tuple(map(_hashable, value))
    if isinstance(value, dict):
        return frozenset((key, _hashable(inner)) for key, inner in value.items())
    return value if isinstance(value, Hashable) else repr(value)


def _unique_items(validator, wanted, value, node):
    """The keyword uniqueItems; the time that jsonschema's own takes for unlike items grows with the square."""
    if wanted and validator.is_type(value, "array") and repeated(value):
        yield ValidationError("items are repeated")


TYPES = Draft202012Validator.TYPE_CHECKER.redefine_many(
    {
        "integer": lambda _, value: isinstance(value, int) and _is_number(value),
        "number": lambda _, value: _is_number(value),
    }
)
Validator = extend(Draft202012Validator, {"uniqueItems": _unique_items}, type_checker=TYPES)
TYPE_WORDS = {
    "null": "null",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "string": "a text, not empty",
    "array": "a list",
    "object": "a mapping",
}


def resolve(node, schema):
    """A copy of the schema node with every `$ref` in it (within `schema`) followed; keywords beside a `$ref` win."""
    if isinstance(node, list):
        return [resolve(part, schema) for part in node]
    if not isinstance(node, dict):
        return node
    while "$ref" in node:
        target = schema
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = {**target, **{key: part for key, part in node.items() if key != "$ref"}}
    return {key: resolve(part, schema) for key, part in node.items()}


def allowed(node, schema):
    """What the schema node allows, in words."""
    node = resolve(node, schema)
    if "allowed" in node:
        return node["allowed"]
    if "anyOf" in node:
        return " or ".join(allowed(branch, schema) for branch in node["anyOf"])
    if "enum" in node:
        return "one of " + ", ".join(map(str, node["enum"]))
    words = TYPE_WORDS[node["type"]]
    if node["type"] == "string" and not node.get("minLength"):
        words = "a text"
    if "items" in node:
        words += f" of {allowed(node['items'], schema).removeprefix('one of ')}, each once"
    signs = {"exclusiveMinimum": ">", "minimum": ">=", "maximum": "<="}
    limits = [f"{sign} {node[key]}" for key, sign in signs.items() if key in node]
    return f"{words} {' and '.join(limits)}".rstrip()


def _types(node):
    """The type names that a resolved node without anyOf admits; enums here hold texts only."""
    return node.get("type", "string")


def _hint(value, node):
    """A word of help about a value that the resolved node refuses, or nothing."""
    branches = node.get("anyOf", [node])
    names = [name for branch in branches for name in branch.get("enum", ())]
    if value is None and "none" in names:
        return "; YAML's null is not the word none: put it in quotes"
    if value == "None" and any(_types(branch) == "null" for branch in branches):
        return "; write null for Python's None"
    if isinstance(value, list) and (twice := repeated(value)):
        return f"; {show(twice[0])} is given twice"
    if isinstance(value, str) and any(_types(branch) in ("integer", "number") for branch in branches):
        try:
            float(value)
        except ValueError:
            return ""
        return "; it is a text: write it without quotes, and with a point before an exponent (1.0e+5)"
    if not isinstance(value, str):
        return ""
    if value.lower() in ("true", "false") and any(_types(branch) == "boolean" for branch in branches):
        return f"; it is a text: write it without quotes, after --config as {value.capitalize()}"
    return suggestion(value, names)


def problems(value, node, schema, key=""):
    """What is wrong with `value`, a line each, in the order of its entries; an empty list if the node allows it.

    A line begins with the place of the fault: `key`, the name of `value`, and the way from there, as in `key.hot[0]`.
    """
    found = {}
    for error in Validator(resolve(node, schema)).iter_errors(value):
        for path, text in _faults(error, schema):
            place, way = _place(path, value)
            found[place] = f"{key}{way}".removeprefix(".") + f": {text}"
    lines, whole = [], None
    for place in sorted(found):
        # The parts of what is refused as a whole need no lines.
        if whole is None or place[: len(whole)] != whole:
            lines.append(found[place])
            whole = place
    return lines


def _faults(error, schema):
    """The faults that a validation error stands for, as pairs of path and text."""
    path, value = tuple(error.absolute_path), error.instance
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = [name for name in value if name not in known]
        return [((*path, name), f"unknown key{suggestion(name, known) or _all_known(known)}") for name in unknown]
    # Where the value is a list and lists are allowed, its faulty items say more than the whole.
    if isinstance(value, list):
        for _, branch in groupby(error.context, key=lambda part: part.schema_path[0]):
            parts = list(branch)
            if all(part.path for part in parts):
                return [fault for part in parts for fault in _faults(part, schema)]
    must = allowed(error.schema, schema)
    return [(path, f"{show(value)} is not allowed; it must be {must}{_hint(value, error.schema)}")]


def _place(path, value):
    """Where a path within `value` leads: the positions in the order of the entries, and the way in words."""
    place, way = [], ""
    for part in path:
        in_list = isinstance(value, list)
        place.append(part if in_list else list(value).index(part))
        way += f"[{part}]" if in_list else f".{part}"
        value = value[part]
    return tuple(place), way


def _all_known(names):
    """'; known: ...' if they are few enough for a message."""
    return f"; known: {', '.join(names)}" if len(names) <= 10 else ""


def merged(default, value):
    """A deep copy of `value`, with what it lacks taken from `default` where both are mappings, at any depth."""
    if isinstance(value, dict):
        base = default if isinstance(default, dict) else {}
        keys = [*base, *(key for key in value if key not in base)]
        return {key: merged(base.get(key), value[key] if key in value else base[key]) for key in keys}
    return [merged(None, item) for item in value] if isinstance(value, list) else value


def with_defaults(mapping, schema):
    """`mapping` with the defaults of `schema` filled in, deep, in the schema's order; nothing is shared with it."""
    return {
        key: merged(node["default"], mapping[key]) if key in mapping else merged(None, node["default"])
        for key, node in schema["properties"].items()
    }
