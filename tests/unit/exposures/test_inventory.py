"""Which exposures make which mask, and the reason of each that does not. Headers are plain mappings here."""

from pathlib import Path

import pytest

from badpix.exposures.inventory import InventoryError, own_problem, refuse_incomplete, take_inventory
from badpix.instrument.detectors import load_detectors

DETECTORS = load_detectors(Path(__file__).resolve().parents[3] / "config" / "detectors")
CONFIG = {"detectors": "auto", "min_groups": 2, "min_darks": 2, "min_flats": 1}
DARK = {
    "INSTRUME": "NIRISS", "DETECTOR": "NIS", "EXP_TYPE": "NIS_DARK", "SUBARRAY": "SUB64", "SUBSIZE1": 64,
    "SUBSIZE2": 32, "SUBSTRT1": 1985, "SUBSTRT2": 1985, "FASTAXIS": -2, "SLOWAXIS": -1, "NINTS": 2, "NGROUPS": 10,
    "NFRAMES": 1, "TFRAME": 1.5, "TGROUP": 1.5, "READPATT": "NISRAPID", "DATE-OBS": "2024-06-01",
    "TIME-OBS": "12:00:00.000",
}  # fmt: skip
FLAT = DARK | {"EXP_TYPE": "NIS_LAMP"}
NIRCAM = {"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "EXP_TYPE": "NRC_DARK", "FASTAXIS": -1, "SLOWAXIS": 2}
IRS2 = DARK | {
    "INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "EXP_TYPE": "NRS_DARK", "FASTAXIS": 2, "SLOWAXIS": 1, "SUBARRAY": "FULL",
    "SUBSIZE1": 2048, "SUBSIZE2": 2048, "SUBSTRT1": 1, "SUBSTRT2": 1, "READPATT": "NRSIRS2RAPID",
}  # fmt: skip
MIRI = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "EXP_TYPE": "MIR_DARKIMG", "FASTAXIS": 1, "SLOWAXIS": 2}


def raw(keywords, shape=(2, 10, 32, 64), bitpix=16):
    """What the headers of a raw file say."""
    return {"problem": None, "keywords": keywords, "extensions": {"SCI": list(shape)}, "bitpix": {"SCI": bitpix}}


def product(keywords, extension="SCI"):
    return raw(keywords) | {"extensions": {extension: [2, 32, 64]}}


def without(*keys):
    return {key: value for key, value in DARK.items() if key not in keys}


def problem(facts, kind="darks", min_groups=2):
    return own_problem(kind, dict.fromkeys(facts, "path"), facts, DETECTORS, min_groups)


def inventory(darks=(), flats=(), **config):
    """The inventory of raw files with these keywords; they are called d1, d2, ... and f1, f2, ..."""
    facts, files = {}, {"darks": {}, "flats": {}}
    for kind, several in (("darks", darks), ("flats", flats)):
        for number, keywords in enumerate(several, start=1):
            name = f"{kind[0]}{number}"
            files[kind][name] = {"uncal": name}
            shape = (2, keywords["NGROUPS"], keywords["SUBSIZE2"], keywords["SUBSIZE1"])
            # No two exposures begin at the same time.
            facts[name] = raw({"EXPSTART": 60000 + number} | keywords, shape)
    return take_inventory(files, facts.get, DETECTORS, CONFIG | config)


def used(found, detector="NIS"):
    return {kind: list(exposures) for kind, exposures in found.detectors[detector].items()}


# ---------------------------------------------------------------- one exposure


