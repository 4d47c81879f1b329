"""The configuration: its defaults, and refused values with their reasons."""

import copy
import datetime
import json
import math
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from badpix.config.check import ConfigError, check_detector, load_schema, load_steps, search_types, validated
from badpix.config.renamed import RENAMED_KEYS, RENAMED_VALUES
from badpix.instrument.detectors import load_detectors
from badpix.instrument.dq import EXPOSURE_FLAGS, MASK_FLAGS

ROOT = Path(__file__).resolve().parents[3]
CONFIG = ROOT / "config"
SCHEMA = load_schema(CONFIG / "schemas" / "config.schema.yaml")
STEPS = load_steps(CONFIG / "schemas" / "detector1_steps.json")
KEYS = SCHEMA["properties"]

STEP_DEFAULTS = {
    "dark_current": {"skip": True},
    "persistence": {"skip": True},
    "saturation": {"n_pix_grow_sat": 0},
    "jump": {"flag_4_neighbors": False, "expand_large_events": False},
}
# The jumps of short darks are searched for as those of long darks.
DARK_STEP_DEFAULTS = STEP_DEFAULTS | {"jump": STEP_DEFAULTS["jump"] | {"min_diffs_single_pass": 4}}


def check(**config):
    """The validated configuration of a run on darks with these keys."""
    return validated({"darks": "data/darks", **config}, SCHEMA, STEPS)


def refusal(**config):
    """The problems of a configuration that must be refused."""
    with pytest.raises(ConfigError) as caught:
        check(**config)
    assert str(caught.value).splitlines()[1:] == [f"  {problem}" for problem in caught.value.problems]
    return caught.value.problems


# ---------------------------------------------------------------- defaults and merging


def test_defaults_are_filled_in_as_copies():
    config = {
        "darks": ["a"],
        "detector1_dark": {"jump": {"rejection_threshold": 5.0}},
        "flag_values": {"noisy": ["WARM"]},
    }
    config["useafter"] = datetime.date(2022, 7, 1)
    before, schema_before = copy.deepcopy(config), copy.deepcopy(SCHEMA)
    result = validated(config, SCHEMA, STEPS)
    assert list(result) == list(KEYS)
    assert result["detector1_dark"] == DARK_STEP_DEFAULTS | {
        "jump": DARK_STEP_DEFAULTS["jump"] | {"rejection_threshold": 5.0}
    }
    assert result["detector1_flat"] == STEP_DEFAULTS
    assert result["flag_values"] == KEYS["flag_values"]["default"] | {"noisy": ["WARM"]}
    for key in ("darks", "dark_do_not_use"):
        result[key].append("x")
    result["detector1_dark"]["jump"]["skip"] = result["flag_values"]["hot"][0] = 1
    assert config == before and schema_before == SCHEMA


def test_given_values_override_the_defaults():
    result = check(
        detector1_dark={"jump": {"flag_4_neighbors": True}},
        flag_values={"hot": []},
        dark_do_not_use=[],
        max_jump_limit=7,
    )
    assert result["detector1_dark"]["jump"] == DARK_STEP_DEFAULTS["jump"] | {"flag_4_neighbors": True}
    assert result["flag_values"]["hot"] == [] and result["flag_values"]["rc"] == ["RC"]
    assert result["dark_do_not_use"] == [] and result["max_jump_limit"] == 7


def test_a_validated_configuration_is_valid():
    once = check(useafter="2022-01-02T03:04:05")
    assert validated(once, SCHEMA, STEPS) == once


