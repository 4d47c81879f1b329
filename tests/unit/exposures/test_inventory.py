"""The exposures of each mask, and the reason of each rejected exposure. Headers are plain mappings here."""

import pytest

from badpix.exposures.inventory import InventoryError, refuse_incomplete, take_inventory
from unit.exposures.test_checks import DARK, DETECTORS, FLAT, NIRCAM, product, raw

CONFIG = {"detectors": "auto", "min_groups": 2, "min_darks": 2, "min_flats": 1}


def inventory(darks=(), flats=(), **config):
    """The inventory of raw files with these keywords; they are called d1, d2, ... and f1, f2, ..."""
    headers, files = {}, {"darks": {}, "flats": {}}
    for kind, several in (("darks", darks), ("flats", flats)):
        for number, keywords in enumerate(several, start=1):
            name = f"{kind[0]}{number}"
            files[kind][name] = {"uncal": name}
            shape = (2, keywords["NGROUPS"], keywords["SUBSIZE2"], keywords["SUBSIZE1"])
            # Each exposure has its own start.
            headers[name] = raw({"EXPSTART": 60000 + number} | keywords, shape)
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


def test_the_segments_of_an_exposure_count_as_a_single_dark():
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
    assert found.rejected["NIS"] == {
        "d3": "d3 is the same exposure as d2: both have DATE-OBS 2024-06-01, TIME-OBS 12:00:00.000, EXPSTART 60462.5"
    }


def test_a_segment_without_its_number_in_the_name_is_rejected():
    parts = [DARK | {"EXSEGNUM": number, "EXSEGTOT": 2} for number in (1, 2)]
    found = inventory([DARK, DARK, *parts, DARK | {"EXSEGNUM": 1, "EXSEGTOT": 1}], [FLAT])
    assert used(found)["darks"] == ["d1", "d2", "d5"]
    assert found.rejected["NIS"]["d4"] == (
        "it is segment 2 of an exposure (EXSEGTOT is 2), but its name has no segment number; end it in -seg002"
    )


def test_segments_and_detectors_may_begin_together():
    begin = {"EXPSTART": 60462.5}
    found = inventory([DARK | begin | {"EXSEGNUM": 1}, DARK | begin | {"EXSEGNUM": 2}, DARK | NIRCAM | begin])
    assert used(found)["darks"] == ["d1", "d2"]


def test_the_timing_is_that_of_the_rest_of_the_kind():
    found = inventory([DARK | {"TGROUP": t} for t in (1.5, 3.0, 1.5, 1.5001)], [FLAT | {"TGROUP": 3.0}])
    assert used(found) == {"darks": ["d1", "d3", "d4"], "flats": ["f1"]}
    assert found.rejected["NIS"] == {"d2": "TGROUP is 3.0, the rest have 1.5"}
    found = inventory([DARK, DARK | {"TGROUP": 3.0}])
    assert found.refused["NIS"].startswith("NIS: no mask, because the exposures are split evenly between TGROUP 1.5")


@pytest.mark.parametrize("name", ["", "two\nlines", "x" * 201, "\x1b[31m"])
def test_a_name_that_no_product_can_have(name):
    files = {"darks": {name: {"uncal": "d"}, "d": {"uncal": "d"}}, "flats": {}}
    found = take_inventory(files, lambda path: raw(DARK), DETECTORS, CONFIG)
    assert used(found)["darks"] == ["d"]
    assert "rename the file" in found.rejected["NIS"][name]


def test_a_path_with_braces_is_rejected():
    files = {"darks": {"e": {"uncal": "{x}/e_uncal.fits"}, "d": {"uncal": "d"}}, "flats": {}}
    found = take_inventory(files, lambda path: raw(DARK), DETECTORS, CONFIG)
    assert used(found)["darks"] == ["d"]
    assert found.rejected["NIS"]["e"].startswith("the path '{x}/e_uncal.fits' has braces")