def test_a_good_exposure_has_no_problem():
    assert problem({"uncal": raw(DARK)}) is None
    assert problem({"uncal": raw(FLAT)}, "flats") is None
    assert problem({"uncal": raw(DARK)}, min_groups=10) is None


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        ({"problem": "the file is empty"}, "uncal file: the file is empty"),
        (product(DARK, "IMAGE"), "uncal file: no SCI extension (it has IMAGE)"),
        (raw(DARK) | {"extensions": {}}, "uncal file: no SCI extension (it has none)"),
        (raw(without("NINTS", "READPATT")), "the primary header lacks NINTS, READPATT"),
        (raw(DARK | {"DETECTOR": "NRCZ9"}), "DETECTOR is 'NRCZ9', which is none of JWST's: GUIDER1, "),
        (raw(DARK | {"INSTRUME": "NIRCAM"}), "INSTRUME is 'NIRCAM', but NIS is a detector of NIRISS"),
        (raw(FLAT), "EXP_TYPE is 'NIS_LAMP'; darks of NIS are NIS_DARK"),
        (raw(DARK | {"NGROUPS": 4}), "NGROUPS is 4, fewer than min_groups = 5"),
        (raw(DARK | {"NGROUPS": "10"}), "NGROUPS is '10', not a positive integer"),
        (raw(DARK | {"NINTS": 0}), "NINTS is 0, not a positive integer"),
        (raw(DARK | {"NFRAMES": True}), "NFRAMES is True, not a positive integer"),
        (raw(DARK | {"SUBSIZE1": 64.0}), "SUBSIZE1 is 64.0, not a positive integer"),
        (raw(DARK | {"TGROUP": 0.0}), "TGROUP is 0.0, not a positive number"),
        (raw(DARK | {"DATE-OBS": "2024-06-31"}), "DATE-OBS and TIME-OBS are '2024-06-31' and '12:00:00.000', no date"),
        (raw(DARK, (2, 9, 32, 64)), "SCI of the uncal file has shape [2, 9, 32, 64], but NGROUPS, SUBSIZE2, SUBSIZE1 "
                                    "say [10, 32, 64]"),
        (raw(DARK, (10, 32, 64)), "SCI of the uncal file has shape [10, 32, 64]"),
        (raw(DARK, (1, 10, 32, 64)), "SCI of the uncal file has 1 integrations, but NINTS is 2"),
        (raw(DARK | {"READPATT": "NRSIRS2"}, (2, 10, 3200, 64)), "READPATT is 'NRSIRS2', but DETECTOR is 'NIS'"),
        (raw(IRS2, (2, 10, 2048, 2048)), "SCI of the uncal file has shape [2, 10, 2048, 2048], but a raw file of "
                                         "READPATT NRSIRS2RAPID has NGROUPS, 3200 rows for SUBSIZE2 = 2048"),
        (raw(IRS2 | {"SUBSIZE2": 3200}, (2, 10, 3200, 2048)), "SCI of the uncal file has shape [2, 10, 3200"),
        (raw(IRS2 | {"READPATT": "NRSRAPID"}, (2, 10, 3200, 2048)), "SCI of the uncal file has shape [2, 10, 3200"),
        (raw(DARK, bitpix=-32), "SCI of the uncal file has BITPIX -32, raw data have 16"),
    ],
)  # fmt: skip
def test_each_problem_has_its_reason(fact, reason):
    assert problem({"uncal": fact}, min_groups=5).startswith(reason)


def test_raw_irs2_is_accepted():
    assert problem({"uncal": raw(IRS2, (2, 10, 3200, 2048))}, min_groups=5) is None


@pytest.mark.parametrize("key", sorted(DARK))
def test_every_keyword_is_needed(key):
    assert problem({"uncal": raw(without(key))}) == f"the primary header lacks {key}"


def test_a_segment_holds_some_of_its_integrations():
    assert problem({"uncal": raw(DARK | {"EXSEGNUM": 2, "NINTS": 9})}) is None


def test_flats_have_their_own_exposure_types():
    assert problem({"uncal": raw(DARK)}, "flats") == "EXP_TYPE is 'NIS_DARK'; flats of NIS are NIS_LAMP"


def test_products_must_be_complete_or_have_their_raw_file():
    rateints, jump, fitopt = product(DARK), product(DARK), product(DARK, "PEDESTAL")
    assert problem({"rateints": rateints, "jump": jump, "fitopt": fitopt}) is None
    assert problem({"rateints": rateints}) == "has no jump and no fitopt file, and no uncal file to make it from"
    assert problem({"rateints": rateints, "uncal": raw(DARK)}) is None
    assert problem({"rateints": product(FLAT)}, "flats") is None
    assert problem({"rateints": rateints, "jump": jump, "fitopt": product(DARK)}) == (
        "fitopt file: no PEDESTAL extension (it has SCI)"
    )