# ---------------------------------------------------------------- single values


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("early_cutoff_fraction", 0.5),
        ("early_cutoff_fraction", 1e-6),
        ("rc_fraction_threshold", 1),
        ("flux_check", 0),
        ("smoothing_box_width", 3),
        ("max_dead_norm_signal", 0),
        ("max_dead_norm_signal", 0.49),
        ("dead_search_type", ["sigma_rate", "absolute_rate"]),
        ("darks", ["a/*_uncal.fits", "b"]),
        ("detectors", ["NRCA1", "MIRIMAGE"]),
        ("detectors", "all"),
        ("manual_flag_file", "none"),
        ("flat_do_not_use", ["DEAD", "UNRELIABLE_SLOPE"]),
        ("dark_do_not_use", ["noisy"]),
        ("output_file", "masks/a..b.fits"),
        ("output_file", "m.fits"),
        ("description", "x" * 65),
        ("pedigree", "SIMULATION"),
        ("pedigree", "INFLIGHT"),
        ("pedigree", "INFLIGHT GROUND"),
        ("pedigree", "INFLIGHT 2022-06-01 2022-06-01"),
        ("history", ""),
        ("history", "two\nlines, é"),
    ],
)
def test_allowed_values(key, value):
    assert check(**{key: value})[key] == value


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("early_cutoff_fraction", 0, "0 is not allowed; it must be a number > 0 and <= 0.5"),
        ("early_cutoff_fraction", 0.50001, "<= 0.5"),
        ("early_cutoff_fraction", math.nan, "nan is not allowed"),
        ("flux_check", math.inf, "inf is not allowed"),
        ("flux_check", 10**400, "is not allowed"),
        ("flux_check", True, "true is not allowed; it must be a number"),
        ("max_jump_limit", True, "true is not allowed; it must be an integer >= 1"),
        ("max_jump_limit", 10.0, "10.0 is not allowed; it must be an integer"),
        ("max_jump_limit", "10", "'10' is not allowed; it must be an integer >= 1; it is a text"),
        ("flux_check", "1e5", "write it without quotes, and with a point"),
        ("max_jump_limit", None, "null is not allowed"),
        ("min_clean_slopes", 1, ">= 2"),
        ("min_groups", 1, ">= 2"),
        ("dead_search", 1, "1 is not allowed; it must be true or false"),
        ("dead_search", "yes", "true or false$"),
        ("dead_search", "true", "without quotes, after --config as True"),
        ("dead_search", "FALSE", "without quotes, after --config as False"),
        ("rc_fraction_threshold", 80, "<= 1"),
        ("max_dead_norm_signal", "None", "write null for Python's None"),
        ("darks", "None", "write null for Python's None"),
        ("darks", [], "null, or a directory"),
        ("darks", ["a", "a"], "'a' is given twice"),
        ("darks", ["a", 3], r"darks\[1\]: 3 is not allowed"),
        ("darks", ["a", "a", 3], "darks: .*; 'a' is given twice"),
        ("darks", [{"a": [1]}, {"a": [1.0]}], r"; {'a': \[1.0\]} is given twice"),
        ("flat_mean_normalization_method", None, "null is not the word none"),
        ("flat_mean_normalization_method", "smooth", "one of smoothed, none, mean; did you mean smoothed?"),
        ("manual_flag_file", None, "none .as text, not null."),
        ("smoothing_type", "median", "did you mean Median?"),
        ("dead_search_type", [], "sigma_rate, absolute_rate, or a list of these"),
        ("dead_search_type", ["absolute"], "did you mean absolute_rate?"),
        ("detectors", "NRCA1", "a list of detector names"),
        ("detectors", ["NRCA5"], r"detectors\[0\]: 'NRCA5' .* did you mean NRCA"),
        ("flag_values", {"hot": "HOT"}, "flag_values.hot: 'HOT' is not allowed; it must be a list"),
        ("flag_values", {"hott": ["HOT"]}, "flag_values.hott: unknown key; did you mean hot?"),
        ("flag_values", {"rc": ["RCC"]}, r"flag_values.rc\[0\]: 'RCC' .* did you mean RC?"),
        ("dark_do_not_use", ["hot", "hot", "x"], "each once; 'hot' is given twice"),
        ("dark_do_not_use", ["HOT"], "did you mean hot?"),
        ("flat_do_not_use", ["dead"], "did you mean DEAD?"),
        ("output_file", "/abs/m.fits", "a relative path"),
        ("output_file", "../m.fits", "without '..'"),
        ("output_file", "a/../m.fits", "without '..'"),
        ("output_file", "m.fit", "ends in .fits"),
        ("output_file", "a/.fits", "ends in .fits"),
        ("output_file", "m.fits\n", "ends in .fits"),
        ("results", "", "a path"),
        ("results", "{detector}", "without braces"),
        ("results", "out<x>", "without braces and angle brackets"),
        ("results", "x/" * 3000, "is too long"),
        ("output_file", "<x>.fits", "angle brackets"),
        ("compare_with", "a<b>.fits", "has braces or angle brackets"),
        ("science_check", {"old_mask": "a<b>.fits"}, "science_check.old_mask: 'a<b>.fits' is not allowed"),
        ("science_check", {"exposures": ["a", "{b}"]}, "science_check.exposures: '{b}' is not allowed"),
        ("science_check", {"old_mask": "previous"}, "the mask of the preceding epoch, and epochs is null"),
        ("science_check", {"deliver": True}, "true is not allowed without science_check.exposures"),
        ("science_check", {"sigma": 0}, "science_check.sigma: 0 is not allowed"),
        ("history_directory", "{detector}", "has braces or angle brackets"),
        ("manual_flag_file", "a\nb", "cannot be printed"),
        ("crds_path", "a\0b", "cannot be printed"),
        ("scratch", "/{a}", "has braces"),
        ("exposures", "\udce9.tsv", "cannot be printed"),
        ("epochs", {"max_gap_days": 1e10}, "a number from 1 to 36525"),
        ("useafter", datetime.datetime.fromisoformat("0001-01-01T00:00:00+14:00"), "a real date and time"),
        ("useafter", datetime.datetime.fromisoformat("9999-12-31T23:59:59-14:00"), "a real date and time"),
        ("history", "x" * 10**6, "a text of 1000000 characters, more than 100000"),
        ("author", "", "not empty"),
        ("author", 7, "a text"),
        ("description", "x" * 66, "1 to 65 printable"),
        ("description", "  ", "1 to 65 printable"),
        ("description", "é", "printable ASCII"),
        ("pedigree", "ground", "GROUND, MODEL"),
        ("pedigree", "GROUND 2022-06-01 2022-06-02", "GROUND, MODEL"),
        ("pedigree", "INFLIGHT 2022-06-01", "INFLIGHT 2022-06-01 2022-07-31"),
        ("pedigree", "INFLIGHT 2022-06-31 2022-07-31", "must be real dates"),
        ("pedigree", "INFLIGHT 2022-07-31 2022-06-01", "must not be after"),
        ("useafter", "2019-02-29 00:00:00", "real date and time"),
        ("useafter", "2019-04-01 24:00:00", "real date and time"),
        ("useafter", "2019-04-01", "real date and time"),
        ("useafter", "01/04/2019 00:00:00", "real date and time"),
        ("useafter", datetime.datetime(2019, 4, 1, 0, 0, 0, 5), "real date and time"),
        ("useafter", 2019, "real date and time"),
        ("epochs", [{"nmae": "a"}], r"epochs\[0\].nmae: unknown key; did you mean name\?"),
        ("epochs", {"gap": 3}, "null, or {max_gap_days: a number from 1 to 36525}"),
        ("detector1_dark", {3: 5}, "detector1_dark.3: 3 is not allowed as a key; a key must be a text"),
        ("detector1_flat", {None: 2}, "detector1_flat.null: null is not allowed as a key; a key must be a text"),
        ("darks", {None: 2}, "darks: {None: 2} is not allowed; it must be null, or a directory"),
        ("detector1_dark", {"jump": None}, "detector1_dark.jump: null is not allowed; it must be a mapping"),
    ],
)
def test_refused_values(key, value, reason):
    (problem,) = refusal(**{key: value})
    assert problem.startswith(key)
    assert re.search(reason, problem), problem


