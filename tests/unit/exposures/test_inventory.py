"""The exposures of each mask, and the reason of each rejected exposure. Headers are plain mappings here."""

import pytest

from badpix.exposures.inventory import InventoryError, refuse_incomplete, take_inventory
from unit.exposures.test_checks import DARK, DETECTORS, FLAT, NIRCAM, product, raw

CONFIG = {
    "detectors": "auto", "min_groups": 2, "min_darks": 2, "min_flats": 1, "pedigree": "GROUND", "flat_setup": None,
    "epochs": None, "other_processing": "reject", "detector1_dark": {"jump": {"flag_4_neighbors": False}},
    "detector1_flat": {},
}  # fmt: skip


def inventory(darks=(), flats=(), **config):
    """The inventory of raw files with these keywords; they are called d1, d2, ... and f1, f2, ..."""
    headers, files = {}, {"darks": {}, "flats": {}}
    for kind, several in (("darks", darks), ("flats", flats)):
        for number, keywords in enumerate(several, start=1):
            name = f"{kind[0]}{number}"
            files[kind][name] = {"uncal": name}
            shape = (2, keywords["NGROUPS"], keywords["SUBSIZE2"], keywords["SUBSIZE1"])
            # Each exposure has its own start, unless it is given.
            own = {"TIME-OBS": f"{number:02d}:00:00.000"} if keywords["TIME-OBS"] == DARK["TIME-OBS"] else {}
            headers[name] = raw(keywords | own, shape)
    return take_inventory(files, headers.get, DETECTORS, CONFIG | config)


def used(found, detector="NIS"):
    return {kind: list(exposures) for kind, exposures in found.detectors[detector].items()}


def test_products_given_need_no_pipeline():
    found = inventory([DARK, DARK])
    assert not found.detectors["NIS"]["darks"]["d1"].from_products
    files = {"darks": {}, "flats": {"f": {"rateints": "f"}}}
    found = take_inventory(files, lambda path: product(FLAT), DETECTORS, CONFIG)
    assert found.detectors["NIS"]["flats"]["f"].from_products


def test_good_exposures_are_kept_and_bad_exposures_rejected():
    found = inventory([DARK, DARK | {"NGROUPS": 1}, DARK], [FLAT, DARK])
    assert used(found) == {"darks": ["d1", "d3"], "flats": ["f1"]}
    assert found.rejected["NIS"] == {
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
    assert found.rejected["NIS"] == {
        "d2": "READPATT is 'NIS', the rest have 'NISRAPID'",
        "f3": "READPATT is 'NISRAPID', the rest have 'NIS'",
    }


def test_the_majority_decides_the_subarray_of_both_kinds_together():
    found = inventory([DARK, DARK, DARK], [FLAT | {"SUBARRAY": "FULL", "SUBSTRT1": 1}, FLAT])
    assert used(found) == {"darks": ["d1", "d2", "d3"], "flats": ["f2"]}
    assert found.rejected["NIS"] == {
        "f1": "SUBARRAY is 'FULL', the rest have 'SUB64'; SUBSTRT1 is 1, the rest have 1985"
    }


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ({"READPATT": "NIS"}, "split evenly between READPATT NISRAPID and NIS;"),
        ({"SUBARRAY": "FULL"}, "split evenly between SUBARRAY, SUBSTRT1, SUBSTRT2, SUBSIZE1, SUBSIZE2 SUB64, "),
        (
            NIRCAM,
            "split evenly between DETECTOR NIS and NRCA1; change the inputs so that one value is more frequent, or set"
            " detectors",
        ),
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
    assert found.rejected["NIS"] == {"d2": "DETECTOR is NRCA1, not NIS"}
    found = inventory(mixed, detectors="all")
    assert used(found) == {"darks": ["d1", "d3"], "flats": []}
    assert used(found, "NRCA1") == {"darks": ["d2"], "flats": []}
    assert found.rejected == {"NIS": {}, "NRCA1": {}}
    found = inventory(mixed, detectors=["NRCA1"])
    assert used(found, "NRCA1") == {"darks": ["d2"], "flats": []}
    assert found.rejected["NRCA1"] == dict.fromkeys(["d1", "d3"], "DETECTOR is NIS, not NRCA1")


def test_an_exposure_without_a_detector_is_rejected_under_each():
    found = inventory([DARK, DARK | NIRCAM, DARK | {"NGROUPS": 1}], detectors="all")
    assert all(list(reasons) == ["d3"] for reasons in found.rejected.values())


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
        "NIS: no mask, because 2 usable darks remain and min_darks is 3. Rejected:\n"
        "  d3: NGROUPS is 1, fewer than min_groups = 2"
    )
    found = inventory([DARK, DARK, DARK | {"NGROUPS": 1}])
    with pytest.raises(InventoryError, match=r"0 usable flats remain and min_flats is 1\. Rejected:"):
        refuse_incomplete(found, ["darks", "flats"], CONFIG)