def test_darks_of_miri_need_their_raw_file():
    keywords = DARK | MIRI | {"EXP_TYPE": DETECTORS["MIRIMAGE"].dark_exp_types[0]}
    facts = {"rateints": product(keywords), "jump": product(keywords), "fitopt": product(keywords, "PEDESTAL")}
    assert "darks of MIRI need their uncal file too" in problem(facts)
    assert problem(facts | {"uncal": raw(keywords)}) is None


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [("TIME-OBS", "12:00", "13:00"), ("EXPSTART", 1.0, 1.5), ("NGROUPS", 10, 11), ("EXSEGNUM", 1, 2)],
)
def test_the_files_of_an_exposure_must_be_of_one(key, one, other):
    facts = {"rateints": product(DARK | {key: one}), "uncal": raw(DARK | {key: other})}
    assert problem(facts) == (
        f"its files are not of one exposure: {key} is {one!r} in the rateints file, {other!r} in the uncal file"
    )
    # What a file does not say is no contradiction.
    assert problem({"rateints": product(DARK | {"EXPSTART": 1.0}), "uncal": raw(DARK)}) is None


def test_every_header_that_is_used_is_judged():
    facts = {"rateints": product(DARK), "jump": product(without("TGROUP")), "fitopt": product({}, "PEDESTAL")}
    assert problem(facts) == "the primary header lacks TGROUP"
    assert problem(facts | {"uncal": raw(DARK)}) == "jump file: the primary header lacks TGROUP"
    facts["jump"] = product(DARK)
    assert problem(facts) is None


def test_the_raw_file_of_the_flux_check_is_judged_as_any_raw_file():
    facts = {"rateints": product(FLAT), "flux_check": raw(FLAT, (2, 9, 32, 64))}
    assert problem(facts, "flats").startswith("SCI of the flux_check file has shape [2, 9, 32, 64]")


def test_products_given_need_no_pipeline():
    found = inventory([DARK, DARK])
    assert not found.detectors["NIS"]["darks"]["d1"].from_products
    files = {"darks": {}, "flats": {"f": {"rateints": "f"}}}
    found = take_inventory(files, lambda path: product(FLAT), DETECTORS, CONFIG)
    assert found.detectors["NIS"]["flats"]["f"].from_products


# ---------------------------------------------------------------- all exposures


def test_good_and_bad_are_told_apart():
    found = inventory([DARK, DARK | {"NGROUPS": 1}, DARK], [FLAT, DARK])
    assert used(found) == {"darks": ["d1", "d3"], "flats": ["f1"]}
    assert found.left_out["NIS"] == {
        "d2": "NGROUPS is 1, fewer than min_groups = 2",
        "f2": "EXP_TYPE is 'NIS_DARK'; flats of NIS are NIS_LAMP",
    }


def test_nothing_usable_lists_every_reason():
    with pytest.raises(InventoryError) as caught:
        inventory([DARK | {"NGROUPS": 1}], [DARK])
    assert str(caught.value) == (
        "none of the 2 exposures can be used:\n  d1: NGROUPS is 1, fewer than min_groups = 2\n"
        "  f1: EXP_TYPE is 'NIS_DARK'; flats of NIS are NIS_LAMP"
    )


def test_the_majority_decides_the_readout_pattern_of_each_kind():
    odd = {"READPATT": "NIS"}
    found = inventory([DARK, DARK | odd, DARK], [FLAT | odd, FLAT | odd, FLAT])
    assert used(found) == {"darks": ["d1", "d3"], "flats": ["f1", "f2"]}
    assert found.left_out["NIS"] == {
        "d2": "READPATT is 'NIS', the rest have 'NISRAPID'",
        "f3": "READPATT is 'NISRAPID', the rest have 'NIS'",
    }