@pytest.mark.parametrize(
    "text", ["2022-07-01 01:02:03", "2022-07-01T01:02:03", "'2022-07-01 01:02:03'", "2022-07-01T03:02:03+02:00"]
)
def test_useafter_becomes_text_for_each_type_that_yaml_gives(text):
    assert check(useafter=yaml.safe_load(text))["useafter"] == "2022-07-01 01:02:03"


def test_a_bare_date_is_midnight():
    assert check(useafter=yaml.safe_load("2022-07-01"))["useafter"] == "2022-07-01 00:00:00"


# ---------------------------------------------------------------- several keys


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"flats": "f"}, "flat_types_from: 'flat.fits' is not allowed with flats; the flat types have a single sour"),
        ({"flat_slope_files": "f"}, "not allowed with flat_slope_files"),
        ({"flat_mean_normalization_method": "none", "low_qe_and_open_search": False}, "normalization_method none"),
        ({"run_dead_flux_check": True}, "not allowed with run_dead_flux_check"),
        ({"flat_types_from": ["a.fits", "{b}.fits"]}, "'{b}.fits' is not allowed; it has braces"),
        ({"flat_types_from": []}, "flat_types_from: [] is not allowed; it must be null, or a file, or a list of files"),
    ],
)
def test_a_finished_product_has_no_flats_beside_it(keys, words):
    (problem,) = refusal(**{"flat_types_from": "flat.fits"} | keys)
    assert words in problem


