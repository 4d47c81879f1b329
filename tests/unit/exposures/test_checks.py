"""The reason of each exposure that cannot be used, from its own files. Headers are plain mappings here."""

from pathlib import Path

import pytest

from badpix.exposures.checks import own_problem
from badpix.instrument.detectors import load_detectors

DETECTORS = load_detectors(Path(__file__).resolve().parents[3] / "config" / "detectors")
DARK = {
    "INSTRUME": "NIRISS", "DETECTOR": "NIS", "EXP_TYPE": "NIS_DARK", "SUBARRAY": "SUB64", "SUBSIZE1": 64,
    "SUBSIZE2": 32, "SUBSTRT1": 1985, "SUBSTRT2": 1985, "FASTAXIS": -2, "SLOWAXIS": -1, "NINTS": 2, "NGROUPS": 10,
    "NFRAMES": 1, "TFRAME": 1.5, "TGROUP": 1.5, "READPATT": "NISRAPID", "DATE-OBS": "2024-06-01",
    "TIME-OBS": "12:00:00.000",
}  # fmt: skip
PRODUCTS = ("rateints", "jump", "fitopt")
FLAT = DARK | {"EXP_TYPE": "NIS_LAMP"}
NIRCAM = {"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "EXP_TYPE": "NRC_DARK", "FASTAXIS": -1, "SLOWAXIS": 2}
IRS2 = DARK | {
    "INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "EXP_TYPE": "NRS_DARK", "FASTAXIS": 2, "SLOWAXIS": 1, "SUBARRAY": "FULL",
    "SUBSIZE1": 2048, "SUBSIZE2": 2048, "SUBSTRT1": 1, "SUBSTRT2": 1, "READPATT": "NRSIRS2RAPID",
}  # fmt: skip
MIRI = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "FASTAXIS": 1, "SLOWAXIS": 2, "SUBSTRT1": 1, "SUBSTRT2": 1}


def raw(keywords, shape=(2, 10, 32, 64), bitpix=16):
    """The header information of a raw file."""
    return {"problem": None, "keywords": keywords, "extensions": {"SCI": list(shape)}, "bitpix": {"SCI": bitpix}}


def product(keywords, extension="SCI"):
    return raw(keywords) | {"extensions": {extension: [2, 32, 64]}}


def without(*keys):
    return {key: value for key, value in DARK.items() if key not in keys}


def problem(headers, kind="darks", min_groups=2):
    return own_problem(kind, dict.fromkeys(headers, "path"), headers, DETECTORS, min_groups)


