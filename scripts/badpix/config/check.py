"""The configuration: read its schema, check the user's values, fill in the defaults.

Pure except for the reading of the schema files, and fast, since every job of the workflow repeats it.
"""

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from badpix.config.detector1_steps import step_problems
from badpix.config.epochs import date_texts, dates_as_text
from badpix.config.paths import expanded
from badpix.config.renamed import renamed
from badpix.config.rules import RULES, empty_interval
from badpix.config.schema import problems, with_defaults
from badpix.config.settings import with_max_dead_norm_signal
from badpix.config.size import size_problems
from badpix.config.sweep import sweep_problems
from badpix.config.variants import prepared, variant_problems
from badpix.instrument.detectors import Detector


class ConfigError(ValueError):
    """The configuration cannot be used; the message has a line for each of the `problems`."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        n_problems = len(self.problems)
        head = f"the configuration has {n_problems} problem{'s' if n_problems > 1 else ''}:"
        super().__init__("\n  ".join([head, *self.problems]))


def load_schema(path: str | Path) -> dict[str, Any]:
    """The configuration's schema, from its YAML file."""
    # Imported here because the checks need no YAML.
    import yaml

    # The loader in C is ten times faster; not every build of PyYAML has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with Path(path).open(encoding="utf-8") as file:
        return yaml.load(file, Loader=loader)


def load_steps(path: str | Path) -> dict[str, dict[str, str]]:
    """The parameters of the steps of calwebb_detector1 (step -> parameter -> configobj specification)."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def validated(config: object, schema: Mapping[str, Any], steps_spec: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """`config` with all defaults filled in at any depth, paths expanded and `useafter` as text, as a copy.

    `schema` is the result of `load_schema`, `steps_spec` the result of `load_steps`. Raises ConfigError, which lists
    every problem: the key, the value given, what is allowed.
    """
    if not isinstance(config, dict):
        raise ConfigError([f"the configuration is not a mapping of keys to values but {type(config).__name__}"])
    if too_large := size_problems(config):
        raise ConfigError(too_large)
    outdated, given = renamed(config)
    undefined, given = expanded(given, schema)
    if "useafter" in given:
        given["useafter"] = useafter_text(given["useafter"])
    if "epochs" in given:
        given["epochs"] = date_texts(given["epochs"])
    if isinstance(given.get("mast"), dict):
        given["mast"] = dates_as_text(given["mast"])
    of_variants: list[str] = []
    if "variants" in given:
        of_variants, variants = prepared(given["variants"], schema)
        given["variants"] = with_useafter_texts(variants)
    found = outdated + undefined + of_variants + problems(given, schema, schema)
    # A rule is applied only where the compared values are sound, so that no problem is reported twice.
    unsound = {re.split(r"[.\[:]", problem, maxsplit=1)[0] for problem in found}
    sound = {key: value for key, value in given.items() if key in schema["properties"] and key not in unsound}
    complete = with_defaults(sound, schema)
    for keys, rule in RULES:
        if not unsound.intersection(keys):
            found += rule(complete)
    for key in ("detector1_dark", "detector1_flat"):
        if key not in unsound:
            found += step_problems(key, complete[key], steps_spec)
    if not found:
        found = variant_problems(complete, schema, RULES)
    if not found:
        found = sweep_problems(complete, schema, RULES)
    if found:
        raise ConfigError(found)
    return complete


def check_detector(config: Mapping[str, Any], detector: Detector) -> None:
    """Raise ConfigError when the thresholds of the validated `config` cannot be used for the flats of `detector`.

    Needed for flats that are not normalised: the default of `max_dead_norm_signal` then depends on the detector.
    """
    threshold = with_max_dead_norm_signal(config, detector.max_dead_norm_signal_dn_per_s)["max_dead_norm_signal"]
    absolute = config["dead_search"] and "absolute_rate" in search_types(config)
    if threshold is None:
        if absolute or config["low_qe_and_open_search"]:
            raise ConfigError(
                [
                    f"max_dead_norm_signal: null is not allowed for {detector.name} with flat_mean_normalization_method"
                    " none, because the detector has no default; it must be a number in DN/s"
                ]
            )
    elif config["low_qe_and_open_search"] and threshold >= config["max_low_qe_norm_signal"]:
        raise ConfigError([empty_interval(f"{threshold} (the default of {detector.name})", config)])


def search_types(config: Mapping[str, Any]) -> list[str]:
    """The values of `dead_search_type` as a list."""
    kinds = config["dead_search_type"]
    return [kinds] if isinstance(kinds, str) else list(kinds)


def with_useafter_texts(variants: object) -> object:
    """The mapping of the variants with their `useafter` as text; a value of another type is returned unchanged."""
    if not isinstance(variants, dict):
        return variants
    return {
        name: {key: useafter_text(value) if key == "useafter" else value for key, value in keys.items()}
        if isinstance(keys, dict)
        else keys
        for name, keys in variants.items()
    }


def useafter_text(value: object) -> object:
    """A date as `YYYY-MM-DD HH:MM:SS` (UTC); a value of another type is returned unchanged.

    YAML reads a date without quotes as a date object, with a time zone if the text has one.
    """
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            try:
                value = value.astimezone(datetime.UTC).replace(tzinfo=None)
            except OverflowError:  # before the year 1 or after the year 9999; refused as text, with its time zone
                return value.isoformat(sep=" ")
        return value.isoformat(sep=" ")
    if isinstance(value, datetime.date):
        return f"{value.isoformat()} 00:00:00"
    return re.sub(r"^([0-9]{4}-[0-9]{2}-[0-9]{2})T", r"\1 ", value) if isinstance(value, str) else value