def test_the_optical_setup_is_a_mapping_of_keywords():
    setup = {"FILTER": ["F115W", "F150W"], "CHANNEL": 12}
    assert check(flat_setup=setup)["flat_setup"] == setup
    (problem,) = refusal(flat_setup={"FILTR": "F115W"})
    assert problem.startswith("flat_setup: {'FILTR': 'F115W'} is not allowed; it must be null, or a mapping of ")
    (problem,) = refusal(flat_setup={"FILTER": []})
    assert "to a value or a list of values" in problem


def test_every_problem_is_listed_once():
    found = refusal(
        dead_serach=True, max_jump_limit=0, useafter="never", zzz=1, detector1_dark={"jmp": {}}, min_darks="3"
    )
    assert [problem.split(":")[0] for problem in found] == [
        "dead_serach", "max_jump_limit", "useafter", "zzz", "min_darks", "detector1_dark.jmp",
    ]  # fmt: skip
    assert "did you mean dead_search?" in found[0]
    assert "did you mean" not in found[3]


def test_problems_have_the_order_of_the_given_keys():
    found = refusal(flag_values={"rc": [1], "zzz": [], "hot": ["X", "RC", 2]}, darks=[1, "a", 2])
    assert [problem.split(": ")[0] for problem in found] == [
        "darks[0]", "darks[2]", "flag_values.rc[0]", "flag_values.zzz", "flag_values.hot[0]", "flag_values.hot[2]",
    ]  # fmt: skip


