"""The keys dark_exp_types and flat_exp_types: which types are allowed, and which a detector gets."""

from pathlib import Path

import pytest

from badpix.config.exp_types import with_exp_types
from badpix.instrument.detectors import load_detectors
from unit.config.test_check import CONFIG, check, refusal

DETECTORS = load_detectors(Path(CONFIG) / "detectors")


def types(name, kind="flat", **config):
    """The types of detector `name` by a configuration."""
    return list(getattr(with_exp_types(DETECTORS, check(**config))[name], f"{kind}_exp_types"))


def test_null_is_the_default_of_each_detector():
    assert with_exp_types(DETECTORS, check()) == DETECTORS


def test_a_list_replaces_the_types_of_its_instruments_only():
    setting = {"flat_exp_types": ["NRC_FLAT", "NRC_IMAGE", "MIR_IMAGE"]}
    assert types("NRCA1", **setting) == types("NRCBLONG", **setting) == ["NRC_FLAT", "NRC_IMAGE"]
    assert types("MIRIFULONG", **setting) == ["MIR_IMAGE"]
    assert types("NIS", **setting) == ["NIS_LAMP"] and types("NRCA1", "dark", **setting) == ["NRC_DARK"]


def test_a_mapping_is_for_detectors_before_instruments():
    setting = {"flat_exp_types": {"MIRI": ["MIR_FLATMRS-EXT"], "MIRIMAGE": ["MIR_IMAGE"]}}
    assert types("MIRIMAGE", **setting) == ["MIR_IMAGE"]
    assert types("MIRIFUSHORT", **setting) == ["MIR_FLATMRS-EXT"]
    assert types("NRCA1", **setting) == ["NRC_LED"]
    assert types("MIRIMAGE", "dark", dark_exp_types=["MIR_DARKALL"]) == ["MIR_DARKALL"]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("flat_exp_types", ["NRC_FALT"], "flat_exp_types[0]: 'NRC_FALT' is not allowed; it must be an EXP_TYPE of flats"
         "; flats of NIRCAM can be NRC_LED, NRC_FLAT, NRC_IMAGE, NRC_TSIMAGE; did you mean NRC_FLAT?"),
        ("flat_exp_types", ["NIS_LAMP", "N/A"], "flat_exp_types[1]: 'N/A' is not allowed; it must be an EXP_TYPE"),
        ("flat_exp_types", ["NIS_SOSS"], "'NIS_SOSS' is not allowed; such exposures are spectra, which"),
        ("flat_exp_types", ["NIS_DARK"], "'NIS_DARK' is not allowed; such exposures are darks; flats of NIRISS can be"),
        ("dark_exp_types", ["NRC_IMAGE"], "'NRC_IMAGE' is not allowed; such exposures are flats; darks of NIRCAM can"),
        ("flat_exp_types", {"NRCA1": ["NIS_LAMP"]}, "flat_exp_types.NRCA1[0]: 'NIS_LAMP' is not allowed; it is a type"
         " of NIRISS; flats of NIRCAM can be"),
        ("flat_exp_types", {"NRCA9": ["NRC_LED"]}, "or a mapping of detectors or instruments to such lists"),
        ("flat_exp_types", "NRC_FLAT", "'NRC_FLAT' is not allowed; it must be null, or a list of EXP_TYPEs"),
        ("flat_exp_types", [], "[] is not allowed"),
        ("dark_exp_types", ["NIS_DARK", "NIS_DARK"], "'NIS_DARK' is given twice"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_refused_with_what_is_allowed(key, value, message):
    (problem,) = refusal(**{key: value})
    assert message in problem


def test_a_type_of_both_kinds_is_refused():
    problems = refusal(dark_exp_types=["NIS_DARK"], flat_exp_types={"NIS": ["NIS_DARK", "NIS_LAMP"]})
    assert problems[-1] == "dark_exp_types, flat_exp_types: NIS_DARK is in both; an EXP_TYPE is of a single kind"


def test_flats_of_the_sky_are_normalised():
    levels = {"max_dead_norm_signal": 1.0, "max_low_qe_norm_signal": 2.0, "max_open_adj_norm_signal": 3.0}
    levels |= {"flat_mean_normalization_method": "none"}
    (problem,) = refusal(flat_exp_types=["NIS_IMAGE", "NIS_LAMP"], **levels)
    assert "none is not allowed with NIS_IMAGE in flat_exp_types" in problem
    assert check(flat_exp_types=["NIS_LAMP"], **levels)["flat_exp_types"] == ["NIS_LAMP"]
