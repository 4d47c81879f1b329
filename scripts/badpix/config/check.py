"""The configuration: read its schema, check what the user gave, fill in the defaults.

Pure but for the reading of the schema files, and cheap, since every job of the workflow does it again.
"""

import datetime
import json
import re

from badpix.config.detector1_steps import step_problems
from badpix.config.epochs import date_texts
from badpix.config.renamed import renamed
from badpix.config.rules import RULES, empty_interval
from badpix.config.schema import problems, with_defaults
from badpix.config.settings import with_max_dead_norm_signal
from badpix.config.sweep import sweep_problems


class ConfigError(ValueError):
    """The configuration cannot be used; `problems` lists all that is wrong, and the message has a line for each."""

    def __init__(self, problems):
        self.problems = tuple(problems)
        number = len(self.problems)
        head = f"the configuration has {number} problem{'s' if number > 1 else ''}:"
        super().__init__("\n  ".join([head, *self.problems]))


def load_schema(path):
    """The configuration's schema, from its YAML file."""
    # Imported here because the checks need no YAML.
    import yaml

    # The loader in C is ten times faster; not every build of PyYAML has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader=loader)


def load_steps(path):
    """The parameters of the steps of calwebb_detector1 (step -> parameter -> configobj specification)."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def validated(config, schema, steps_spec):
    """`config` with all defaults filled in, deep, and `useafter` as text; `config` itself is left as it is.

    `schema` is that of `load_schema`, `steps_spec` that of `load_steps`. Raises ConfigError, which lists every problem:
    the key, the value given, what is allowed.
    """
    if not isinstance(config, dict):
        raise ConfigError([f"the configuration is not a mapping of keys to values but {type(config).__name__}"])
    outdated, given = renamed(config)
    if "useafter" in given:
        given["useafter"] = useafter_text(given["useafter"])
    if "epochs" in given:
        given["epochs"] = date_texts(given["epochs"])
    found = outdated + problems(given, schema, schema)
    # A rule is applied only where the values it compares are sound, so that no problem is reported twice.
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
        found = sweep_problems(complete, schema, RULES)
    if found:
        raise ConfigError(found)
    return complete


def check_detector(config, detector):
    """Raise ConfigError when the (validated) thresholds cannot be used for the flats of `detector` (a Detector).

    Needed where nothing is normalised: then the default of `max_dead_norm_signal` is the detector's own.
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


def search_types(config):
    """The values of `dead_search_type` as a list."""
    kinds = config["dead_search_type"]
    return [kinds] if isinstance(kinds, str) else list(kinds)


def useafter_text(value):
    """A date as `YYYY-MM-DD HH:MM:SS` (UTC); what is no date is returned as it is.

    YAML makes a date of text without quotes, with a time zone if there is one.
    """
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.UTC).replace(tzinfo=None)
        return value.isoformat(sep=" ")
    if isinstance(value, datetime.date):
        return f"{value.isoformat()} 00:00:00"
    return re.sub(r"^([0-9]{4}-[0-9]{2}-[0-9]{2})T", r"\1 ", value) if isinstance(value, str) else value