def test_aliases_that_stand_for_any_number_of_values_are_refused():
    text = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    text += "".join(f"b{n}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(9))
    (problem, *_) = validated_problems(yaml.safe_load(f"{text}darks: *a9"))
    assert problem.endswith(": it has more than 1000000 values, with all aliases")


def test_values_that_are_nested_without_an_end_are_refused():
    nested = []
    nested.append(nested)
    assert validated_problems({"darks": nested}) == ("darks: its values are nested more than 20 deep",)


def test_keys_that_are_not_texts_are_refused():
    reason = "is not allowed as a key; a key must be a text"
    assert validated_problems({"darks": "x", 3: 4, True: 1, None: 2}) == (
        f"3: 3 {reason}", f"true: true {reason}", f"null: null {reason}",
    )  # fmt: skip
    # Each key is named, at any depth, and hides no problem of its neighbours.
    found = refusal(
        detector1_flat={None: 2, "jump": 3, "rate": {None: 1}},
        epochs=[{"name": "a", None: 1, "start": 5}],
        sweep={None: [1], "max_jump_limit": 2},
    )
    assert [problem.split(" is not allowed")[0] for problem in found] == [
        "detector1_flat.null: null", "detector1_flat.jump: 3", "detector1_flat.rate.null: null",
        "epochs[0].null: null", "epochs[0].start: 5", "sweep.null: null", "sweep.max_jump_limit: 2",
    ]  # fmt: skip
    assert "not a mapping" in validated_problems(None)[0]


def validated_problems(config):
    with pytest.raises(ConfigError) as caught:
        validated(config, SCHEMA, STEPS)
    return caught.value.problems


@pytest.mark.parametrize("flag", EXPOSURE_FLAGS)
def test_a_flag_of_exposures_is_no_flag_of_bad_pixels(flag):
    for problem, key in zip(
        refusal(flag_values={"high_cr": ["RC", flag]}, flat_do_not_use=[flag]),
        ("flag_values.high_cr[1]", "flat_do_not_use[0]"),
        strict=True,
    ):
        assert problem.startswith(f"{key}: '{flag}' is not allowed; it must be a DQ flag of bad pixels")
        assert all(name in problem for name in MASK_FLAGS)


def test_a_bad_pixel_is_no_reference_pixel():
    """The pipeline would correct the exposures with it."""
    for key, value in (("flag_values", {"hot": ["REFERENCE_PIXEL"]}), ("intermittent", ["REFERENCE_PIXEL"])):
        (problem,) = refusal(**{key: value})
        assert "'REFERENCE_PIXEL' is not allowed" in problem and "but not REFERENCE_PIXEL" in problem


# A value of a path in each key of paths.
PATH_VALUES = {key: "{}/a" for key, node in KEYS.items() if node.get("unit") == "path"} | {
    "manual_flag_file": "{}/flags.txt",
    "darks": ["{}/a", "b", "{}/c/*_uncal.fits"],
    "known_bad": {"pixels": {"NIS": "{}/a"}, "min_recall": 0.9, "min_masks": 3, "on_failure": "warn"},
    "science_check": {"exposures": ["{}/a", "b"], "old_mask": "{}/old.fits", "sigma": 5.0, "deliver": False},
}


# In the description of a key whose value is a file or a folder of the user; names of files in the results are none.
NAMES_A_PATH = re.compile(
    r"^(A |The )?(Raw|File|Files|Director|Folder|Table|Sheet|Path|Slope|Jump|Fitopt)", re.IGNORECASE
)
NO_PATHS = {"intermittent_from", "output_file"}


def test_every_key_of_a_path_has_the_unit_path():
    """`~` and variables are expanded in keys with this unit only; a new key without it would be missed."""
    ends = ("_file", "_files", "_directory", "_folder", "_path", "_from", "darks", "flats", "results", "scratch")
    by_name = {key for key in KEYS if key.endswith(ends) and not key.startswith(("min_", "max_"))}
    assert by_name - NO_PATHS <= {key for key, node in KEYS.items() if node.get("unit") == "path"}
    by_description = {key for key, node in KEYS.items() if NAMES_A_PATH.match(node["description"])}
    assert by_description - NO_PATHS <= {key for key, node in KEYS.items() if node.get("unit") == "path"}


def test_home_and_variables_are_expanded_in_every_path(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("DATA", "/data")
    monkeypatch.setenv("AT_HOME", "~/data")
    paths = {key: value for key, value in PATH_VALUES.items() if key != "output_file"}
    assert {"darks", "truth", "results", "scratch", "crds_path", "compare_with", "exposures"} <= set(paths)
    spellings = {"~": "/home/me", "$DATA": "/data", "${DATA}/x": "/data/x", "$AT_HOME": "/home/me/data", "a~": "a~"}
    spellings |= {"$(x)": "$(x)", "5$": "5$", "$$DATA": "$DATA"}
    # Not allowed beside flats.
    product = {"flat_types_from": paths.pop("flat_types_from")}
    for spelling, expected in spellings.items():
        for keys in (paths, product):
            found = check(**json.loads(json.dumps(keys).replace("{}", spelling)))
            assert {key: found[key] for key in keys} == json.loads(json.dumps(keys).replace("{}", expected))


@pytest.mark.parametrize("key", PATH_VALUES)
def test_a_variable_without_a_value_is_refused_with_its_name(monkeypatch, key):
    monkeypatch.delenv("NOT_SET", raising=False)
    monkeypatch.setenv("EMPTY", "")
    for name in ("NOT_SET", "EMPTY"):
        value = json.loads(json.dumps(PATH_VALUES[key]).replace("{}", f"${name}"))
        (problem,) = refusal(**{key: value})
        assert problem.startswith(f"{key}: ") and f"variable {name} is not set or empty" in problem


def test_variables_are_expanded_in_reference_files_of_steps(monkeypatch):
    monkeypatch.setenv("DATA", "/data")
    jump = {"override_gain": "$DATA/gain.fits", "rejection_threshold": 5.0}
    assert check(detector1_dark={"jump": jump})["detector1_dark"]["jump"]["override_gain"] == "/data/gain.fits"
    monkeypatch.delenv("DATA")
    (problem,) = refusal(detector1_flat={"jump": jump})
    assert problem.startswith("detector1_flat: ") and "variable DATA is not set" in problem


def test_a_path_at_home_is_no_output_file():
    (problem,) = refusal(output_file="~/mask.fits")
    assert problem.startswith("output_file: ") and "a relative path" in problem


def test_the_name_of_the_mask_may_have_a_dollar_sign():
    assert check(output_file="a $x_^ $$b.fits")["output_file"] == "a $x_^ $$b.fits"


def test_variables_in_texts_that_are_no_paths_stay(monkeypatch):
    monkeypatch.setenv("DATA", "/data")
    assert check(history="~ $DATA $NOT_SET")["history"] == "~ $DATA $NOT_SET"


def test_no_inputs_at_all():
    (problem,) = validated_problems({})
    assert "darks: data/darks" in problem and "none is set" in problem
    # A faulty input does not count as missing.
    assert len(validated_problems({"darks": 3})) == 1
    for key in ("darks", "flats", "flat_slope_files"):
        assert validated({key: "x"}, SCHEMA, STEPS)[key] == "x"


def test_processed_darks_need_all_their_products():
    products = {"dark_slope_files": "a", "dark_jump_files": "b", "dark_fitopt_files": "c"}
    assert validated(products, SCHEMA, STEPS)["dark_jump_files"] == "b"
    for missing in products:
        (problem,) = refusal(**{key: value for key, value in products.items() if key != missing})
        assert problem.startswith(f"{missing}: null is not allowed")
    assert len(refusal(dark_fitopt_files="c")) == 2


@pytest.mark.parametrize("key", ["ipc_neighbor_search", "dark_local_level"])
def test_keys_that_act_on_searches_need_a_search(key):
    (problem,) = refusal(**{key: True})
    assert problem.startswith(f"{key}: true is not allowed without a search") and "hot_rate_threshold" in problem
    for search in (
        {"hot_rate_threshold": 1.0}, {"cold_rate_threshold": 0.0}, {"hot_rate_threshold_e_per_s": {"NIS": 1.0}},
        {"pedestal_test": "significance"}, {"noisy_test": "cds"}, {"slow_telegraph_search": True},
    ):  # fmt: skip
        assert check(**{key: True}, **search)[key]


def test_the_flux_check_needs_raw_flats():
    given = {"flat_slope_files": "rates", "run_dead_flux_check": True}
    assert "dead_flux_check_files: null" in refusal(**given)[0]
    check(**given, dead_flux_check_files="raw")
    check(**given, flats="raw")
    check(**given, dead_search=False)


# ---------------------------------------------------------------- thresholds of the flats


@pytest.mark.parametrize(("dead", "low"), [(0.5, 0.5), (0.6, 0.5), (None, 0.05), (None, 0.01), (25, 0.5)])
def test_the_interval_of_low_qe_must_not_be_empty(dead, low):
    (problem,) = refusal(max_dead_norm_signal=dead, max_low_qe_norm_signal=low)
    assert problem.startswith("max_dead_norm_signal") and f"max_low_qe_norm_signal {low};" in problem
    check(max_dead_norm_signal=dead, max_low_qe_norm_signal=low, low_qe_and_open_search=False)


def test_thresholds_must_fit_a_flat_that_is_not_normalised():
    none = {"flat_mean_normalization_method": "none"}
    (problem,) = refusal(**none)
    assert "max_low_qe_norm_signal: 0.5" in problem and "DN/s" in problem
    (problem,) = refusal(**none, max_low_qe_norm_signal=100)
    assert "max_open_adj_norm_signal: 1.05" in problem
    (problem,) = refusal(**none, max_dead_norm_signal=25)
    assert "max_dead_norm_signal: 25" in problem
    check(**none, max_low_qe_norm_signal=100, max_open_adj_norm_signal=210)
    check(**none, low_qe_and_open_search=False)


def detector(name):
    return load_detectors(CONFIG / "detectors")[name]


def test_thresholds_are_checked_against_the_detector():
    none = {"flat_mean_normalization_method": "none"}
    dn = {"max_low_qe_norm_signal": 45, "max_open_adj_norm_signal": 210}
    check_detector(check(**none, **dn), detector("NRCALONG"))
    with pytest.raises(ConfigError, match=r"max_dead_norm_signal: 50 \(the default of NRCBLONG\)"):
        check_detector(check(**none, **dn), detector("NRCBLONG"))
    with pytest.raises(ConfigError, match="max_dead_norm_signal: null is not allowed for NIS"):
        check_detector(check(**none, **dn), detector("NIS"))
    check_detector(check(**none, **dn, max_dead_norm_signal=30), detector("NIS"))
    absolute = check(**none, low_qe_and_open_search=False, dead_search_type=["absolute_rate"])
    with pytest.raises(ConfigError, match="null is not allowed for NIS"):
        check_detector(absolute, detector("NIS"))
    check_detector(absolute, detector("NRCA1"))
    check_detector(check(**none, low_qe_and_open_search=False), detector("NIS"))
    check_detector(check(), detector("NIS"))


def test_search_types_are_a_list():
    assert search_types(check()) == ["sigma_rate"]
    assert search_types(check(dead_search_type=["absolute_rate"])) == ["absolute_rate"]


# ---------------------------------------------------------------- cost


def test_the_check_is_cheap():
    def once():
        start = time.process_time()  # not affected by the load of the machine
        schema = load_schema(CONFIG / "schemas" / "config.schema.yaml")
        validated({"darks": "x"}, schema, load_steps(CONFIG / "schemas" / "detector1_steps.json"))
        return time.process_time() - start

    assert min(once() for _ in range(5)) < 0.05


@pytest.mark.parametrize("odd", [3, "path 0", ["path 0"]])
def test_long_lists_are_checked_in_linear_time(odd):
    start = time.process_time()
    (problem,) = refusal(darks=[*(f"path {number}" for number in range(20_000)), odd])
    assert ("'path 0' is given twice" if odd == "path 0" else f"darks[20000]: {odd} is not") in problem
    assert time.process_time() - start < 2


def test_the_check_has_no_slow_imports():
    code = (
        "import json, sys; from badpix.config.check import *; from badpix.instrument.detectors import *;"
        f"validated({{'darks': 'x'}}, load_schema({str(CONFIG / 'schemas' / 'config.schema.yaml')!r}),"
        f" load_steps({str(CONFIG / 'schemas' / 'detector1_steps.json')!r}));"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "scripts", capture_output=True, text=True, check=True
    )
    assert not {"jwst", "stpipe", "numpy", "astropy", "snakemake"} & set(json.loads(done.stdout))


# ---------------------------------------------------------------- renamed keys


@pytest.mark.parametrize(("old", "new"), RENAMED_KEYS.items())
def test_an_old_key_is_refused_with_its_new_name(old, new):
    assert old not in KEYS and new in KEYS
    assert refusal(**{old: KEYS[new]["default"]}) == (f"{old}: renamed to {new}",)


@pytest.mark.parametrize(
    ("key", "old", "new"), [(k, *pair) for k, names in RENAMED_VALUES.items() for pair in names.items()]
)
def test_an_old_value_is_refused_with_its_new_name(key, old, new):
    assert refusal(**{key: old}) == (f"{key}: {old} is renamed to {new}",)
    assert check(**{key: new})[key] == new


def test_an_old_key_is_named_beside_all_other_problems():
    assert refusal(statistical_control=True, min_darks=0) == (
        "statistical_control: renamed to reliability",
        "min_darks: 0 is not allowed; it must be an integer >= 1",
    )


def test_an_old_key_cannot_be_swept():
    assert refusal(sweep={"ballot": ["integration"]}) == ("sweep.ballot: renamed to dark_vote_unit",)


def test_a_number_that_python_cannot_write_is_refused():
    assert refusal(min_darks=10**5000) == ("min_darks: it has a number of more than 3000 digits",)


def test_known_bad_pixels():
    assert check(known_bad={"pixels": "epochs"})["known_bad"] == {
        "pixels": "epochs", "min_recall": 0.95, "min_masks": 2, "on_failure": "fail",
    }  # fmt: skip
    for value, words in (
        ({"pixel": "a"}, "known_bad.pixel"),
        ({"pixels": {"NIS1": "a"}}, "known_bad.pixels"),
        ({"pixels": {"NIS": "a{b}"}}, "known_bad.pixels.NIS: 'a{b}' is not allowed; it has braces"),
        ({"pixels": "a<b"}, "known_bad.pixels: 'a<b' is not allowed; it has braces"),
        ({"min_recall": 1.5}, "known_bad.min_recall: 1.5 is not allowed"),
        ({"on_failure": "stop"}, "known_bad.on_failure: 'stop' is not allowed; it must be one of fail, warn"),
    ):
        (problem,) = refusal(known_bad=value)
        assert problem.startswith(words), problem