def test_the_majority_decides_the_subarray_of_both_kinds_together():
    found = inventory([DARK, DARK, DARK], [FLAT | {"SUBARRAY": "FULL", "SUBSTRT1": 1}, FLAT])
    assert used(found) == {"darks": ["d1", "d2", "d3"], "flats": ["f2"]}
    assert found.left_out["NIS"] == {
        "f1": "SUBARRAY is 'FULL', the rest have 'SUB64'; SUBSTRT1 is 1, the rest have 1985"
    }


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ({"READPATT": "NIS"}, "split evenly between READPATT NISRAPID and NIS;"),
        ({"SUBARRAY": "FULL"}, "split evenly between SUBARRAY, SUBSTRT1, SUBSTRT2, SUBSIZE1, SUBSIZE2 SUB64, "),
        (NIRCAM, "split evenly between DETECTOR NIS and NRCA1; name the inputs so that one prevails, or set detectors"),
    ],
)
def test_a_tie_is_an_error(odd, words):
    with pytest.raises(InventoryError) as caught:
        refuse_incomplete(inventory([DARK, DARK | odd, DARK, DARK | odd]), ["darks"], CONFIG)
    assert words in str(caught.value)


def test_detectors_auto_all_and_a_list():
    mixed = [DARK, DARK | NIRCAM, DARK]
    found = inventory(mixed)
    assert list(found.detectors) == ["NIS"]
    assert found.left_out["NIS"] == {"d2": "DETECTOR is NRCA1, not NIS"}
    found = inventory(mixed, detectors="all")
    assert used(found) == {"darks": ["d1", "d3"], "flats": []}
    assert used(found, "NRCA1") == {"darks": ["d2"], "flats": []}
    assert found.left_out == {"NIS": {}, "NRCA1": {}}
    found = inventory(mixed, detectors=["NRCA1"])
    assert used(found, "NRCA1") == {"darks": ["d2"], "flats": []}
    assert found.left_out["NRCA1"] == dict.fromkeys(["d1", "d3"], "DETECTOR is NIS, not NRCA1")


def test_what_belongs_to_no_detector_is_said_under_each():
    found = inventory([DARK, DARK | NIRCAM, DARK | {"NGROUPS": 1}], detectors="all")
    assert all(list(reasons) == ["d3"] for reasons in found.left_out.values())


def test_detectors_do_not_have_to_agree_with_each_other():
    found = inventory([DARK, DARK | NIRCAM | {"SUBARRAY": "SUB64P", "READPATT": "RAPID"}], detectors="all")
    assert used(found)["darks"] == ["d1"] and used(found, "NRCA1")["darks"] == ["d2"]


def test_a_single_detector_with_too_few_exposures_ends_the_run():
    found = inventory([DARK, DARK, DARK | {"NGROUPS": 1}])
    refuse_incomplete(found, ["darks"], CONFIG)
    assert not found.refused and used(found)["darks"] == ["d1", "d2"]
    with pytest.raises(InventoryError) as caught:
        refuse_incomplete(found, ["darks"], CONFIG | {"min_darks": 3})
    assert str(caught.value) == (
        "NIS: no mask, because 2 usable darks remain and min_darks is 3. Left out:\n"
        "  d3: NGROUPS is 1, fewer than min_groups = 2"
    )
    found = inventory([DARK, DARK, DARK | {"NGROUPS": 1}])
    with pytest.raises(InventoryError, match=r"0 usable flats remain and min_flats is 1\. Left out:"):
        refuse_incomplete(found, ["darks", "flats"], CONFIG)


def test_of_several_detectors_the_others_go_on():
    found = inventory([DARK, DARK], detectors=["NIS", "NRCB4"])
    refuse_incomplete(found, ["darks"], CONFIG)
    assert list(found.detectors) == ["NIS"]
    assert found.refused["NRCB4"].startswith("NRCB4: no mask, because 0 usable darks remain and min_darks is 2")


