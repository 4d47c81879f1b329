"""The rules that the schema cannot express: real dates, and keys that contradict each other."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from badpix.config.dates import FLIGHT_AND_GROUND
from badpix.config.epochs import range_problems
from badpix.config.exp_types import exp_type_problems, sky_types
from badpix.config.settings import BY_DETECTOR, IN_ELECTRONS, of_detector, with_max_dead_norm_signal
from badpix.core.paths import path_problem
from badpix.core.wording import show

INPUT_KEYS = ("exposures", "darks", "flats", "dark_slope_files", "flat_slope_files")
DARK_PRODUCT_KEYS = ("dark_slope_files", "dark_jump_files", "dark_fitopt_files")
THRESHOLD_KEYS = (
    "flat_mean_normalization_method", "low_qe_and_open_search", "max_dead_norm_signal", "max_low_qe_norm_signal",
    "max_open_adj_norm_signal",
)  # fmt: skip
# Keys whose paths the rules of the workflow have.
PATH_KEYS = (
    "exposures", "manual_flag_file", "output_file", "compare_with", "history_directory", "results", "scratch",
    "crds_path",
)  # fmt: skip
RATE_KEYS = ("hot_rate_threshold", "warm_rate_threshold", "cold_rate_threshold")
# Keys that change what the searches of darks compare, and the keys of these searches.
ON_SEARCHES = ("ipc_neighbor_search", "dark_local_level")
SEARCH_KEYS = (
    "hot_rate_threshold", "cold_rate_threshold", *IN_ELECTRONS, "pedestal_test", "noisy_test", "ramp_shape_search",
    "telegraph_search", "slow_telegraph_search",
)  # fmt: skip
GATE_KEYS = ("max_new_fraction", "max_recovered_fraction")

Config = Mapping[str, Any]


def empty_interval(threshold: float | str, config: Config) -> str:
    """The problem of a `max_dead_norm_signal` that is not below `max_low_qe_norm_signal`."""
    return (
        f"max_dead_norm_signal: {threshold} is not allowed with max_low_qe_norm_signal"
        f" {config['max_low_qe_norm_signal']}; it must be lower, since LOW_QE and OPEN are searched between the two"
    )


def _paths(config: Config) -> list[str]:
    return [
        f"{key}: {show(config[key])} is not allowed; it {problem}"
        for key in PATH_KEYS
        if config[key] and (problem := path_problem(config[key]))
    ]


def _inputs(config: Config) -> list[str]:
    if any(config[key] for key in INPUT_KEYS):
        return []
    return [
        f"{', '.join(INPUT_KEYS)}: none is set, so there are no exposures; set darks, flats or both to the raw"
        " exposures, for instance darks: data/darks"
    ]


def _dark_products(config: Config) -> list[str]:
    missing = [key for key in DARK_PRODUCT_KEYS if not config[key]]
    if not missing or len(missing) == len(DARK_PRODUCT_KEYS):
        return []
    present = " and ".join(key for key in DARK_PRODUCT_KEYS if config[key])
    return [f"{key}: null is not allowed with {present}; processed darks need all three" for key in missing]


def _flux_check(config: Config) -> list[str]:
    raw = config["flats"] or config["dead_flux_check_files"] or config["exposures"]
    if config["dead_search"] and config["run_dead_flux_check"] and config["flat_slope_files"] and not raw:
        return ["dead_flux_check_files: null is not allowed with run_dead_flux_check; it must name the raw flats"]
    return []


def _thresholds(config: Config) -> list[str]:
    """The ranges of DEAD, LOW_QE and OPEN must not be empty, and must be in the unit of the flat."""
    if not config["low_qe_and_open_search"]:
        return []
    method, dead = config["flat_mean_normalization_method"], config["max_dead_norm_signal"]
    low, adjacent = config["max_low_qe_norm_signal"], config["max_open_adj_norm_signal"]
    threshold = with_max_dead_norm_signal(config, None)["max_dead_norm_signal"]
    if threshold is not None and threshold >= low:
        return [empty_interval(threshold if dead is not None else f"{threshold} (the default)", config)]
    if method != "none":
        return []
    found = []
    # Thresholds up to 1 are ratios to the mean. The default of each detector is checked in check_detector.
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


def _flat_types(config: Config) -> list[str]:
    """A finished product replaces the flats, and has no raw ramps; its response is normalised."""
    if not config["flat_types_from"]:
        return []
    product, found = show(config["flat_types_from"]), []
    for key in ("flats", "flat_slope_files", "dead_flux_check_files"):
        if config[key]:
            found.append(
                f"flat_types_from: {product} is not allowed with {key}; the flat types have a single source: take"
                f" {key} or flat_types_from out"
            )
    if config["flat_mean_normalization_method"] == "none":
        found.append(
            "flat_types_from: not allowed with flat_mean_normalization_method none, whose limits are in DN/s; the"
            " response of the product is normalised, so leave the method at its default"
        )
    if config["run_dead_flux_check"]:
        found.append("flat_types_from: not allowed with run_dead_flux_check, which needs raw flats; set it to false")
    paths = [config["flat_types_from"]] if isinstance(config["flat_types_from"], str) else config["flat_types_from"]
    found += [
        f"flat_types_from: {show(path)} is not allowed; it {why}" for path in paths if (why := path_problem(path))
    ]
    return found


def _useafter(config: Config) -> list[str]:
    try:
        datetime.datetime.fromisoformat(config["useafter"])
    except ValueError as error:
        return [f"useafter: {config['useafter']!r} is not allowed; it must be a real date and time ({error})"]
    return []


def _pedigree(config: Config) -> list[str]:
    dates = [] if config["pedigree"] == FLIGHT_AND_GROUND else config["pedigree"].split()[1:]
    try:
        real = [datetime.date.fromisoformat(date) for date in dates]
    except ValueError as error:
        return [f"pedigree: {config['pedigree']!r} is not allowed; its dates must be real dates ({error})"]
    if real != sorted(real):
        return [f"pedigree: {config['pedigree']!r} is not allowed; the first date must not be after the second"]
    return []


def _units(config: Config) -> list[str]:
    """A limit has a single unit, and the limits of a detector are in order."""
    found = []
    for key in RATE_KEYS:
        electrons = f"{key}_e_per_s"
        # 0 is the default of warm_rate_threshold.
        is_in_dn = bool(config[key]) if key == "warm_rate_threshold" else config[key] is not None
        if config[electrons] is not None and is_in_dn:
            found.append(
                f"{electrons}: {show(config[electrons])} is not allowed with {key} {config[key]}, the same limit in"
                f" DN/s; set {key} to null (a preset may set it)"
            )
    given = [value for key in BY_DETECTOR if isinstance(value := config[key], Mapping)]
    for detector in dict.fromkeys(name for mapping in given for name in mapping) or [""]:
        values, of = of_detector(config, detector), f" for {detector}" if detector else ""
        hot, warm = values["hot_rate_threshold_e_per_s"], values["warm_rate_threshold_e_per_s"]
        if warm is None or (hot is not None and warm < hot):
            continue
        if hot is not None:
            reason = f"with hot_rate_threshold_e_per_s {hot}; it must be lower"
        elif config["hot_rate_threshold"] is None:
            reason = "without a limit of hot pixels; set hot_rate_threshold_e_per_s"
        else:
            continue
        found.append(f"warm_rate_threshold_e_per_s: {warm}{of} is not allowed {reason}")
    return found


def _epochs(config: Config) -> list[str]:
    epochs = config["epochs"]
    if isinstance(epochs, dict):
        return [] if epochs else ["epochs: {} is not allowed; it needs max_gap_days"]
    return range_problems(epochs) if epochs else []


def _mast(config: Config) -> list[str]:
    days = {}
    for name in ("start", "end"):
        text = config["mast"][name]
        try:
            days[name] = datetime.date.fromisoformat(text) if text else None
        except ValueError as error:
            return [f"mast.{name}: {text!r} is not allowed; it must be a real date ({error})"]
    if days["start"] and days["end"] and days["end"] < days["start"]:
        return [f"mast.end: {days['end']} is not allowed; it is before mast.start, {days['start']}"]
    return []


def _comparison(config: Config) -> list[str]:
    if config["compare_with"] == "previous" and config["epochs"] is None:
        return ["compare_with: 'previous' is the mask of the preceding epoch, and epochs is null; set epochs"]
    if config["compare_with"] is None:
        return [
            f"{key}: {config[key]} is not allowed without compare_with; set compare_with to the mask of the comparison"
            for key in GATE_KEYS
            if config[key] is not None
        ]
    return []


def _known_bad(config: Config) -> list[str]:
    pixels = config["known_bad"]["pixels"]
    given = pixels.items() if isinstance(pixels, dict) else [(None, pixels)]
    return [
        f"known_bad.pixels{f'.{detector}' if detector else ''}: {show(path)} is not allowed; it {problem}"
        for detector, path in given
        if path and (problem := path_problem(path))
    ]


def _science_check(config: Config) -> list[str]:
    setting = config["science_check"]
    given = setting["exposures"] or []
    found = [
        f"science_check.{key}: {show(path)} is not allowed; it {why}"
        for key, paths in (
            ("exposures", [given] if isinstance(given, str) else given),
            ("old_mask", [setting["old_mask"]]),
        )
        for path in paths
        if (why := path_problem(path))
    ]
    if setting["deliver"] and not given:
        found.append("science_check.deliver: true is not allowed without science_check.exposures; set them")
    if setting["old_mask"] == "previous" and config["epochs"] is None:
        found.append(
            "science_check.old_mask: 'previous' is the mask of the preceding epoch, and epochs is null; set epochs"
        )
    return found


def _needs_search(config: Config) -> list[str]:
    """Keys that change what the searches beyond the official algorithm compare have no effect without a search."""
    # None, false, or the test of the official algorithm; a limit of 0 is a limit.
    if any(str(config[key]) not in ("None", "False", "sigma", "slopes") for key in SEARCH_KEYS):
        return []
    return [
        f"{key}: true is not allowed without a search of darks beyond the official algorithm, on which alone it acts;"
        " set hot_rate_threshold, pedestal_test: significance or another"
        for key in ON_SEARCHES
        if config[key]
    ]


def _sky_level(config: Config) -> list[str]:
    """Flats of the sky have no common level in DN/s, and their thresholds are relative."""
    if not (found := sky_types(config)) or config["flat_mean_normalization_method"] != "none":
        return []
    return [
        f"flat_mean_normalization_method: none is not allowed with {', '.join(found)} in flat_exp_types, because the"
        " level of the sky differs between exposures; it must be smoothed or mean"
    ]


# Pairs of keys and a rule. The rule takes the complete configuration, reads these keys and returns its problems.
Rule = tuple[tuple[str, ...], Callable[[Config], list[str]]]
RULES: tuple[Rule, ...] = (
    ((*INPUT_KEYS,), _inputs),
    (PATH_KEYS, _paths),
    (DARK_PRODUCT_KEYS, _dark_products),
    (
        ("flats", "exposures", "flat_slope_files", "dead_flux_check_files", "dead_search", "run_dead_flux_check"),
        _flux_check,
    ),
    (THRESHOLD_KEYS, _thresholds),
    (("dark_exp_types", "flat_exp_types"), exp_type_problems),
    (("flat_exp_types", "flat_mean_normalization_method"), _sky_level),
    (
        (
            "flat_types_from",
            "flats",
            "flat_slope_files",
            "dead_flux_check_files",
            "flat_mean_normalization_method",
            "run_dead_flux_check",
        ),
        _flat_types,
    ),
    (("useafter",), _useafter),
    (("pedigree",), _pedigree),
    (("epochs",), _epochs),
    (("mast",), _mast),
    ((*RATE_KEYS, *BY_DETECTOR), _units),
    (("compare_with", "epochs", *GATE_KEYS), _comparison),
    ((*ON_SEARCHES, *SEARCH_KEYS), _needs_search),
    (("known_bad",), _known_bad),
    (("science_check", "epochs"), _science_check),
)