def test_a_good_exposure_has_no_problem():
    assert problem({"uncal": raw(DARK)}) is None
    assert problem({"uncal": raw(FLAT)}, "flats") is None
    assert problem({"uncal": raw(DARK)}, min_groups=10) is None


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"problem": "the file is empty"}, "uncal file: the file is empty"),
        (product(DARK, "IMAGE"), "uncal file: no SCI extension (it has IMAGE)"),
        (raw(DARK) | {"extensions": {}}, "uncal file: no SCI extension (it has none)"),
        (raw(without("NINTS", "READPATT")), "the primary header lacks NINTS, READPATT"),
        (raw(DARK | {"DETECTOR": "NRCZ9"}), "DETECTOR is 'NRCZ9', not a detector of JWST: GUIDER1, "),
        (raw(DARK | {"INSTRUME": "NIRCAM"}), "INSTRUME is 'NIRCAM', but NIS is a detector of NIRISS"),
        (raw(FLAT), "EXP_TYPE is 'NIS_LAMP'; darks of NIS are NIS_DARK"),
        (raw(DARK | {"NGROUPS": 4}), "NGROUPS is 4, fewer than min_groups = 5"),
        (raw(DARK | {"NGROUPS": "10"}), "NGROUPS is '10', not an integer from 1 to 65535"),
        (raw(DARK | {"NINTS": 0}), "NINTS is 0, not an integer from 1 to 65535"),
        (raw(DARK | {"NFRAMES": True}), "NFRAMES is True, not an integer from 1 to 65535"),
        (raw(DARK | {"SUBSIZE1": 64.0}), "SUBSIZE1 is 64.0, not an integer from 1 to 65535"),
        (raw(DARK | {"TGROUP": 0.0}), "TGROUP is 0.0, not a number from 0.0001 to 100000.0"),
        (raw(DARK | {"TFRAME": float("inf")}), "TFRAME is inf, not a number from"),
        (raw(DARK | {"TGROUP": True}), "TGROUP is True, not a number from"),
        (raw(DARK | {"NINTS": 10**30}), f"NINTS is {10**30}, not an integer from 1 to 65535"),
        (raw(DARK | {"GROUPGAP": "0"}), "GROUPGAP is '0', not an integer from 0 to 65535"),
        (raw(DARK | {"GROUPGAP": -1}), "GROUPGAP is -1, not an integer"),
        (raw(DARK | {"EXSEGNUM": 1.0}), "EXSEGNUM is 1.0, not an integer"),
        (raw(DARK | {"READPATT": 5}), "READPATT is 5, not a text"),
        (raw(DARK | {"SUBSTRT1": 1986}), "SUBSTRT1 is 1986 and SUBSIZE1 is 64, beyond the 2048 pixels of NIS"),
        (raw(DARK, (2, 9, 32, 64)), "SCI of the uncal file has shape [2, 9, 32, 64], but NGROUPS, SUBSIZE2, SUBSIZE1 "
                                    "are [10, 32, 64]"),
        (raw(DARK, (10, 32, 64)), "SCI of the uncal file has shape [10, 32, 64]"),
        (raw(DARK, (1, 10, 32, 64)), "SCI of the uncal file has 1 integrations, but NINTS is 2"),
        (raw(DARK | {"READPATT": "NRSIRS2"}, (2, 10, 3200, 64)), "READPATT is 'NRSIRS2', but DETECTOR is 'NIS'"),
        (raw(IRS2, (2, 10, 2048, 2048)), "SCI of the uncal file has shape [2, 10, 2048, 2048], but a raw file of "
                                         "READPATT NRSIRS2RAPID has NGROUPS, 3200 rows for SUBSIZE2 = 2048"),
        (raw(IRS2 | {"SUBSIZE2": 3200}, (2, 10, 3200, 2048)), "SUBSTRT2 is 1 and SUBSIZE2 is 3200, beyond the 2048"),
        (raw(IRS2 | {"READPATT": "NRSRAPID"}, (2, 10, 3200, 2048)), "SCI of the uncal file has shape [2, 10, 3200"),
        (raw(DARK, bitpix=-32), "SCI of the uncal file has BITPIX -32, raw data have 16"),
    ],
)  # fmt: skip
def test_each_problem_has_its_reason(header, reason):
    assert problem({"uncal": header}, min_groups=5).startswith(reason)


def test_raw_irs2_is_accepted():
    assert problem({"uncal": raw(IRS2, (2, 10, 3200, 2048))}, min_groups=5) is None


@pytest.mark.parametrize("key", sorted(DARK))
def test_every_keyword_is_needed(key):
    assert problem({"uncal": raw(without(key))}) == f"the primary header lacks {key}"


def test_a_segment_holds_some_of_its_integrations():
    segment = DARK | {"EXSEGNUM": 2, "EXSEGTOT": 3, "INTSTART": 3, "INTEND": 4, "NINTS": 9}
    assert problem({"uncal": raw(segment)}) is None
    reason = problem({"uncal": raw(segment | {"INTEND": 5})})
    assert reason == "SCI of the uncal file has 2 integrations, but its segment has 3"


def test_no_keyword_of_segments_makes_a_whole_exposure_a_part():
    for keys in ({"EXSEGNUM": 1}, {"EXSEGNUM": 1, "EXSEGTOT": 1}, {"INTSTART": 1, "INTEND": 2}):
        reason = problem({"uncal": raw(DARK | keys | {"NINTS": 9})})
        assert reason == "SCI of the uncal file has 2 integrations, but NINTS is 9"


def test_flats_have_their_own_exposure_types():
    assert problem({"uncal": raw(DARK)}, "flats") == "EXP_TYPE is 'NIS_DARK'; flats of NIS are NIS_LAMP"


def test_a_rate_image_is_of_one_integration():
    image = product(FLAT)
    image["extensions"] = image["extensions"] | {"SCI": [32, 64]}
    assert problem({"rateints": image}, "flats") == (
        "the rate file averages 2 integrations (NINTS); give the rateints file instead"
    )
    image["keywords"] = image["keywords"] | {"NINTS": 1}
    assert problem({"rateints": image}, "flats") is None


