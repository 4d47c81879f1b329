"""The configuration: read its schema, check what the user gave, fill in the defaults.

Pure but for the reading of the schema files, and cheap, since every job of the workflow does it again. Problems that
the schema cannot express (dates, keys that contradict each other) are found here.
"""

import datetime
import json
import re

from badpix.config.detector1_steps import step_problems
from badpix.config.epochs import date_texts, range_problems
from badpix.config.schema import problems, with_defaults
from badpix.config.settings import effective_max_dead_norm_signal
from badpix.config.sweep import sweep_problems

INPUT_KEYS = ("exposures", "darks", "flats", "dark_slope_files", "flat_slope_files")
DARK_PRODUCT_KEYS = ("dark_slope_files", "dark_jump_files", "dark_fitopt_files")
THRESHOLD_KEYS = (
    "flat_mean_normalization_method", "low_qe_and_open_search", "max_dead_norm_signal", "max_low_qe_norm_signal",
    "max_open_adj_norm_signal",
)  # fmt: skip
GATE_KEYS = ("max_new_fraction", "max_recovered_fraction")


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
    given = dict(config)
    if "useafter" in given:
        given["useafter"] = useafter_text(given["useafter"])
    if "epochs" in given:
        given["epochs"] = date_texts(given["epochs"])
    found = problems(given, schema, schema)
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
    method, dead = config["flat_mean_normalization_method"], config["max_dead_norm_signal"]
    threshold = effective_max_dead_norm_signal(dead, method, detector.max_dead_norm_signal_dn_per_s)
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
        raise ConfigError([_empty_interval(f"{threshold} (the default of {detector.name})", config)])


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


def _empty_interval(threshold, config):
    return (
        f"max_dead_norm_signal: {threshold} is not allowed with max_low_qe_norm_signal"
        f" {config['max_low_qe_norm_signal']}; it must be below it, since low_qe_and_open_search looks between the two"
    )


def _inputs(config):
    if any(config[key] for key in INPUT_KEYS):
        return []
    return [
        f"{', '.join(INPUT_KEYS)}: none is set, so there is nothing to make a mask of; set darks, flats or both to"
        " where the raw exposures are, for instance darks: data/darks"
    ]


def _dark_products(config):
    missing = [key for key in DARK_PRODUCT_KEYS if not config[key]]
    if not missing or len(missing) == len(DARK_PRODUCT_KEYS):
        return []
    present = " and ".join(key for key in DARK_PRODUCT_KEYS if config[key])
    return [f"{key}: null is not allowed with {present}; processed darks need all three" for key in missing]


def _flux_check(config):
    raw = config["flats"] or config["dead_flux_check_files"] or config["exposures"]
    if config["dead_search"] and config["run_dead_flux_check"] and config["flat_slope_files"] and not raw:
        return ["dead_flux_check_files: null is not allowed with run_dead_flux_check; it must name the raw flats"]
    return []


def _thresholds(config):
    """The limits of DEAD, LOW_QE and OPEN must leave something to find, and be in the unit of the flat."""
    if not config["low_qe_and_open_search"]:
        return []
    method, dead = config["flat_mean_normalization_method"], config["max_dead_norm_signal"]
    low, adjacent = config["max_low_qe_norm_signal"], config["max_open_adj_norm_signal"]
    threshold = effective_max_dead_norm_signal(dead, method, None)
    if threshold is not None and threshold >= low:
        return [_empty_interval(threshold if dead is not None else f"{threshold} (the default)", config)]
    if method != "none":
        return []
    found = []
    # Thresholds up to 1 are ratios to the mean. The detectors' own defaults are looked at in check_detector.
    if dead is None and low <= 1:
        found.append(
            f"max_low_qe_norm_signal: {low} is not allowed with flat_mean_normalization_method none; it must be in DN/s"
            " and above max_dead_norm_signal (and max_open_adj_norm_signal above it), or set low_qe_and_open_search to"
            " false"
        )
    if adjacent <= low:
        found.append(
            f"max_open_adj_norm_signal: {adjacent} is not allowed with flat_mean_normalization_method none; it must be"
            f" in DN/s and above max_low_qe_norm_signal, which is {low}"
        )
    return found


def _useafter(config):
    try:
        datetime.datetime.fromisoformat(config["useafter"])
    except ValueError as error:
        return [f"useafter: {config['useafter']!r} is not allowed; it must be a real date and time ({error})"]
    return []


def _pedigree(config):
    dates = config["pedigree"].split()[1:]
    try:
        real = [datetime.date.fromisoformat(date) for date in dates]
    except ValueError as error:
        return [f"pedigree: {config['pedigree']!r} is not allowed; its dates must be real ones ({error})"]
    if real != sorted(real):
        return [f"pedigree: {config['pedigree']!r} is not allowed; the first date must not be after the second"]
    return []


def _epochs(config):
    epochs = config["epochs"]
    if isinstance(epochs, dict):
        return [] if epochs else ["epochs: {} is not allowed; it needs max_gap_days"]
    return range_problems(epochs) if epochs else []


def _comparison(config):
    if config["compare_with"] == "previous" and config["epochs"] is None:
        return ["compare_with: 'previous' is the mask of the epoch before, and epochs is null; set epochs"]
    if config["compare_with"] is None:
        return [
            f"{key}: {config[key]} is not allowed without compare_with; name the mask that the new one is compared with"
            for key in GATE_KEYS
            if config[key] is not None
        ]
    return []


# Each rule is given the complete configuration and returns its problems; it reads the keys named before it.
RULES = (
    ((*INPUT_KEYS,), _inputs),
    (DARK_PRODUCT_KEYS, _dark_products),
    (
        ("flats", "exposures", "flat_slope_files", "dead_flux_check_files", "dead_search", "run_dead_flux_check"),
        _flux_check,
    ),
    (THRESHOLD_KEYS, _thresholds),
    (("useafter",), _useafter),
    (("pedigree",), _pedigree),
    (("epochs",), _epochs),
    (("compare_with", "epochs", *GATE_KEYS), _comparison),
)
