"""The paths of a configuration, with ~ and environment variables expanded."""

from collections.abc import Mapping
from typing import Any

from badpix.core.paths import expand
from badpix.core.wording import show

STEPS = ("detector1_dark", "detector1_flat")
# Parameters of a step whose values are reference files.
OVERRIDE = "override_"


def expanded(config: Mapping[Any, Any], schema: Mapping[str, Any]) -> tuple[list[str], dict[Any, Any]]:
    """The problems of variables in paths, one line each, and a copy of `config` with its paths expanded.

    The keys of paths are those of `schema` with the unit `path`; reference files in parameters of steps are paths too.
    A key with a problem is left out of the copy. Values of types that no path has are unchanged.
    """
    found, result = [], dict(config)
    for key in config:
        is_path = schema["properties"].get(key, {}).get("unit") == "path"
        try:
            result[key] = _expanded(config[key], is_path) if is_path or key in STEPS else config[key]
        except KeyError as error:
            name = error.args[0]
            found.append(
                f"{key}: {show(config[key])} is not allowed; the environment variable {name} is not set or empty ($$ is"
                " a dollar sign)"
            )
            del result[key]
    return found, result


def _expanded(value: object, is_path: bool) -> object:
    """`value` with its paths expanded, at any depth: all texts, or the reference files of steps only."""
    if isinstance(value, dict):
        return {name: _expanded(inner, is_path or str(name).startswith(OVERRIDE)) for name, inner in value.items()}
    if isinstance(value, list):
        return [_expanded(item, is_path) for item in value]
    return expand(value) if is_path and isinstance(value, str) else value