def test_products_must_be_complete_or_have_their_raw_file():
    rateints, jump, fitopt = product(DARK), product(DARK), product(DARK, "PEDESTAL")
    assert problem({"rateints": rateints, "jump": jump, "fitopt": fitopt}) is None
    assert problem({"rateints": rateints}) == "has no jump and no fitopt file, and no uncal file to make it from"
    assert problem({"rateints": rateints, "uncal": raw(DARK)}) is None
    assert problem({"rateints": product(FLAT)}, "flats") is None
    assert problem({"rateints": rateints, "jump": jump, "fitopt": product(DARK)}) == (
        "fitopt file: no PEDESTAL extension (it has SCI)"
    )


def test_ramps_given_as_slopes_are_named():
    ramps = raw(DARK | {"S_DQINIT": "COMPLETE"}, bitpix=-32)
    headers = {"rateints": ramps, "jump": product(DARK), "fitopt": product(DARK, "PEDESTAL")}
    assert problem(headers).startswith("SCI of the rateints file has 4 axes: it holds ramps, such as a product of")


@pytest.mark.parametrize(
    ("template", "reason"),
    [("ISIM ASIC Tuning", "TEMPLATE is 'ISIM ASIC Tuning': the readout electronics were being adjusted"),
     ("NIRISS Dark", None), (5, None)],
)  # fmt: skip
def test_exposures_of_the_tuning_of_the_electronics_are_left_out(template, reason):
    assert problem({"uncal": raw(DARK | {"TEMPLATE": template})}) == reason


def test_a_product_of_the_pipeline_is_no_raw_file():
    """calwebb_dark, for instance, writes ramps of the same shape as the raw file."""
    reason = "the uncal file is a product of the pipeline (S_DQINIT is COMPLETE), not raw; give the uncal file"
    assert problem({"uncal": raw(DARK | {"S_DQINIT": "COMPLETE"}, bitpix=-32)}) == reason
    assert problem({"uncal": raw(DARK | {"S_DQINIT": "SKIPPED"})}) is None


def test_darks_of_miri_need_their_raw_file():
    keywords = DARK | MIRI | {"EXP_TYPE": DETECTORS["MIRIMAGE"].dark_exp_types[0]}
    headers = {"rateints": product(keywords), "jump": product(keywords), "fitopt": product(keywords, "PEDESTAL")}
    assert "darks of MIRI need their uncal file too" in problem(headers)
    assert problem(headers | {"uncal": raw(keywords)}) is None


@pytest.mark.parametrize(
    ("key", "first", "second"),
    [("TIME-OBS", "12:00:00", "13:00:00"), ("EXPSTART", 1.0, 1.5), ("NGROUPS", 10, 11), ("INTSTART", 1, 2)],
)
def test_the_files_of_an_exposure_must_agree(key, first, second):
    headers = {"rateints": product(DARK | {key: first}), "uncal": raw(DARK | {key: second})}
    assert problem(headers) == (
        f"its files are not of one exposure: {key} is {first!r} in the rateints file, {second!r} in the uncal file"
    )
    # A keyword that a file lacks is not a contradiction.
    assert problem({"rateints": product(DARK | {"EXPSTART": 1.0}), "uncal": raw(DARK)}) is None


def test_every_header_that_is_used_is_checked():
    headers = {"rateints": product(DARK), "jump": product(without("TGROUP")), "fitopt": product({}, "PEDESTAL")}
    assert problem(headers) == "the primary header lacks TGROUP"
    assert problem(headers | {"uncal": raw(DARK)}) == "jump file: the primary header lacks TGROUP"
    headers["jump"] = product(DARK)
    assert problem(headers) is None


def test_the_raw_file_of_the_flux_check_is_checked_as_any_raw_file():
    headers = {"rateints": product(FLAT), "flux_check": raw(FLAT, (2, 9, 32, 64))}
    assert problem(headers, "flats").startswith("SCI of the flux_check file has shape [2, 9, 32, 64]")


def test_the_axes_are_those_of_the_detector():
    assert problem({"uncal": raw(DARK | {"FASTAXIS": 2})}) == "FASTAXIS is 2, but NIS has -2"


def test_a_type_that_can_be_configured_is_named_with_its_key():
    image = NIRCAM | {"EXP_TYPE": "NRC_IMAGE"}
    assert problem({"uncal": raw(DARK | image)}, "flats") == (
        "EXP_TYPE is 'NRC_IMAGE'; flats of NRCA1 are NRC_LED; to use it, set flat_exp_types"
    )
    assert problem({"uncal": raw(DARK | image)}) == "EXP_TYPE is 'NRC_IMAGE'; darks of NRCA1 are NRC_DARK"
