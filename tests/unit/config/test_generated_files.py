"""The configuration's schema, and the files that are generated from it."""

from pathlib import Path

import pytest
import yaml

import make_config_docs
from badpix.config import settings
from badpix.config.check import load_schema
from badpix.config.schema import Validator, problems, resolve
from badpix.instrument.dq import MASK_FLAGS

CONFIG = Path(__file__).resolve().parents[3] / "config"
SCHEMA = load_schema(CONFIG / "schemas" / "config.schema.yaml")
KEYS = SCHEMA["properties"]

# The example call of the official algorithm, with the official defaults of all keys.
OFFICIAL = {
    "flat_slope_files": None,
    "dead_search": True,
    "low_qe_and_open_search": True,
    "dead_search_type": "sigma_rate",
    "flat_mean_sigma_threshold": 3,
    "flat_mean_normalization_method": "smoothed",
    "smoothing_box_width": 15,
    "smoothing_type": "Box2D",
    "dead_sigma_threshold": 5.0,
    "max_dead_norm_signal": None,
    "run_dead_flux_check": False,
    "dead_flux_check_files": None,
    "flux_check": 45000,
    "max_low_qe_norm_signal": 0.5,
    "max_open_adj_norm_signal": 1.05,
    "manual_flag_file": "default",
    "flat_do_not_use": [],
    "dark_slope_files": None,
    "dark_uncal_files": None,
    "dark_jump_files": None,
    "dark_fitopt_files": None,
    "dark_stdev_clipping_sigma": 5.0,
    "dark_max_clipping_iters": 5,
    "dark_noisy_threshold": 5,
    "max_saturated_fraction": 0.5,
    "max_jump_limit": 10,
    "jump_ratio_threshold": 5,
    "early_cutoff_fraction": 0.25,
    "pedestal_sigma_threshold": 5,
    "rc_fraction_threshold": 0.8,
    "low_pedestal_fraction": 0.8,
    "high_cr_fraction": 0.8,
    "flag_values": {"hot": ["HOT"], "rc": ["RC"], "low_pedestal": ["OTHER_BAD_PIXEL"], "high_cr": ["TELEGRAPH"]},
    "dark_do_not_use": ["hot", "rc", "low_pedestal", "high_cr"],
    "plot": False,
    "output_file": "./test_bpm.fits",
    "author": "jwst_reffiles",
    "description": "A bad pix mask",
    "pedigree": "GROUND",
    "useafter": "2019-04-01 00:00:00",
    "history": "",
    "quality_check": False,
}
OWN = {
    "darks": None,
    "exposures": None,
    "flats": None,
    "results": "results",
    "detectors": "auto",
    "on_bad_exposure": "reject",
    "min_darks": 3,
    "min_flats": 3,
    "min_groups": 2,
    "mask_frame": "subarray",
    "subarray_name": "measured",
    "certify": True,
    "delivery": {
        **dict.fromkeys(
            [
                "deliverer",
                "email",
                "change_level",
                "description",
                "modes_affected",
                "correctness_testing",
                "jira_issue",
                "additional_considerations",
            ]
        ),
        "reprocess": True,
    },
    "selectors": {},
    "epochs": None,
    "compare_with": None,
    "max_new_fraction": None,
    "max_recovered_fraction": None,
    "report": False,
    "pixel_table": False,
    "known_bad": {"pixels": None, "min_recall": 0.95, "min_masks": 2, "on_failure": "fail"},
    "keep_history": True,
    "history_directory": None,
    "remake": None,
    "leave_one_out": False,
    "reject_outliers": False,
    "outlier_limit": 5.0,
    "dark_vote_unit": "exposure",
    "pedestal_source": "t0",
    "min_valid": 1,
    "min_clean_slopes": 5,
    "keep_rates": True,
    "keep_intermediates": False,
    "detector1_use_idle_cores": False,
    "scratch": "auto",
    "crds_path": None,
    "crds_server_url": None,
    "crds_context": None,
    "sweep": {},
    "sweep_grid": "one_at_a_time",
    "truth": None,
    "reliability": False,
}
INJECTION = {
    "pixels_per_strength": 100,
    "seed": 1,
    "strengths": {
        "dead": [0.0, 0.02, 0.04],
        "low_qe": [0.2, 0.4, 0.45, 0.55, 0.7],
        "open": [0.0, 0.1, 0.25],
        "hot": [0.3, 1.0, 2.0, 5.0, 20.0, 100.0],
        "hot_saturated": [200000.0],
        "rc": [100.0, 200.0, 400.0, 1000.0, 4000.0],
        "inverse_rc": [100.0, 250.0, 500.0, 1500.0],
        "telegraph": [20.0, 50.0, 100.0, 200.0, 400.0],
        "noisy": [1.5, 2.0, 2.5, 4.0, 8.0],
        "low_pedestal": [30.0, 60.0, 100.0, 300.0, 1000.0],
    },
}
STEP_DEFAULTS = {
    "dark_current": {"skip": True},
    "persistence": {"skip": True},
    "saturation": {"n_pix_grow_sat": 0},
    "jump": {"flag_4_neighbors": False, "expand_large_events": False},
}