def test_the_remaining_detectors_are_kept():
    found = inventory([DARK, DARK], detectors=["NIS", "NRCB4"])
    refuse_incomplete(found, ["darks"], CONFIG)
    assert list(found.detectors) == ["NIS"]
    assert found.refused["NRCB4"].startswith("NRCB4: no mask, because 0 usable darks remain and min_darks is 2")


def test_a_detector_whose_exposures_are_split_evenly_is_refused_alone():
    nircam = NIRCAM | {"READPATT": "RAPID"}
    found = inventory([DARK, DARK, DARK | nircam, DARK | nircam | {"SUBARRAY": "SUB640"}], detectors="all")
    assert list(found.detectors) == ["NIS"]
    assert found.refused["NRCA1"].startswith("NRCA1: no mask, because the exposures are split evenly between SUBARRAY")


def segments(**of_names):
    """The inventory of darks with these names (`_` for `-`) and keywords, each of two integrations."""
    headers = {name.replace("_", "-"): raw(DARK | keywords) for name, keywords in of_names.items()}
    files = {"darks": {name: {"uncal": name} for name in headers}, "flats": {}}
    return take_inventory(files, headers.get, DETECTORS, CONFIG)


BEGIN = {"TIME-OBS": "01:02:03.000"}
FIRST = BEGIN | {"EXSEGNUM": 1, "EXSEGTOT": 2, "INTSTART": 1, "INTEND": 2, "NINTS": 4}
SECOND = FIRST | {"EXSEGNUM": 2, "INTSTART": 3, "INTEND": 4}


def test_the_segments_of_an_exposure_count_as_a_single_dark():
    found = segments(a_seg001=FIRST, a_seg002=SECOND, b={})
    assert used(found)["darks"] == ["a-seg001", "a-seg002", "b"] and not found.rejected["NIS"]
    with pytest.raises(InventoryError, match="2 usable darks remain and min_darks is 3"):
        refuse_incomplete(found, ["darks"], CONFIG | {"min_darks": 3})


@pytest.mark.parametrize(
    ("of_names", "rejected", "reason"),
    [
        ({"a": FIRST}, "a", "it is segment 1 of an exposure (EXSEGTOT is 2), but its name has no segment number"),
        ({"a_seg001": SECOND}, "a-seg001", "its name has the segment number -seg001, but EXSEGNUM is 2"),
        ({"a_seg002": {}}, "a-seg002", "its name has the segment number -seg002, but EXSEGNUM is missing"),
        ({"a_seg002": {"EXSEGNUM": 2}}, "a-seg002", "EXSEGNUM is 2, but EXSEGTOT is missing"),
        ({"a_seg002": SECOND | {"INTEND": 5}}, "a-seg002", "its integrations are 3 to 5 (INTSTART, INTEND), and NINTS"),
        ({"a_seg001": {"EXSEGTOT": 2}}, "a-seg001", "it is segment 1 of 2, but the primary header lacks INTSTART and"),
        ({"a_seg001": FIRST, "a_seg002": SECOND | {"INTSTART": 2, "INTEND": 3}}, "a-seg002",
         "INTSTART is 2, but a-seg001 has the integrations up to 2"),
        ({"a_seg001": FIRST, "a_seg002": SECOND, "a": {}}, "a",
         "a-seg001 and a-seg002 would be of the same exposure, a, by the names, but DATE-OBS, TIME-OBS, EXSEGTOT"),
    ],
)  # fmt: skip
def test_a_segment_that_contradicts_its_name_or_its_exposure_is_rejected(of_names, rejected, reason):
    found = segments(**of_names, z={"TIME-OBS": "02:00:00"})
    assert list(found.rejected["NIS"]) == [rejected]
    assert found.rejected["NIS"][rejected].startswith(reason)


def test_two_exposures_that_would_become_one_by_their_names_are_both_rejected():
    found = segments(a={}, a_seg001=BEGIN, b={"TIME-OBS": "02:00:00"})
    assert used(found)["darks"] == ["b"] and list(found.rejected["NIS"]) == ["a", "a-seg001"]


def test_an_exposure_under_two_names_counts_once():
    found = inventory([DARK, DARK | BEGIN, DARK | BEGIN | {"EXPSTART": 60462.5}], [FLAT | BEGIN])
    assert used(found) == {"darks": ["d1", "d2"], "flats": ["f1"]}
    assert found.rejected["NIS"] == {
        "d3": "d3 is the same exposure as d2: both have DATE-OBS 2024-06-01, TIME-OBS 01:02:03.000"
    }