def test_a_detector_whose_exposures_are_split_evenly_is_refused_alone():
    other = NIRCAM | {"READPATT": "RAPID"}
    found = inventory([DARK, DARK, DARK | other, DARK | other | {"SUBARRAY": "SUB640"}], detectors="all")
    assert list(found.detectors) == ["NIS"]
    assert found.refused["NRCA1"].startswith("NRCA1: no mask, because the exposures are split evenly between SUBARRAY")


def test_the_segments_of_an_exposure_are_one_of_the_darks_asked_for():
    names = ["a-seg001_nis", "a-seg002_nis", "b_nis"]
    files = {"darks": {name: {"uncal": name} for name in names}, "flats": {}}
    found = take_inventory(files, lambda path: raw(DARK | {"EXPSTART": ord(path[0])}), DETECTORS, CONFIG)
    assert list(found.detectors["NIS"]["darks"]) == names
    with pytest.raises(InventoryError, match="2 usable darks remain and min_darks is 3"):
        refuse_incomplete(found, ["darks"], CONFIG | {"min_darks": 3})


def test_an_exposure_under_two_names_counts_once():
    begin = {"EXPSTART": 60462.5}
    found = inventory([DARK, DARK | begin, DARK | begin], [FLAT | begin])
    assert used(found) == {"darks": ["d1", "d2"], "flats": ["f1"]}
    assert found.left_out["NIS"] == {
        "d3": "d3 is the same exposure as d2: both have DATE-OBS 2024-06-01, TIME-OBS 12:00:00.000, EXPSTART 60462.5"
    }


def test_a_segment_whose_name_does_not_say_so_is_no_exposure_of_its_own():
    parts = [DARK | {"EXSEGNUM": number, "EXSEGTOT": 2} for number in (1, 2)]
    found = inventory([DARK, DARK, *parts, DARK | {"EXSEGNUM": 1, "EXSEGTOT": 1}], [FLAT])
    assert used(found)["darks"] == ["d1", "d2", "d5"]
    assert found.left_out["NIS"]["d4"] == (
        "it is segment 2 of an exposure (EXSEGTOT is 2), but its name does not say so; end it in -seg002"
    )


def test_segments_and_detectors_may_begin_together():
    begin = {"EXPSTART": 60462.5}
    found = inventory([DARK | begin | {"EXSEGNUM": 1}, DARK | begin | {"EXSEGNUM": 2}, DARK | NIRCAM | begin])
    assert used(found)["darks"] == ["d1", "d2"]


def test_the_timing_is_that_of_the_rest_of_the_kind():
    found = inventory([DARK | {"TGROUP": t} for t in (1.5, 3.0, 1.5, 1.5001)], [FLAT | {"TGROUP": 3.0}])
    assert used(found) == {"darks": ["d1", "d3", "d4"], "flats": ["f1"]}
    assert found.left_out["NIS"] == {"d2": "TGROUP is 3.0, the rest have 1.5"}
    found = inventory([DARK, DARK | {"TGROUP": 3.0}])
    assert found.refused["NIS"].startswith("NIS: no mask, because the exposures are split evenly between TGROUP 1.5")


def test_the_axes_are_those_of_the_detector():
    assert problem({"uncal": raw(DARK | {"FASTAXIS": 2})}) == "FASTAXIS is 2, but that of NIS is -2"


@pytest.mark.parametrize("name", ["", "two\nlines", "x" * 201, "\x1b[31m"])
def test_a_name_that_no_product_can_have(name):
    files = {"darks": {name: {"uncal": "d"}, "d": {"uncal": "d"}}, "flats": {}}
    found = take_inventory(files, lambda path: raw(DARK), DETECTORS, CONFIG)
    assert used(found)["darks"] == ["d"]
    assert "rename the file" in found.left_out["NIS"][name]


def test_braces_in_a_path_would_be_wildcards():
    files = {"darks": {"e": {"uncal": "{x}/e_uncal.fits"}, "d": {"uncal": "d"}}, "flats": {}}
    found = take_inventory(files, lambda path: raw(DARK), DETECTORS, CONFIG)
    assert used(found)["darks"] == ["d"]
    assert found.left_out["NIS"]["e"].startswith("the path '{x}/e_uncal.fits' has braces")
