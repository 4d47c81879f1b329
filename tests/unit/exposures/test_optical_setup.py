"""The optical set-up of flats: which flats are used together, and why each of the others is rejected."""

import pytest
from astropy.io import fits

from badpix.exposures.epochs import divide
from badpix.exposures.headers import read_header_info
from badpix.exposures.inventory import refuse_incomplete
from badpix.exposures.optical_setup import (
    NoMajority,
    different_setups,
    setup_of,
    setup_warnings,
    setups_text,
    unsuitable_setups,
    used_again,
)
from unit.exposures.test_checks import DARK, FLAT
from unit.exposures.test_inventory import CONFIG, inventory, used

NIRSPEC = {"INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "FASTAXIS": 2, "SLOWAXIS": 1, "READPATT": "NRSRAPID"}
LAMP = FLAT | NIRSPEC | {"EXP_TYPE": "NRS_LAMP", "FILTER": "OPAQUE", "LAMP": "LINE2", "OPMODE": "IMAGE"}
MIRROR, PRISM = LAMP | {"GRATING": "MIRROR"}, LAMP | {"GRATING": "PRISM"}
NRS_DARK = DARK | NIRSPEC | {"EXP_TYPE": "NRS_DARK"}
F115W, F150W = {"FILTER": "CLEAR", "PUPIL": "F115W"}, {"FILTER": "CLEAR", "PUPIL": "F150W"}


def named(*setups):
    return {f"f{number}": keywords for number, keywords in enumerate(setups, start=1)}


def masks(darks, flats, configured=("darks", "flats"), **config):
    found = inventory(darks, flats, **config)
    refuse_incomplete(found, configured, CONFIG | config)
    divide(found, configured, CONFIG | config)
    return found


def test_flats_through_the_mirror_are_used_although_more_are_through_the_prism():
    found = masks([NRS_DARK] * 2, [PRISM, MIRROR, PRISM, MIRROR, PRISM, MIRROR, PRISM])
    assert used(found, "NRS1")["flats"] == ["f2", "f4", "f6"]
    reason = "GRATING is PRISM, the flats used have MIRROR, which comes first"
    assert found.rejected["NRS1"] == dict.fromkeys(["f1", "f3", "f5", "f7"], reason)


def test_flats_through_the_prism_do_not_decide_on_the_readout_pattern():
    prism = PRISM | {"READPATT": "NRS"}
    found = masks([NRS_DARK] * 2, [prism, prism, MIRROR, prism])
    assert used(found, "NRS1")["flats"] == ["f3"]


def test_without_flats_through_the_mirror_the_majority_is_used_with_a_warning():
    found = masks([NRS_DARK] * 2, [PRISM, LAMP | {"GRATING": "G140M"}, PRISM])
    flats = found.masks["NRS1"]["flats"]
    assert list(flats) == ["f1", "f3"]
    (warning,) = setup_warnings(flat.keywords for flat in flats.values())
    assert warning.startswith("the flats were taken through GRATING PRISM, not through MIRROR")
    assert not setup_warnings([MIRROR, FLAT | {"GRATING": "PRISM"}])


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"FILTER": "F115W"}, "FILTER is F115W, the flats used have CLEAR"),
        ({"PUPIL": "CLEARP"}, "PUPIL is CLEARP, the flats used have F150W"),
        ({"PUPIL": "N/A"}, "PUPIL has no value, the flats used have F150W"),
        ({"BAND": "MULTIPLE"}, "BAND is MULTIPLE, the flats used have SHORT"),
        (
            {"BAND": "ANY", "LAMP": "OFF"},
            "BAND has no value, the flats used have SHORT; LAMP is OFF, the flats used have IFU",
        ),
        ({"CHANNEL": 34}, "CHANNEL is 34, the flats used have 12"),
        ({"OPMODE": "NONE"}, "OPMODE is NONE, the flats used have no value"),
        ({"PILIN": True}, "PILIN is TRUE, the flats used have no value"),
        ({"MSASTATE": "PRIMARYPARK_ALLCLOSED"}, "MSASTATE is PRIMARYPARK_ALLCLOSED, the flats used have no value"),
    ],
)  # fmt: skip
def test_a_flat_that_differs_from_most_is_rejected(odd, reason):
    same = {"FILTER": "CLEAR", "PUPIL": "F150W", "BAND": "SHORT", "LAMP": "IFU", "CHANNEL": "12"}
    assert different_setups(named(same, same, same | odd), None) == {"f3": reason}


def test_equal_values_in_other_forms_agree():
    spellings = [
        {"FILTER": "F150W", "CHANNEL": "12", "GRATING": "N/A", "PILIN": False},
        {"FILTER": " f150w  ", "CHANNEL": 12, "GRATING": "UNKNOWN", "PUPIL": ""},
        {"FILTER": "F150W", "CHANNEL": 12.0, "BAND": "any"},
    ]
    assert not different_setups(named(*spellings), None)
    assert setup_of(spellings[1]) == {"FILTER": "F150W", "CHANNEL": "12"}


