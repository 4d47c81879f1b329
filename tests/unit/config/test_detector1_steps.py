"""Configured parameters of the steps of calwebb_detector1."""

import json
import math
from pathlib import Path

import pytest

import make_step_specs
from badpix.config.check import ConfigError, load_schema, load_steps, validated
from badpix.config.detector1_steps import satisfies

SCHEMAS = Path(__file__).resolve().parents[3] / "config" / "schemas"
SCHEMA = load_schema(SCHEMAS / "config.schema.yaml")
STEPS = load_steps(SCHEMAS / "detector1_steps.json")


def check(**config):
    """The validated configuration of a run on darks with these keys."""
    return validated({"darks": "data/darks", **config}, SCHEMA, STEPS)


def refusal(**config):
    """The problems of a configuration that must be refused."""
    with pytest.raises(ConfigError) as caught:
        check(**config)
    return caught.value.problems


def test_the_parameters_are_those_of_the_installed_jwst():
    assert make_step_specs.step_specs() == STEPS


def test_the_reference_types_are_those_of_the_installed_jwst():
    stored = json.loads((SCHEMAS / "detector1_references.json").read_text(encoding="utf-8"))
    assert make_step_specs.reference_types() == stored
    assert "linearity" in stored


@pytest.mark.parametrize(
    ("step", "parameter", "value"),
    [
        ("jump", "rejection_threshold", 4),
        ("jump", "time_masked_after_shower", 1.5),
        ("jump", "min_diffs_single_pass", 12),
        ("dark_current", "override_dark", "my_dark.fits"),
        ("ramp_fit", "firstgroup", 1),
        ("ramp_fit", "firstgroup", None),
        ("refpix", "refpix_algorithm", "sirs"),
        ("clean_flicker_noise", "background_box_size", [32, 32]),
        ("clean_flicker_noise", "background_method", None),
        ("emicorr", "onthefly_corr_freq", [390.625]),
    ],
)
def test_parameters_that_a_step_accepts(step, parameter, value):
    for key in ("detector1_dark", "detector1_flat"):
        assert check(**{key: {step: {parameter: value}}})[key][step][parameter] == value


@pytest.mark.parametrize(
    ("step", "parameter", "value", "reason"),
    [
        ("jmp", "skip", True, "no such step; did you mean jump?"),
        ("assign_wcs", "skip", True, "no such step"),
        ("jump", "rejection_treshold", 4, "no such parameter; did you mean rejection_threshold?"),
        ("jump", "rejection_threshold", -1, "-1 is not allowed; the step requires float(default=4.0,min=0)"),
        ("jump", "rejection_threshold", "4", "'4' is not allowed"),
        ("jump", "rejection_threshold", True, "true is not allowed"),
        ("jump", "rejection_threshold", math.nan, "nan is not allowed"),
        ("jump", "rejection_threshold", None, "null is not allowed"),
        ("jump", "flag_4_neighbors", 0, "0 is not allowed"),
        ("jump", "flag_4_neighbors", "false", "'false' is not allowed"),
        ("jump", "min_diffs_single_pass", 10.0, "10.0 is not allowed"),
        ("jump", "maximum_cores", "half", "Snakemake assigns the cores of a job"),
        ("ramp_fit", "algorithm", "OLS", "'OLS' is not allowed"),
        ("ramp_fit", "algorithm", 1, "1 is not allowed"),
        ("clean_flicker_noise", "background_box_size", [32], "[32] is not allowed"),
        ("clean_flicker_noise", "background_box_size", [32, 32.5], "is not allowed"),
        ("clean_flicker_noise", "background_box_size", 32, "32 is not allowed"),
        ("dark_current", "override_dark", 3, "3 is not allowed"),
        ("dark_current", "override_drak", "x", "did you mean override_dark?"),
        ("dq_init", "override_mask", "m.fits", "the reference pixels only"),
        ("dq_init", "user_supplied_dq", "m.fits", "could never be measured"),
        ("dq_init", "skip", True, "the step is needed"),
        ("saturation", "skip", True, "the step is needed"),
        ("ramp_fit", "skip", True, "the step is needed"),
        ("ramp_fit", "save_opt", True, "names and writes the files"),
        ("jump", "save_results", False, "names and writes the files"),
        ("jump", "output_dir", "x", "names and writes the files"),
        ("jump", "output_file", "x", "names and writes the files"),
        ("jump", "suffix", "x", "names and writes the files"),
        ("jump", "output_use_model", True, "names and writes the files"),
        ("clean_flicker_noise", "save_mask", True, "names and writes the files"),
        ("jump", "pre_hooks", ["os.system"], "would run code"),
        ("jump", "post_hooks", [], "would run code"),
    ],
)
def test_parameters_that_are_refused(step, parameter, value, reason):
    for key in ("detector1_dark", "detector1_flat"):
        (problem,) = refusal(**{key: {step: {parameter: value}}})
        assert problem.startswith(f"{key}.{step}") and reason in problem


def test_darks_need_jumps_and_fits_but_flats_do_not():
    assert "the step is needed" in refusal(detector1_dark={"jump": {"skip": True}})[0]
    assert "no fitopt file" in refusal(detector1_dark={"ramp_fit": {"algorithm": "LIKELY"}})[0]
    check(detector1_flat={"jump": {"skip": True}, "ramp_fit": {"algorithm": "LIKELY"}})
    check(detector1_dark={"jump": {"skip": False}})


@pytest.mark.parametrize("step", ["dark_current", "persistence"])
def test_nothing_is_subtracted_from_darks(step):
    (problem,) = refusal(detector1_dark={step: {"skip": False}})
    assert problem.startswith(f"detector1_dark.{step}.skip: false is not allowed for darks; the step would subtract")
    check(detector1_flat={step: {"skip": False}}, detector1_dark={step: {"skip": True}})


def test_every_default_of_jwst_satisfies_its_configobj_specification():
    from configobj.validate import Validator

    for step, specs in STEPS.items():
        for name, spec in specs.items():
            if not name.endswith("_hooks"):  # refused before, and the items of their list have no type
                assert satisfies(Validator().get_default_value(spec), spec), (step, name)
