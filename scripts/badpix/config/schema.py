"""Check values against the configuration's JSON Schema, fill in its defaults, and describe the allowed values.

The package jsonschema checks the values, with stricter numbers: NaN, infinity, and 5.0 for an integer are refused. The
messages are written here. The schema itself is checked by a test, not in every job. Its `$ref`s are resolved before a
check, which is four times faster for a long list.
"""

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import groupby
from operator import getitem
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from badpix.core.wording import show, suggestion

# A node of a JSON Schema.
Node = Mapping[str, Any]
# The keys and indices from a value to a value within it.
Path = tuple[Any, ...]


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the range of float
        return False


def repeated(items: Iterable[Any]) -> list[Any]:
    """The items of a list that equal an earlier item, in their order; the time is linear in the length of the list."""
    seen: set[Hashable] = set()
    found = []
    for item in items:
        hashable = _hashable(item)
        if hashable in seen:
            found.append(item)
        seen.add(hashable)
    return found


def _hashable(value: object) -> Hashable:
    """A hashable equivalent of a value; equal values have equal equivalents."""
    if isinstance(value, list):
        return tuple(map(_hashable, value))
    if isinstance(value, dict):
        return frozenset((key, _hashable(inner)) for key, inner in value.items())
    return value if isinstance(value, Hashable) else repr(value)


def _unique_items(validator: Any, wanted: bool, value: Any, _node: Node) -> Iterator[ValidationError]:
    """The keyword uniqueItems in linear time; jsonschema's own takes quadratic time for items of different types."""
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


def resolve(node: Any, schema: Node) -> Any:
    """A copy of the schema node with every `$ref` in it (within `schema`) resolved; keywords beside a `$ref` win."""
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


def allowed(node: Node, schema: Node) -> str:
    """The values that the schema node allows, in words."""
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


def _type(node: Node) -> str:
    """The type name that a resolved node without anyOf allows; all enums of the schema hold texts only."""
    return node.get("type", "string")


def _hint(value: object, node: Node) -> str:
    """A hint at the likely cause why the resolved node refuses a value; empty if there is none."""
    branches = node.get("anyOf", [node])
    names = [name for branch in branches for name in branch.get("enum", ())]
    if value is None and "none" in names:
        return "; YAML's null is not the word none: put it in quotes"
    if value == "None" and any(_type(branch) == "null" for branch in branches):
        return "; write null for Python's None"
    if isinstance(value, list) and (twice := repeated(value)):
        return f"; {show(twice[0])} is given twice"
    if isinstance(value, str) and any(_type(branch) in ("integer", "number") for branch in branches):
        try:
            float(value)
        except ValueError:
            return ""
        return "; it is a text: write it without quotes, and with a point before an exponent (1.0e+5)"
    if not isinstance(value, str):
        return ""
    if value.lower() in ("true", "false") and any(_type(branch) == "boolean" for branch in branches):
        return f"; it is a text: write it without quotes, after --config as {value.capitalize()}"
    return suggestion(value, names)


def problems(value: object, node: Node, schema: Node, key: str = "") -> list[str]:
    """The problems of `value`, one line each, in the order of its entries; an empty list if the node allows it.

    Parameters
    ----------
    value : object
        The value to check.
    node : mapping
        The schema node of `value`.
    schema : mapping
        The whole schema, for the `$ref`s of `node`.
    key : str
        The name of `value`. A line begins with it and the path to the fault, as in `key.hot[0]`.
    """
    faults = list(_key_faults(value))
    for error in Validator(resolve(node, schema)).iter_errors(_with_text_keys(value)):
        faults += _faults(error, schema, value)
    found: dict[tuple[int, ...], str] = {}
    for path, text in faults:
        positions, path_text = _positions(path, value)
        found[positions] = f"{key}{path_text}".removeprefix(".") + f": {text}"
    lines: list[str] = []
    last = None
    for positions in sorted(found):
        # No lines for parts of a value that is refused as a whole.
        if last is None or positions[: len(last)] != last:
            lines.append(found[positions])
            last = positions
    return lines


def _key_faults(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The keys within `value` that are not texts, as pairs of path and message.

    They are checked here, since jsonschema leaves a key None out of the paths of its errors.
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(key, str):
                yield from _key_faults(inner, (*path, key))
            else:
                yield (*path, key), f"{show(key)} is not allowed as a key; a key must be a text"
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _key_faults(inner, (*path, number))


def _with_text_keys(value: object) -> object:
    """A copy of `value` without the entries at any depth whose keys are not texts."""
    if isinstance(value, dict):
        return {key: _with_text_keys(inner) for key, inner in value.items() if isinstance(key, str)}
    return [_with_text_keys(item) for item in value] if isinstance(value, list) else value


def _faults(error: ValidationError, schema: Node, given: Any) -> list[tuple[Path, str]]:
    """The faults of a validation error, as pairs of path and message; `given` is the whole value as given."""
    path, value = tuple(error.absolute_path), error.instance
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = [name for name in value if name not in known]
        return [((*path, name), f"unknown key{suggestion(name, known) or _all_known(known)}") for name in unknown]
    # Where lists are allowed, the faults of the items are more specific than the refusal of the whole list.
    if isinstance(value, list):
        for _, branch in groupby(error.context, key=lambda part: part.schema_path[0]):
            parts = list(branch)
            if all(part.path for part in parts):
                return [fault for part in parts for fault in _faults(part, schema, given)]
    must = allowed(error.schema, schema)
    refused = show(reduce(getitem, path, given))
    return [(path, f"{refused} is not allowed; it must be {must}{_hint(value, error.schema)}")]


def _positions(path: Path, value: Any) -> tuple[tuple[int, ...], str]:
    """The position of each part of `path` among the entries of its mapping or list, and the path as text."""
    positions, text = [], ""
    for part in path:
        in_list = isinstance(value, list)
        positions.append(part if in_list else list(value).index(part))
        text += f"[{part}]" if in_list else f".{part if isinstance(part, str) else show(part)}"
        value = value[part]
    return tuple(positions), text


def _all_known(names: Sequence[str] | Mapping[str, Any]) -> str:
    """'; known: ...' if the names are few enough for a message."""
    return f"; known: {', '.join(names)}" if len(names) <= 10 else ""


def merged(default: Any, value: Any) -> Any:
    """A deep copy of `value`; where both are mappings, at any depth, missing keys are taken from `default`."""
    if isinstance(value, dict):
        base = default if isinstance(default, dict) else {}
        keys = [*base, *(key for key in value if key not in base)]
        return {key: merged(base.get(key), value[key] if key in value else base[key]) for key in keys}
    return [merged(None, item) for item in value] if isinstance(value, list) else value


def with_defaults(mapping: Mapping[str, Any], schema: Node) -> dict[str, Any]:
    """A deep copy of `mapping` with the defaults of `schema` filled in at any depth, in the order of the schema."""
    return {
        key: merged(node["default"], mapping[key]) if key in mapping else merged(None, node["default"])
        for key, node in schema["properties"].items()
    }
