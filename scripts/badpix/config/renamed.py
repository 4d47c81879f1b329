"""Configuration keys and values that were renamed."""

from collections.abc import Mapping
from typing import Any

# Old name of a key, or of a value of a key -> the name since version 0.2.0.
RENAMED_KEYS = {
    "ballot": "dark_vote_unit",
    "flat_ballot": "flat_vote_unit",
    "flat_fraction": "flat_vote_fraction",
    "idle_cores": "detector1_use_idle_cores",
    "outlier_factor": "outlier_limit",
    "open_rule": "open_neighbour_rule",
    "quarantine_outliers": "reject_outliers",
    "statistical_control": "reliability",
    "unlit_fraction": "min_unlit_area",
}
RENAMED_VALUES = {"on_bad_exposure": {"quarantine": "reject"}, "pedestal_test": {"calibrated": "significance"}}


def renamed(config: Mapping[Any, Any]) -> tuple[list[str], dict[Any, Any]]:
    """The problems of renamed keys and values, one line each, and a copy of `config` without them."""
    found = [f"{key}: renamed to {RENAMED_KEYS[key]}" for key in config if key in RENAMED_KEYS]
    current = {key: value for key, value in config.items() if key not in RENAMED_KEYS}
    for key, names in RENAMED_VALUES.items():
        if isinstance(value := current.get(key), str) and value in names:
            found.append(f"{key}: {value} is renamed to {names[value]}")
            del current[key]
    return found, current
