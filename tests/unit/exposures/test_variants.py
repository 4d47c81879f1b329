"""The exposures of each variant, selected by READPATT and NGROUPS."""

import pytest

from badpix.exposures.epochs import divide
from badpix.exposures.inventory import InventoryError, refuse_incomplete, rejected_at_start
from badpix.exposures.variants import Variant, selection_text, variant_of, variants_of, without_variant
from unit.exposures.test_checks import DARK, FLAT
from unit.exposures.test_inventory import inventory

MINIMUM = {"min_darks": 2, "min_flats": 1, "epochs": None, "flat_setup": None}
SLOW = DARK | {"READPATT": "NIS"}
DEEP = {"NGROUPS": 60}
BY_DEPTH = {
    "short": {"select_darks": {"READPATT": ["NISRAPID"], "NGROUPS": {"max": 49}}},
    "deep": {"select_darks": {"READPATT": ["NISRAPID"], "NGROUPS": {"min": 50}}},
    "slow": {"select_darks": {"READPATT": ["NIS"]}},
}


def divided(darks, flats, variants, **config):
    config = MINIMUM | {"variants": variants} | config
    found = inventory(darks, flats, **config)
    refuse_incomplete(found, ["darks", "flats"], config)
    divide(found, ["darks", "flats"], config)
    return found


def names(found, mask_id):
    return [name for kind in ("darks", "flats") for name in found.exposures(mask_id, kind)]


def test_three_depths_share_the_flats_and_not_the_darks():
    darks = [DARK, DARK, DARK | DEEP, DARK | DEEP, SLOW, SLOW, SLOW]
    found = divided(darks, [FLAT], BY_DEPTH)
    assert list(found.masks) == ["NIS/variants/short", "NIS/variants/deep", "NIS/variants/slow"]
    assert names(found, "NIS/variants/short") == ["d1", "d2", "f1"]
    assert names(found, "NIS/variants/deep") == ["d3", "d4", "f1"]
    assert names(found, "NIS/variants/slow") == ["d5", "d6", "d7", "f1"], "no minority, though most darks are NISRAPID"
    assert list(found.detectors["NIS"]["darks"]) == ["d1", "d2", "d3", "d4", "d5", "d6", "d7"], "each measured once"
    assert not found.rejected["NIS/variants/slow"], "exposures of other variants are not left out"
    assert found.set_id("NIS/variants/deep") == "NIS/variants/deep"


def test_a_limit_of_groups_is_inclusive():
    variant = Variant("a", {"darks": {"NGROUPS": {"min": 10, "max": 49}}})
    assert [n for n in (9, 10, 49, 50) if variant.selects("darks", {"NGROUPS": n, "READPATT": "NIS"})] == [10, 49]
    assert variant.selects("flats", {"NGROUPS": 5, "READPATT": "NIS"}), "another kind is not selected from"


def test_an_exposure_can_be_in_several_variants():
    variants = {"all": {}, "deep": {"select_darks": {"NGROUPS": {"min": 50}}}, "minimal": {"min_flats": 1}}
    found = divided([DARK, DARK | DEEP, DARK | DEEP], [FLAT], variants)
    assert names(found, "NIS/variants/all") == ["d1", "d2", "d3", "f1"] == names(found, "NIS/variants/minimal")
    assert names(found, "NIS/variants/deep") == ["d2", "d3", "f1"]
    assert found.set_id("NIS/variants/all") == found.set_id("NIS/variants/minimal") == "NIS"
    assert names(found, "NIS") == ["d1", "d2", "d3", "f1"], "the set that both share"


def test_an_exposure_of_no_variant_is_named_at_the_start():
    found = divided([DARK, DARK, DARK | DEEP], [FLAT], {"short": {"select_darks": {"NGROUPS": {"max": 49}}}})
    reason = "no variant selects READPATT NISRAPID, NGROUPS 60"
    assert found.rejected["NIS/variants/short"] == {"d3": reason}
    assert rejected_at_start(found, "table") == ["1 of 4 exposures are rejected by their headers:", f"  d3: {reason}"]
    assert list(found.detectors["NIS"]["darks"]) == ["d1", "d2"], "and it is not measured"


