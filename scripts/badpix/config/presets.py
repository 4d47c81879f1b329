"""Presets: files of keys between the defaults and the user's own configuration.

A preset is a file of config/presets, given by its name, or a file of the user, given by its path.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from badpix.config.check import ConfigError
from badpix.config.duplicates import duplicate_keys
from badpix.config.schema import merged
from badpix.core.paths import expand
from badpix.core.wording import show, suggestion

KEY = "preset"
# The name of the defaults; no file has it.
OFFICIAL = "official"
SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Preset:
    """A preset: its name (of a user's file the name of the file), the SHA-256 of its file, its keys with values.

    `own` are the keys of the preset that the user's configuration sets to other values, sorted.
    """

    name: str
    sha256: str
    keys: Mapping[str, Any]
    own: tuple[str, ...] = ()

    @property
    def record(self) -> dict[str, Any]:
        """The preset as a setting of a mask, in types of JSON: the record of its keys is that of the configuration."""
        return {"name": self.name, "sha256": self.sha256, "own": list(self.own)}


def preset_text(record: Mapping[str, Any]) -> str:
    """Name and digest of a `Preset.record`, for headers and messages."""
    return f"{record['name']} (SHA-256 {record['sha256'][:16]}...)"


def record_text(record: Mapping[str, Any]) -> str:
    """The preset of a `Preset.record` and the keys with values of the configuration in place of the preset's."""
    own = f"; not from it, but set by the configuration: {', '.join(record['own'])}" if record["own"] else ""
    return f"Preset {preset_text(record)}{own}"


def preset_names(directory: Path) -> list[str]:
    """The values of the key that are names: the defaults, and the files of `directory`."""
    return [OFFICIAL, *sorted(path.stem for path in directory.glob("*.yaml"))]


def with_preset(
    config: Mapping[str, Any], own: Mapping[str, Any], schema: Mapping[str, Any], directory: Path
) -> tuple[dict[str, Any], Preset | None]:
    """`config` with the keys of its preset, as a copy, and the Preset; None without a preset.

    Parameters
    ----------
    config : mapping
        The defaults with the user's keys.
    own : mapping
        The user's keys alone. They override those of the preset, at any depth of mappings.
    schema : mapping
        The schema of the configuration.
    directory : Path
        The folder of the named presets.

    Raises
    ------
    ConfigError
        There is no such preset, its file is no mapping of keys, or the user's keys set it back to the defaults.
    """
    path = preset_file(config.get(KEY), directory)
    if path is None:
        return dict(config), None
    keys, sha256 = _read(path)
    name = path.stem if path.resolve().parent == directory.resolve() else path.name
    resolved = merged(merged(dict(config), keys), dict(own))
    differing = [key for key in keys if key in own and resolved[key] != merged(config.get(key), keys[key])]
    defaults = {key: node["default"] for key, node in schema["properties"].items()}
    if differing and keys.keys() <= own.keys() and all(own[key] == defaults.get(key) for key in differing):
        raise ConfigError(
            [
                f"{KEY}: {name} has no effect, because the configuration sets its keys to the defaults, as a copy of"
                " config/config.yaml does; remove the keys that are to come from the preset:"
                f" {', '.join(sorted(differing))}"
            ]
        )
    return resolved, Preset(name, sha256, keys, tuple(sorted(differing)))


def preset_file(setting: object, directory: Path) -> Path | None:
    """The file of the preset `setting`; None for the defaults, and for values that the schema refuses."""
    names = preset_names(directory)
    if not isinstance(setting, str) or not setting or setting == OFFICIAL:
        return None
    if setting in names:
        return directory / f"{setting}.yaml"
    try:
        path = Path(expand(setting))
    except KeyError:  # refused together with the variables of other paths
        return None
    is_path = "/" in setting or path.suffix in SUFFIXES
    if is_path and path.is_file():
        return path
    what = "no such file" if is_path else "no such preset"
    hint = suggestion(path.stem, names)
    known = f"it must be null, {', '.join(names)}, or the path of a file{hint}"
    raise ConfigError([f"{KEY}: {show(setting)} is not allowed: {what}; {known}"])


def _read(path: Path) -> tuple[dict[str, Any], str]:
    """The keys of the file of a preset, and its SHA-256."""
    # Imported here because most runs with the defaults have no preset.
    import yaml

    if duplicates := duplicate_keys([path]):
        raise ConfigError([f"{KEY}: {problem}" for problem in duplicates])
    try:
        content = path.read_bytes()
        keys = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError([f"{KEY}: {path} cannot be read as YAML: {' '.join(str(error).split())}"]) from None
    if not isinstance(keys, dict):
        raise ConfigError([f"{KEY}: {path} is not a mapping of keys to values"])
    if KEY in keys:
        raise ConfigError([f"{KEY}: {path} has the key {KEY}; a preset cannot have another preset"])
    return keys, hashlib.sha256(content).hexdigest()


def problems_with_preset(error: ConfigError, preset: Preset | None, own: Mapping[str, Any]) -> ConfigError:
    """`error` with the name of the preset beside the problems of keys that only the preset has."""
    if preset is None:
        return error
    of_preset = preset.keys.keys() - own.keys()
    return ConfigError(
        f"{problem} (a key of the preset {preset.name})" if _key(problem) in of_preset else problem
        for problem in error.problems
    )


def _key(problem: str) -> str:
    return re.split(r"[.\[:]", problem, maxsplit=1)[0]