def test_a_tie_makes_no_mask_and_names_the_key_of_the_choice():
    with pytest.raises(NoMajority) as caught:
        different_setups(named(F150W, F115W, F150W, F115W), None)
    assert str(caught.value) == (
        "the flats are split evenly between PUPIL F115W and PUPIL F150W (2 of each); choose the flats to use by the key"
        " flat_setup, such as flat_setup: {PUPIL: F115W}"
    )
    with pytest.raises(NoMajority, match="between PUPIL F115W and PUPIL F150W and PUPIL F200W .1 of each.; choose"):
        different_setups(named(F150W, F115W, F150W | {"PUPIL": "F200W"}), None)
    nircam = {"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "FASTAXIS": -1, "SLOWAXIS": 2}
    other = [DARK | nircam | {"EXP_TYPE": "NRC_DARK"}] * 2
    flats = [FLAT | F150W, FLAT | F115W, FLAT | nircam | {"EXP_TYPE": "NRC_LED"}]
    found = masks([DARK, DARK, *other], flats, detectors="all")
    assert list(found.masks) == ["NRCA1"]
    assert found.refused["NIS"].startswith("NIS: no mask, because the flats are split evenly between PUPIL F115W and")


def test_of_two_equally_frequent_setups_the_fully_described_setup_is_used():
    assert different_setups(named({"FILTER": "CLEAR"}, F150W), None) == {
        "f1": "PUPIL has no value, the flats used have F150W"
    }


def test_the_segments_of_an_exposure_count_once():
    flats = {f"a-seg00{number}": F115W for number in (1, 2, 3)} | {"b": F150W, "c": F150W}
    assert set(different_setups(flats, None)) == {"a-seg001", "a-seg002", "a-seg003"}


def test_the_configured_setup_decides():
    three = named(F115W, F150W, F150W)
    chosen = {"PUPIL": " f115w"}
    assert unsuitable_setups(three, chosen) == dict.fromkeys(["f2", "f3"], "PUPIL is F150W, flat_setup has F115W")
    assert not different_setups({"f1": F115W}, chosen)
    both = {"PUPIL": ["F115W", "F150W"]}
    assert not unsuitable_setups(three, both)
    assert not different_setups(three, both)
    assert different_setups(three | {"f4": F115W | {"FILTER": "GR150C"}}, both).keys() == {"f4"}
    assert unsuitable_setups(named({}, F150W), {"PUPIL": "N/A"}) == {"f2": "PUPIL is F150W, flat_setup has N/A"}
    prism_chosen = unsuitable_setups(named(MIRROR, PRISM), {"GRATING": "PRISM"})
    assert prism_chosen == {"f1": "GRATING is MIRROR, flat_setup has PRISM"}


def test_darks_of_other_setups_are_used():
    found = masks([DARK | F115W, DARK | F150W, DARK], [FLAT | F150W])
    assert used(found)["darks"] == ["d1", "d2", "d3"]


def test_each_epoch_has_a_majority_of_its_own():
    dates = [{"DATE-OBS": date} for date in ("2024-06-01", "2024-09-01", "2025-06-01")]
    flats = [FLAT | dates[0] | F150W] * 3 + [FLAT | dates[1] | F115W] * 2 + [FLAT | dates[1] | F150W]
    flats += [FLAT | dates[2] | F115W, FLAT | dates[2] | F150W]
    found = masks([DARK | date for date in dates], flats, epochs={"max_gap_days": 20}, min_darks=1)
    first, second, third = (f"NIS/epochs/{date['DATE-OBS']}" for date in dates)
    assert {mask_id: list(kinds["flats"]) for mask_id, kinds in found.masks.items()} == {
        first: ["f1", "f2", "f3"],
        second: ["f4", "f5"],
    }
    assert found.rejected[second] == {"f6": "PUPIL is F150W, the flats used have F115W"}
    assert found.refused[third].startswith(f"{third}: no mask, because the flats are split evenly")


def test_flats_of_a_setup_that_is_now_the_most_frequent_are_named(tmp_path):
    table = tmp_path / "rejected_exposures.csv"
    assert used_again(table, ["f1"]) == []
    (reason,) = different_setups(named(F115W, F150W, F150W), None).values()
    table.write_text(f'input,reason\nf1,"{reason}"\nf9,"it is truncated, by far"\n', encoding="utf-8")
    assert used_again(table, ["f2", "f3", "f9"]) == []
    (line,) = used_again(table, ["f1", "f4", "f9"])
    assert "another optical set-up than in the run before, in which f1 was rejected because of the set-up" in line


def test_the_history_names_the_setups_of_the_flats():
    assert setups_text([F150W, F150W, F115W]) == "FILTER CLEAR, PUPIL F115W and FILTER CLEAR, PUPIL F150W"
    assert setups_text([{}, {"FILTER": "N/A"}]) == ""


def test_the_keywords_are_read_from_the_files(tmp_path):
    header = fits.Header({"FILTER": "CLEAR", "CHANNEL": "SHORT", "PILIN": True, "LAMP": "LINE2", "MSASTATE": "OPEN"})
    fits.PrimaryHDU(header=header).writeto(tmp_path / "a.fits")
    assert setup_of(read_header_info(tmp_path / "a.fits")["keywords"]) == {
        "FILTER": "CLEAR", "CHANNEL": "SHORT", "LAMP": "LINE2", "PILIN": "TRUE", "MSASTATE": "OPEN",
    }  # fmt: skip
