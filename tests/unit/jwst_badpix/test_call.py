"""The Python call: keywords and defaults of the official call, the configuration, and what is refused before a run."""

from inspect import Parameter, signature
from pathlib import Path

import numpy as np
import pytest
import yaml

from badpix.core.reasons import too_few
from jwst_badpix import BadPixelsError, bad_pixels
from jwst_badpix.call import OF_THE_CALL, configuration, with_argument
from jwst_badpix.pairing import ARGUMENTS
from jwst_badpix.place import workflow_folder

# The call of the official documentation, in its order.
OFFICIAL = {
    "flat_slope_files": None, "dead_search": True, "low_qe_and_open_search": True, "dead_search_type": "sigma_rate",
    "flat_mean_sigma_threshold": 3, "flat_mean_normalization_method": "smoothed", "smoothing_box_width": 15,
    "smoothing_type": "Box2D", "dead_sigma_threshold": 5.0, "max_dead_norm_signal": None, "run_dead_flux_check": False,
    "dead_flux_check_files": None, "flux_check": 45000, "max_low_qe_norm_signal": 0.5, "max_open_adj_norm_signal": 1.05,
    "manual_flag_file": "default", "flat_do_not_use": [], "dark_slope_files": None, "dark_uncal_files": None,
    "dark_jump_files": None, "dark_fitopt_files": None, "dark_stdev_clipping_sigma": 5.0, "dark_max_clipping_iters": 5,
    "dark_noisy_threshold": 5, "max_saturated_fraction": 0.5, "max_jump_limit": 10, "jump_ratio_threshold": 5,
    "early_cutoff_fraction": 0.25, "pedestal_sigma_threshold": 5, "rc_fraction_threshold": 0.8,
    "low_pedestal_fraction": 0.8, "high_cr_fraction": 0.8,
    "flag_values": {"hot": ["HOT"], "rc": ["RC"], "low_pedestal": ["OTHER_BAD_PIXEL"], "high_cr": ["TELEGRAPH"]},
    "dark_do_not_use": ["hot", "rc", "low_pedestal", "high_cr"], "plot": False, "output_file": "./test_bpm.fits",
    "author": "jwst_reffiles", "description": "A bad pix mask", "pedigree": "GROUND",
    "useafter": "2019-04-01 00:00:00", "history": "", "quality_check": False,
}  # fmt: skip
SCHEMA = yaml.safe_load((workflow_folder() / "config/schemas/config.schema.yaml").read_text(encoding="utf-8"))
FILES = [name for of_kind in ARGUMENTS.values() for name in of_kind]


def test_keywords_names_and_defaults_are_those_of_the_official_call():
    parameters = signature(bad_pixels).parameters
    own = {name for name, parameter in parameters.items() if parameter.kind is Parameter.KEYWORD_ONLY}
    assert own == {"cores", "config", "keep"}
    assert {name: p.default for name, p in parameters.items() if name not in own} == OFFICIAL
    assert list(parameters)[:42] == list(OFFICIAL) and len(OFFICIAL) == 42


@pytest.mark.parametrize("name", [name for name in OFFICIAL if name not in FILES])
def test_the_workflow_has_the_same_default(name):
    """So a default need not be in the configuration of the run."""
    assert SCHEMA["properties"][name]["default"] == OFFICIAL[name]


def configured(further=None, **given):
    return configuration(OFFICIAL | given, OFFICIAL, further or {})


def test_only_other_values_than_the_defaults_are_configured(tmp_path):
    given = {
        "flux_check": np.int64(35000), "flat_do_not_use": ("DEAD",), "flag_values": {"hot": np.array(["HOT", "WARM"])},
        "manual_flag_file": tmp_path / "flags.txt", "output_file": tmp_path / "x.fits", "flat_slope_files": ["a"],
        "dead_search_type": "sigma_rate",
    }  # fmt: skip
    expected = {
        "flux_check": 35000, "flat_do_not_use": ["DEAD"], "flag_values": {"hot": ["HOT", "WARM"]},
        "manual_flag_file": str(tmp_path / "flags.txt"),
    }  # fmt: skip
    assert configured(**given) == OF_THE_CALL | expected
    assert yaml.safe_load(yaml.safe_dump(configured(**given))) == OF_THE_CALL | expected


def test_further_keys_and_relative_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("flags.txt", "cache", "none", "noisy"):
        Path(name).touch()
    keys = {
        "min_darks": 1,
        "certify": True,
        "crds_path": "cache",
        "compare_with": "missing.fits",
        "noisy_test": "noisy",
    }
    found = configured(keys, manual_flag_file="flags.txt")
    assert found["crds_path"] == str(tmp_path / "cache") and found["manual_flag_file"] == str(tmp_path / "flags.txt")
    assert found["compare_with"] == "missing.fits" and found["noisy_test"] == "noisy"
    assert found["certify"] is True and found["min_darks"] == 1 and found["keep_history"] is False
    assert configured({}, manual_flag_file="none")["manual_flag_file"] == "none"


@pytest.mark.parametrize("key", ["darks", "flux_check", "epochs", "results"])
def test_keys_of_the_call_and_of_several_masks_are_refused(key):
    with pytest.raises(BadPixelsError, match=f"config: {key} is not allowed"):
        configured({key: 1})


@pytest.mark.parametrize("output, message", [("missing/m.fits", "no directory"), ("m.txt", "must end in .fits")])
def test_an_output_that_cannot_be_written_is_refused_first(tmp_path, monkeypatch, output, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadPixelsError, match=f"output_file: .*{message}"):
        bad_pixels(dark_slope_files=["no such file"], output_file=output)


@pytest.mark.parametrize("kind", ["dark", "flat"])
def test_too_few_exposures_name_the_arguments(kind):
    message = too_few("NIS", f"{kind}s", 2, 3, {})
    hint = f"{kind}_slope_files has too few files, or lower the number with config={{'min_{kind}s': 2}}"
    assert with_argument(message).splitlines() == [message, hint]
    assert with_argument(too_few("NIS", f"{kind}s", 0, 3, {})).count("config") == 0
