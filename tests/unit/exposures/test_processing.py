"""Products that were made with other parameters of the pipeline's steps: rejected, or used and named."""

import json
from pathlib import Path

import asdf
import numpy as np
import pytest
from astropy.io import fits

from badpix.config.check import load_steps
from badpix.exposures.headers import read_header_info
from badpix.exposures.inventory import InventoryError, take_inventory
from badpix.exposures.notices import header_notices, start_notices
from badpix.exposures.processing import PIPELINE_DEFAULTS, differences, is_recorded
from badpix.exposures.step_parameters import RECORDED, recorded_parameters
from unit.exposures.test_checks import DARK, DETECTORS, FLAT, IRS2, MIRI, PRODUCTS, product, raw
from unit.exposures.test_inventory import CONFIG

NIS = DETECTORS["NIS"]
STEPS = {"saturation": {"n_pix_grow_sat": 0}, "jump": {"flag_4_neighbors": False, "min_diffs_single_pass": 4}}
AS_WANTED = {
    "saturation": {"n_pix_grow_sat": "0"},
    "jump": {"rejection_threshold": "4.0", "flag_4_neighbors": "False", "min_diffs_single_pass": "4"},
}


def products(kind=DARK, steps=AS_WANTED, of=PRODUCTS, **keywords):
    """Product -> header information of the files of an exposure, `of` which the keywords hold."""
    return {
        name: product(kind | (keywords if name in of else {}), "PEDESTAL" if name == "fitopt" else "SCI")
        | {"steps": steps}
        for name in PRODUCTS
    }


def changed(step, name, value):
    return {**AS_WANTED, step: AS_WANTED[step] | {name: value}}


def inventory(headers, kind="darks", **config):
    """The inventory of three exposures with these headers, each with its own start."""
    files = {"darks": {}, "flats": {}}
    of_path = {}
    for number, of_exposure in enumerate(headers, 1):
        files[kind][f"e{number}"] = {name: f"e{number}_{name}" for name in of_exposure}
        for name, header in of_exposure.items():
            own = header["keywords"] | {"TIME-OBS": f"{number:02d}:00:00.000"}
            of_path[f"e{number}_{name}"] = header | {"keywords": own}
    steps = {"detector1_dark": STEPS, "detector1_flat": STEPS}
    return take_inventory(files, of_path.get, DETECTORS, CONFIG | steps | config)


def test_products_as_configured_differ_in_nothing():
    assert differences("darks", products(), STEPS, NIS) == []
    assert differences("darks", products(steps=None), STEPS, NIS) == [], "what is not recorded cannot differ"


@pytest.mark.parametrize(("key", "signal"), [("S_DARK", "with the hot pixels"), ("S_PERSIS", "persistence")])
@pytest.mark.parametrize("changed_file", PRODUCTS)
def test_subtracted_signal_is_named(key, signal, changed_file):
    (text,) = differences("darks", products(of=[changed_file], **{key: "COMPLETE"}), STEPS, NIS)
    assert text.startswith(f"{key} of the {changed_file} file is COMPLETE: it subtracts ") and signal in text
    assert differences("darks", products(**{key: "SKIPPED"}), STEPS, NIS) == []