def test_detectors_may_begin_together():
    found = inventory([DARK | BEGIN, DARK, DARK | NIRCAM | BEGIN], detectors="all")
    assert used(found)["darks"] == ["d1", "d2"] and used(found, "NRCA1")["darks"] == ["d3"]


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"DATE-OBS": "20240601"}, "DATE-OBS and TIME-OBS are '20240601' and '02:00:00.000', not a date and a time"),
        ({"DATE-OBS": "2024-W05-1"}, "DATE-OBS and TIME-OBS are '2024-W05-1'"),
        ({"DATE-OBS": "2024-06-31"}, "DATE-OBS and TIME-OBS are '2024-06-31'"),
        ({"DATE-OBS": "2024-06-0\u0661"}, "DATE-OBS and TIME-OBS are"),
        ({"TIME-OBS": "12:00:00+14:00"}, "DATE-OBS and TIME-OBS are '2024-06-01' and '12:00:00+14:00'"),
        ({"TIME-OBS": "25:00:00"}, "DATE-OBS and TIME-OBS are '2024-06-01' and '25:00:00'"),
        ({"DATE-OBS": "9999-12-31"}, "DATE-OBS is 9999-12-31, after today"),
        ({"DATE-OBS": "1999-12-31"}, "DATE-OBS is 1999-12-31, before 2010-01-01, when no detector of JWST"),
        ({"DATE-OBS": "2021-12-24"}, "DATE-OBS is 2021-12-24, before the launch on 2021-12-25, and pedigree is INFLIG"),
    ],
)  # fmt: skip
def test_a_date_that_cannot_be_right_is_rejected(keys, reason):
    found = inventory([DARK, DARK | keys, DARK], pedigree="INFLIGHT 2022-06-01 2024-06-01")
    assert used(found)["darks"] == ["d1", "d3"]
    assert found.rejected["NIS"]["d2"].startswith(reason)


@pytest.mark.parametrize("pedigree", ["GROUND", "INFLIGHT GROUND"])
def test_data_of_the_ground_tests_are_used_for_a_mask_of_the_ground(pedigree):
    found = inventory([DARK, DARK | {"DATE-OBS": "2019-01-01"}], pedigree=pedigree)
    assert used(found)["darks"] == ["d1", "d2"]


def test_the_timing_is_that_of_the_rest_of_the_kind():
    found = inventory([DARK | {"TGROUP": t} for t in (1.5, 3.0, 1.5, 1.5001)], [FLAT | {"TGROUP": 3.0}])
    assert used(found) == {"darks": ["d1", "d3", "d4"], "flats": ["f1"]}
    assert found.rejected["NIS"] == {"d2": "TGROUP is 3.0, the rest have 1.5"}
    found = inventory([DARK, DARK | {"TGROUP": 3.0}])
    assert found.refused["NIS"].startswith("NIS: no mask, because the exposures are split evenly between TGROUP 1.5")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("", ""), ("two\nlines", "two\\nlines"), ("x" * 201, "x" * 201), ("\x1b[31m", "\\x1b[31m"),
     ("\udce9t\udce9", "\\xe9t\\xe9")],
)  # fmt: skip
def test_a_name_that_no_product_can_have(name, shown):
    files = {"darks": {name: {"uncal": "d"}, "d": {"uncal": "d"}}, "flats": {}}
    found = take_inventory(files, lambda path: raw(DARK), DETECTORS, CONFIG)
    assert used(found)["darks"] == ["d"]
    assert "rename the file" in found.rejected["NIS"][shown]


@pytest.mark.parametrize(
    ("folder", "words"),
    [("{x}", "has braces or angle"), ("<script>", "has braces or angle"), ("a>b", "has braces or angle"),
     ("\udce9t\udce9", "has characters that cannot be printed"), ("x" * 256, "is too long")],
)  # fmt: skip
def test_a_path_that_the_workflow_cannot_use_is_rejected(folder, words):
    files = {"darks": {"e": {"uncal": f"{folder}/e_uncal.fits"}, "d": {"uncal": "d"}}, "flats": {}}
    found = take_inventory(files, lambda path: raw(DARK), DETECTORS, CONFIG)
    assert used(found)["darks"] == ["d"]
    assert words in found.rejected["NIS"]["e"]


@pytest.mark.parametrize("other", ["DÉ", "d\\xe9"])
def test_names_whose_products_would_be_the_same_files_are_rejected(other):
    names = ["dé", other, "e"]
    headers = {name: raw(DARK | {"TIME-OBS": f"0{n}:00:00"}) for n, name in enumerate(names)}
    found = take_inventory({"darks": {n: {"uncal": n} for n in names}, "flats": {}}, headers.get, DETECTORS, CONFIG)
    assert used(found)["darks"] == ["e"]
    assert all(words.startswith("its products could be the same files as") for words in found.rejected["NIS"].values())