def test_the_minority_of_a_variant_is_rejected_there_alone():
    variants = {"all": {}, "slow": {"select_darks": {"READPATT": ["NIS"]}}}
    found = divided([DARK, DARK, DARK, SLOW, SLOW], [FLAT], variants)
    reason = "READPATT is 'NIS', the rest have 'NISRAPID'"
    assert found.rejected["NIS/variants/all"] == {"d4": reason, "d5": reason}
    assert names(found, "NIS/variants/slow") == ["d4", "d5", "f1"]
    assert rejected_at_start(found, "table") == [
        "NIS/variants/all: 2 exposures of other masks are rejected by their headers:", f"  d4, d5: {reason}"
    ]  # fmt: skip


def test_a_variant_with_too_few_exposures_is_refused_and_the_rest_kept():
    found = divided([DARK, DARK, SLOW], [FLAT], BY_DEPTH | {"slow": BY_DEPTH["slow"] | {"min_darks": 1}})
    assert list(found.masks) == ["NIS/variants/short", "NIS/variants/slow"], "a minimum of its own"
    assert found.refused["NIS/variants/deep"].startswith(
        "NIS/variants/deep: no mask, because 0 usable darks remain and min_darks is 2."
    )
    with pytest.raises(InventoryError, match="NIS/variants/deep: no mask"):
        divided([DARK], [FLAT], BY_DEPTH)


def test_a_variant_without_a_majority_is_refused_alone():
    found = divided([DARK, DARK, SLOW, SLOW], [FLAT], {"all": {}, "slow": BY_DEPTH["slow"]})
    assert list(found.masks) == ["NIS/variants/slow"]
    assert (
        "NIS/variants/all: no mask, because the exposures are split evenly between READPATT"
        in (found.refused["NIS/variants/all"])
    )


def test_each_epoch_has_each_variant():
    later = [dark | {"DATE-OBS": "2024-09-01"} for dark in (DARK, DARK, SLOW, SLOW)]
    given = [dark | {"TIME-OBS": f"0{number}:30:00"} for number, dark in enumerate([DARK, DARK, SLOW, SLOW, *later])]
    flats = [FLAT, FLAT | {"DATE-OBS": "2024-09-02"}]
    variants = {"rapid": {"select_darks": {"READPATT": ["NISRAPID"]}}, "slow": BY_DEPTH["slow"]}
    found = divided(given, flats, variants, epochs={"max_gap_days": 30})
    first, second = (f"NIS/epochs/{day}/variants" for day in (DARK["DATE-OBS"], "2024-09-01"))
    assert list(found.masks) == [f"{first}/rapid", f"{first}/slow", f"{second}/rapid", f"{second}/slow"]
    assert names(found, f"{second}/slow") == ["d7", "d8", "f2"]
    assert found.before(f"{second}/slow") == f"{first}/slow"
    assert found.before(f"{first}/slow") is None


def test_the_parts_of_a_mask_id():
    mask_id = "NIS/injection_recovery/epochs/2024/variants/a.b"
    assert (variant_of(mask_id), without_variant(mask_id)) == ("a.b", "NIS/injection_recovery/epochs/2024")
    assert (variant_of("NIS/epochs/2024"), without_variant("NIS/epochs/2024")) == ("", "NIS/epochs/2024")


def test_the_selection_in_words():
    texts = [selection_text(variant) for variant in variants_of({"variants": BY_DEPTH | {"all": {"min_darks": 1}}})]
    assert texts[0] == "Variant short: darks with READPATT NISRAPID, NGROUPS <= 49"
    assert texts[1] == "Variant deep: darks with READPATT NISRAPID, NGROUPS >= 50"
    assert texts[3] == "Variant all: all exposures"