def nodes(node):
    """All schema nodes at and below `node`."""
    yield node
    for key in ("properties", "$defs"):
        for part in node.get(key, {}).values():
            yield from nodes(part)
    for part in [node.get("items"), node.get("additionalProperties"), *node.get("anyOf", ())]:
        if isinstance(part, dict):
            yield from nodes(part)


def test_the_schema_is_a_json_schema():
    Validator.check_schema(SCHEMA)
    # jsonschema ignores unknown keywords: a misspelt limit would have no effect.
    annotations = {"$schema", "$defs", "title", "description", "default", "sections"}
    own = {"section", "unit", "changes", "allowed"}
    assert all(set(node) <= {*Validator.VALIDATORS, *annotations, *own} for node in nodes(SCHEMA))


def test_the_schema_is_strict_at_every_level():
    free = [
        node for node in nodes(SCHEMA) if node.get("type") == "object" and node.get("additionalProperties") is not False
    ]
    # The steps and their parameters are checked against jwst itself, keys of the sweep and of variants against the
    # schema of each key.
    steps = SCHEMA["$defs"]["steps"]
    variants = KEYS["variants"]
    assert free == [KEYS["sweep"], variants, variants["additionalProperties"], steps, steps["additionalProperties"]]


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_documented_and_has_a_sound_default(key):
    node = resolve(KEYS[key], SCHEMA)
    assert len(node["description"]) > 20
    assert node["section"] in SCHEMA["sections"]
    assert node["changes"] in {
        "inputs", "detector1_dark", "detector1_flat", "dark_statistics", "flat_statistics", "flat_response",
        "exposure_response", "sky_response", "leave_one_out", "compare_exposures", "bad_pixel_mask", "plots",
        "quality_check", "certify_mask", "deliver_mask", "compare_masks", "release_gate", "history", "nothing",
        "sweep_vote", "inject", "reliability", "report_page", "bad_pixel_table", "known_bad_pixels",
        "apply_masks", "preset",
    }  # fmt: skip
    assert problems(node["default"], node, SCHEMA, key) == []


def test_the_defaults_are_those_of_the_official_algorithm():
    defaults = {key: node["default"] for key, node in KEYS.items()}
    for_darks = {"jump": STEP_DEFAULTS["jump"] | {"min_diffs_single_pass": 4}}
    steps = {"detector1_dark": STEP_DEFAULTS | for_darks, "detector1_flat": STEP_DEFAULTS}
    expected = OFFICIAL | OWN | steps | {"injection": INJECTION}
    assert {key: defaults[key] for key in expected} == expected
    for key, value in OFFICIAL.items():
        assert type(defaults[key]) is type(value), key


def test_extensions_of_the_official_algorithm_are_off():
    """The official keys alone make the official mask; `badpix.vote` has the same test of its searches."""
    defaults = {key: node["default"] for key, node in KEYS.items()}
    off = {
        "exclusive_types": False,
        "flat_vote_unit": "mean",
        "open_neighbour_rule": "all",
        "open_includes_dead": False,
        "min_unlit_area": None,
    }
    assert {key: defaults[key] for key in off} == off


def test_names_that_are_written_twice_agree():
    assert SCHEMA["$defs"]["flags"]["items"]["enum"] == list(MASK_FLAGS)
    assert set(settings.vote_keys(SCHEMA)) <= set(KEYS)


def test_the_generated_files_are_up_to_date():
    assert (CONFIG / "config.yaml").read_text(encoding="utf-8") == make_config_docs.config_yaml(SCHEMA)
    assert (CONFIG / "README.md").read_text(encoding="utf-8") == make_config_docs.readme(SCHEMA)


def test_config_yaml_holds_the_defaults():
    given = yaml.safe_load((CONFIG / "config.yaml").read_text(encoding="utf-8"))
    assert given == {key: node["default"] for key, node in KEYS.items()}
