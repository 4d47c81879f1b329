"""Check values against the configuration's JSON Schema, fill in its defaults, and say in words what it allows.

Knows only the keywords of JSON Schema that the configuration's schema uses (KEYWORDS; a test holds the schema to
them and compares the verdicts with those of the package jsonschema). Importing that package takes longer than all the
rest of the check, in every job; and here numbers are stricter: NaN, infinity, and 5.0 for an integer are refused.
"""

import math
import re

from badpix.core.wording import show, suggestion

KEYWORDS = {
    "$ref", "type", "enum", "anyOf", "minimum", "exclusiveMinimum", "maximum", "pattern", "minLength", "maxLength",
    "items", "minItems", "uniqueItems", "properties", "additionalProperties",
}  # fmt: skip


def _is_number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the range of float
        return False


TYPES = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and _is_number(value),
    "number": _is_number,
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
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
    """The schema node with its `$ref` (within `schema`) followed; keywords beside the `$ref` win."""
    if "$ref" not in node:
        return node
    target = schema
    for part in node["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return {**resolve(target, schema), **{key: value for key, value in node.items() if key != "$ref"}}


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


def _hint(value, node, schema):
    """A word of help about a refused value, or nothing."""
    branches = [resolve(branch, schema) for branch in node.get("anyOf", [node])]
    names = [name for branch in branches for name in branch.get("enum", ())]
    if value is None and "none" in names:
        return "; YAML's null is not the word none: put it in quotes"
    if value == "None" and any(_types(branch) == "null" for branch in branches):
        return "; write null for Python's None"
    if isinstance(value, list) and (twice := [item for index, item in enumerate(value) if item in value[:index]]):
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


def _within_limits(value, node):
    """True when a value of the right type satisfies the node's own limits (not those of its parts)."""
    if "minimum" in node and not value >= node["minimum"]:
        return False
    if "exclusiveMinimum" in node and not value > node["exclusiveMinimum"]:
        return False
    if "maximum" in node and not value <= node["maximum"]:
        return False
    if isinstance(value, str):
        if not node.get("minLength", 0) <= len(value) <= node.get("maxLength", math.inf):
            return False
        return "pattern" not in node or re.search(node["pattern"], value) is not None
    if isinstance(value, list):
        repeated = node.get("uniqueItems") and any(item in value[:index] for index, item in enumerate(value))
        return len(value) >= node.get("minItems", 0) and not repeated
    return True


def problems(value, node, schema, key):
    """What is wrong with `value`, one line each beginning with `key`; an empty list if the schema node allows it."""
    node = resolve(node, schema)
    refused = [f"{key}: {show(value)} is not allowed; it must be {allowed(node, schema)}{_hint(value, node, schema)}"]
    if "anyOf" in node:
        branches = [resolve(branch, schema) for branch in node["anyOf"]]
        found = [problems(value, branch, schema, key) for branch in branches]
        if not all(found):
            return []
        # Where the value is a list and lists are allowed, its faulty items say more than the whole.
        if isinstance(value, list):
            for branch, its_problems in zip(branches, found, strict=True):
                if _types(branch) == "array" and not its_problems[0].startswith(f"{key}:"):
                    return its_problems
        return refused
    if "enum" in node:
        return [] if isinstance(value, str) and value in node["enum"] else refused
    if not TYPES[node["type"]](value) or not _within_limits(value, node):
        return refused
    if isinstance(value, list) and "items" in node:
        return [p for i, item in enumerate(value) for p in problems(item, node["items"], schema, f"{key}[{i}]")]
    if isinstance(value, dict):
        return mapping_problems(value, node, schema, f"{key}.")
    return []


def _all_known(names):
    """'; known: ...' if they are few enough for a message."""
    return f"; known: {', '.join(names)}" if len(names) <= 10 else ""


def mapping_problems(mapping, node, schema, prefix=""):
    """The problems of a mapping's entries, unknown keys included; `prefix` comes before the keys in the messages."""
    known, others = node.get("properties", {}), node.get("additionalProperties", {})
    found = []
    for key, value in mapping.items():
        if key in known:
            found += problems(value, known[key], schema, f"{prefix}{key}")
        elif others is False:
            found.append(f"{prefix}{key}: unknown key{suggestion(key, known) or _all_known(known)}")
        elif others:
            found += problems(value, others, schema, f"{prefix}{key}")
    return found


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