FULL = {"SUBARRAY": "FULL", "SUBSIZE1": 2048, "SUBSIZE2": 2048, "SUBSTRT1": 1, "SUBSTRT2": 1}
MIRI_FULL = MIRI | {"SUBARRAY": "FULL", "SUBSIZE1": 1032, "SUBSIZE2": 1024}
EDGELESS = {"INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "SUBARRAY": "SUB512"}
CENTRE = {"SUBARRAY": "SUB64", "SUBSTRT1": 1001, "SUBSTRT2": 1001}


@pytest.mark.parametrize(
    ("more", "key", "step"),
    [
        ({}, "S_SUPERB", "superbias"),
        ({}, "S_REFPIX", "refpix"),
        ({}, "S_LINEAR", "linearity"),
        (FULL, "S_REFPIX", "refpix"),
        (IRS2, "S_REFPIX", "refpix"),
        (MIRI_FULL, "S_REFPIX", "refpix"),
        (MIRI_FULL, "S_LINEAR", "linearity"),
        (CENTRE, "S_SUPERB", "superbias"),
    ],
)
def test_a_skipped_step_is_a_difference_unless_it_is_configured(more, key, step):
    skipped = {"jump": product(DARK | more | {key: "SKIPPED"}) | {"steps": AS_WANTED}}
    detector = DETECTORS[skipped["jump"]["keywords"]["DETECTOR"]]
    assert differences("darks", skipped, STEPS, detector) == [
        f"{key} of the jump file is SKIPPED, detector1_dark runs {step}"
    ]
    assert differences("darks", skipped, STEPS | {step: {"skip": True}}, detector) == []
    complete = {"jump": product(DARK | more | {key: "COMPLETE"})}
    assert differences("darks", complete, STEPS, detector) == []
    (text,) = differences("darks", complete, STEPS | {step: {"skip": True}}, detector)
    assert text == f"{key} of the jump file is COMPLETE, detector1_dark leaves {step} out"


@pytest.mark.parametrize(
    ("more", "key"),
    [
        (MIRI_FULL, "S_SUPERB"),
        (MIRI_FULL | {"SUBARRAY": "SUB64", "SUBSIZE1": 64, "SUBSIZE2": 64}, "S_REFPIX"),
        (EDGELESS, "S_REFPIX"),
        (CENTRE, "S_REFPIX"),
        ({"R_SUPERB": "N/A"}, "S_SUPERB"),
        (IRS2 | {"R_REFPIX": "N/A"}, "S_REFPIX"),
        ({"R_LINEAR": "N/A"}, "S_LINEAR"),
    ],
)
def test_a_step_that_the_pipeline_leaves_out_is_no_difference(more, key):
    skipped = {"jump": product(DARK | more | {key: "SKIPPED"})}
    assert differences("darks", skipped, STEPS, DETECTORS[skipped["jump"]["keywords"]["DETECTOR"]]) == []


def test_flicker_noise_is_cleaned_only_if_it_is_configured():
    cleaned = {"jump": product(DARK | {"S_CLNFNS": "COMPLETE"})}
    assert differences("darks", cleaned, STEPS, NIS) == [
        "S_CLNFNS of the jump file is COMPLETE, detector1_dark leaves clean_flicker_noise out"
    ]
    as_configured = STEPS | {"clean_flicker_noise": {"skip": False}}
    assert differences("darks", cleaned, as_configured, NIS) == []
    raw_noise = {"jump": product(DARK | {"S_CLNFNS": "SKIPPED"})}
    assert differences("darks", raw_noise, STEPS, NIS) == []
    assert len(differences("darks", raw_noise, as_configured, NIS)) == 1


def test_darks_with_a_skipped_step_are_rejected_or_named():
    headers = [products(), products(S_REFPIX="SKIPPED"), products(S_SUPERB="SKIPPED", R_SUPERB="N/A")]
    found = inventory(headers)
    assert list(found.detectors["NIS"]["darks"]) == ["e1", "e3"]
    assert found.rejected["NIS"]["e2"].startswith("S_REFPIX of the rateints file is SKIPPED, detector1_dark runs")
    assert header_notices(found.detectors["NIS"]) == [
        "superbias was skipped, since CRDS had no reference file for it, in 1 dark: e3"
    ]


def test_the_advice_is_to_use_a_raw_file_that_is_given():
    given = products(S_DARK="COMPLETE")
    advice = "; give the uncal file instead, or set other_processing: use"
    assert inventory([products(), given]).rejected["NIS"]["e2"].endswith(advice)
    reason = inventory([products(), given | {"uncal": raw(DARK)}]).rejected["NIS"]["e2"]
    assert reason.endswith("; leave the products out and give the uncal file, or set other_processing: use")


@pytest.mark.parametrize(
    ("kind", "step", "recorded"),
    [("darks", "jump", False), ("darks", "saturation", False), ("flats", "jump", False), ("flats", "saturation", True)],
)
def test_a_record_of_a_single_step_is_complete_for_flats_alone(kind, step, recorded):
    assert is_recorded(kind, products(steps={step: AS_WANTED[step]})) is recorded
    assert is_recorded(kind, products())
    if kind == "darks":
        (line,) = header_notices(inventory([products(steps={step: AS_WANTED[step]})]).detectors["NIS"])
        assert line.startswith("the products of 1 dark have no record")


@pytest.mark.parametrize(
    ("step", "name", "value", "text"),
    [
        ("saturation", "n_pix_grow_sat", "1", "saturation.n_pix_grow_sat was 1, detector1_dark has 0"),
        ("jump", "flag_4_neighbors", "True", "jump.flag_4_neighbors was true, detector1_dark has false"),
        ("jump", "rejection_threshold", "5.0", "jump.rejection_threshold was 5.0, detector1_dark has 4.0"),
        ("jump", "expand_large_events", "True", "jump.expand_large_events was true, detector1_dark has false"),
        ("jump", "find_showers", "True", "jump.find_showers was true, detector1_dark has false"),
        ("jump", "after_jump_flag_dn1", "10.0", "jump.after_jump_flag_dn1 was 10.0, detector1_dark has 0.0"),
        ("jump", "min_diffs_single_pass", "10", "jump.min_diffs_single_pass was 10, detector1_dark has 4"),
    ],
)
def test_recorded_parameters_that_differ(step, name, value, text):
    assert differences("darks", products(steps=changed(step, name, value)), STEPS, NIS) == [text]


def test_the_method_of_short_ramps_does_not_matter_to_long_ramps():
    steps = changed("jump", "min_diffs_single_pass", "10")
    assert differences("darks", products(DARK | {"NGROUPS": 11}, steps), STEPS, NIS) == []
    assert len(differences("darks", products(DARK | {"NGROUPS": 10}, steps), STEPS, NIS)) == 1
    miri = DARK | {"INSTRUME": "MIRI", "NGROUPS": 13}
    assert len(differences("darks", products(miri, steps), STEPS, NIS)) == 1


def test_jumps_of_flats_are_not_compared():
    flats = {"rateints": product(FLAT) | {"steps": changed("jump", "flag_4_neighbors", "True")}}
    assert differences("flats", flats, STEPS, NIS) == []
    flats = {"rateints": product(FLAT) | {"steps": changed("saturation", "n_pix_grow_sat", "1")}}
    assert differences("flats", flats, STEPS, NIS) == ["saturation.n_pix_grow_sat was 1, detector1_flat has 0"]


def test_darks_processed_otherwise_are_rejected_or_used_and_named():
    headers = [products(), products(S_DARK="COMPLETE"), products(steps=changed("jump", "flag_4_neighbors", "True"))]
    found = inventory(headers)
    assert list(found.detectors["NIS"]["darks"]) == ["e1"]
    reasons = found.rejected["NIS"]
    assert (
        reasons["e2"].startswith("S_DARK of the rateints file is COMPLETE") and "other_processing: use" in reasons["e2"]
    )
    assert reasons["e3"].startswith("jump.flag_4_neighbors was true, detector1_dark has false; give the uncal file")
    used = inventory(headers, other_processing="use")
    assert list(used.detectors["NIS"]["darks"]) == ["e1", "e2", "e3"] and not used.rejected["NIS"]
    lines = header_notices(used.detectors["NIS"])
    assert (
        "1 dark was processed with different settings: jump.flag_4_neighbors was true, detector1_dark has false"
        in lines
    )
    assert any(
        line.startswith("1 dark was processed with different settings: S_DARK of the jump file") for line in lines
    )
    assert start_notices(used.detectors["NIS"], 3) == lines
    with pytest.raises(InventoryError, match="S_DARK of the rateints file is COMPLETE"):
        inventory([products(S_DARK="COMPLETE")])


def test_flats_are_used_with_a_warning():
    flats = [{"rateints": product(FLAT | {"S_DARK": "COMPLETE"}) | {"steps": AS_WANTED}}] * 2
    found = inventory(flats, "flats")
    assert len(found.detectors["NIS"]["flats"]) == 2
    (line,) = header_notices(found.detectors["NIS"])
    assert line.startswith("2 flats were processed with different settings: S_DARK of the rateints file is COMPLETE")


def test_products_without_a_record_are_named():
    (line,) = header_notices(inventory([products(steps=None), products()]).detectors["NIS"])
    assert line.startswith("the products of 1 dark have no record of the parameters of the pipeline's steps")


def test_suspect_data_are_named():
    raws = [{"uncal": raw(DARK | more)} for more in ({"DATAPROB": True}, {"ENG_QUAL": "SUSPECT"}, {"DATAPROB": False})]
    assert header_notices(inventory(raws).detectors["NIS"]) == [
        "DATAPROB is true (the telemetry of the data had a problem) in 1 dark: e1",
        "ENG_QUAL is SUSPECT (quality of the engineering data) in 1 dark: e2",
    ]


def test_the_defaults_are_those_of_the_pipeline():
    specs = load_steps(Path(__file__).resolve().parents[3] / "config" / "schemas" / "detector1_steps.json")
    for step, names in RECORDED.items():
        assert set(names) == set(PIPELINE_DEFAULTS[step])
        for name in names:
            default = specs[step][name].partition("default=")[2].partition(")")[0].partition(",")[0]
            assert json.loads(default.lower()) == PIPELINE_DEFAULTS[step][name], name


def written(path, logs):
    """A product whose extension ASDF has these `cal_logs`."""
    tree = asdf.AsdfFile({"cal_logs": logs, "meta": {"telescope": "JWST"}})
    plain = path.with_suffix(".asdf")
    tree.write_to(plain)
    content = np.frombuffer(plain.read_bytes(), np.uint8)
    column = fits.Column("ASDF_METADATA", f"{content.size}B", array=content[np.newaxis])
    primary = fits.PrimaryHDU()
    primary.header["S_DQINIT"] = "COMPLETE"
    table = fits.BinTableHDU.from_columns([column], name="ASDF")
    fits.HDUList([primary, fits.ImageHDU(np.zeros((1, 2, 2)), name="SCI"), table]).writeto(path)
    return path


def test_parameters_are_read_from_the_log_of_a_product(tmp_path):
    of_pipeline = (
        "2026-11-28T05:51:11.156 - stpipe.step - INFO - Step Detector1Pipeline parameters are:\n  pre_hooks: []\n"
        "  steps:\n    saturation:\n      n_pix_grow_sat: 1\n      use_readpatt: True\n    jump:\n"
        "      rejection_threshold: 5.0\n      flag_4_neighbors: True\n      maximum_cores: '1'\n"
    )
    path = written(tmp_path / "a_jump.fits", {"calwebb_detector1": ["a line", of_pipeline]})
    expected = {
        "saturation": {"n_pix_grow_sat": "1"}, "jump": {"rejection_threshold": "5.0", "flag_4_neighbors": "True"},
    }  # fmt: skip
    assert recorded_parameters(path) == expected
    assert read_header_info(path)["steps"] == expected
    # A step that was run on its own afterwards is the last word.
    of_step = "x - stpipe.step - INFO - Step JumpStep parameters are:\n  rejection_threshold: 4.0\n  skip: False\n"
    path = written(tmp_path / "b_jump.fits", {"calwebb_detector1": [of_pipeline], "jump": [of_step]})
    assert recorded_parameters(path) == expected | {"jump": {"rejection_threshold": "4.0"}}


@pytest.mark.parametrize(
    "logs", [{}, None, {"calwebb_detector1": "text"}, {"a": [" Step X parameters are:\n\t["]}, [1]]
)
def test_a_product_without_a_readable_record_has_none(tmp_path, logs):
    path = written(tmp_path / "a_jump.fits", logs)
    assert recorded_parameters(path) is None and read_header_info(path)["steps"] is None
