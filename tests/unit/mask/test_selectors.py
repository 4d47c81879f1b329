"""The keywords by which CRDS selects a mask: their values, and the masks that CRDS finds with them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from badpix.formats.mask_file import MaskHeader, write_mask
from badpix.instrument.detectors import load_detectors
from badpix.instrument.geometry import Geometry
from badpix.mask.crds_rules import RulesUnavailable, cache_alone, mask_rules
from badpix.mask.selectors import SelectorError, needs_irs2_rows, selector_values, subarray_name
from badpix.simulate.crds_cache import write_server_config
from badpix.simulate.crds_rules import write_mappings

DETECTORS = load_detectors(Path(__file__).parents[3] / "config" / "detectors")
TEXTS = {"author": "A", "description": "d", "pedigree": "GROUND", "useafter": "2023-01-01 00:00:00"}
MIRI = ("DETECTOR", "FILTER", "SUBARRAY", "READPATT", "NGROUPS")
NIRSPEC = ("DETECTOR", "SUBARRAY", "READPATT")
DARK = {"READPATT": "FASTR1", "NGROUPS": 30, "FILTER": "OPAQUE"}


def measured(detector, subarray="FULL"):
    known = DETECTORS[detector]
    columns, rows = (known.n_columns, known.n_rows) if subarray == "FULL" else (64, 64)
    return Geometry(subarray, 1, 1, columns, rows, known.fast_axis, known.slow_axis)


# ---------------------------------------------------------------- values


def test_only_the_read_pattern_is_taken_from_the_exposures_by_default():
    assert selector_values(MIRI, [DARK, DARK], {}, "MIRI") == {"FILTER": "N/A", "READPATT": "FASTR1", "NGROUPS": "N/A"}


def test_values_that_differ_match_all_exposures():
    cards = selector_values(MIRI, [DARK, DARK | {"READPATT": "SLOWR1"}], {}, "MIRI")
    assert cards["READPATT"] == "N/A"
    assert selector_values(MIRI, [DARK, {"NGROUPS": 30}], {}, "MIRI")["READPATT"] == "N/A"


def test_configured_values():
    given = {"READPATT": "FASTR1|SLOWR1", "NGROUPS": ">=50", "FILTER": "measured"}
    cards = selector_values(MIRI, [DARK], given, "MIRI")
    assert cards == {"FILTER": "OPAQUE", "READPATT": "N/A", "P_READPA": "FASTR1|SLOWR1|", "NGROUPS": ">=50"}
    with pytest.raises(SelectorError, match="BAND is not allowed for MIRI.*allowed keys: FILTER, READPATT, NGROUPS"):
        selector_values(MIRI, [DARK], {"BAND": "LONG"}, "MIRI")


def test_masks_of_nirspec_have_definite_rows():
    normal, irs2 = {"READPATT": "NRSRAPID"}, {"READPATT": "NRSIRS2RAPID"}
    cards = selector_values(NIRSPEC, [normal, {"READPATT": "NRS"}], {}, "NIRSPEC")
    assert cards == {"READPATT": "N/A", "P_READPA": "NRS|NRSRAPID|"}
    assert not needs_irs2_rows(cards, [normal])
    assert needs_irs2_rows(selector_values(NIRSPEC, [irs2], {}, "NIRSPEC"), [irs2])
    assert needs_irs2_rows({}, [irs2])
    with pytest.raises(SelectorError, match="READPATT is NRSIRS2RAPID, NRSRAPID: dq_init needs masks with other rows"):
        needs_irs2_rows(selector_values(NIRSPEC, [normal, irs2], {}, "NIRSPEC"), [normal, irs2])
    with pytest.raises(SelectorError, match="READPATT N/A is not allowed for NIRSPEC"):
        selector_values(NIRSPEC, [normal], {"READPATT": "N/A"}, "NIRSPEC")


def test_a_name_that_promises_more_pixels_than_were_measured_is_refused():
    nis, full, part = DETECTORS["NIS"], measured("NIS"), measured("NIS", "SUB64")
    assert subarray_name("measured", part, part, nis) == "SUB64"
    assert subarray_name("measured", part, full, nis) == "FULL"
    assert subarray_name("GENERIC", full, full, nis) == "GENERIC"
    assert subarray_name("FULL", part, full, nis) == "FULL"
    for setting, frame in (("GENERIC", part), ("GENERIC", full), ("FULL", part)):
        with pytest.raises(SelectorError, match=f"subarray_name: {setting} is not allowed for NIS.*SUB64"):
            subarray_name(setting, part, frame, nis)


# ---------------------------------------------------------------- CRDS


@dataclass(frozen=True)
class Case:
    """A mask of `detector`: its SUBARRAY and selectors, and exposures that must, and must not, find it."""

    detector: str
    subarray: str
    selectors: dict
    found: list
    others: list


SIZE = {"SUBARRAY": "SUB256"}
CASES = [
    Case("NIS", "FULL", {}, [{}], [SIZE, {"SUBARRAY": "SUBSTRIP256"}]),
    Case("NIS", "GENERIC", {}, [{}, SIZE, {"SUBARRAY": "SUBSTRIP256"}], []),
    Case("NRCA1", "GENERIC", {}, [{}, {"SUBARRAY": "SUB320"}], []),
    Case("NRS1", "FULL", {"READPATT": "N/A", "P_READPA": "NRS|NRSRAPID|"}, [{"READPATT": "NRS"}],
         [{"READPATT": "NRSIRS2"}]),
    Case("GUIDER1", "GENERIC", {"EXP_TYPE": "N/A"}, [{"EXP_TYPE": "FGS_IMAGE"}, {"EXP_TYPE": "FGS_DARK"}], []),
    Case("GUIDER1", "FULL", {"EXP_TYPE": "FGS_DARK"}, [{"EXP_TYPE": "FGS_DARK"}], [{"EXP_TYPE": "FGS_IMAGE"}]),
    Case("MIRIMAGE", "FULL", {"FILTER": "N/A", "READPATT": "FASTR1", "NGROUPS": "N/A"},
         [DARK, DARK | {"FILTER": "F770W", "NGROUPS": 5}], [DARK | SIZE, DARK | {"READPATT": "SLOWR1"}]),
    Case("MIRIFULONG", "FULL", {"FILTER": "N/A", "READPATT": "FASTR1", "NGROUPS": ">=50"},
         [DARK | {"NGROUPS": 50}, DARK | {"NGROUPS": 360}], [DARK | {"NGROUPS": 49}]),
    Case("MIRIFULONG", "FULL", {"FILTER": "N/A", "READPATT": "FASTR1", "NGROUPS": "<50"},
         [DARK | {"NGROUPS": 5}, DARK | {"NGROUPS": 49}], [DARK | {"NGROUPS": 50}]),
    Case("MIRIFULONG", "FULL", {"FILTER": "N/A", "READPATT": "FASTR1", "NGROUPS": "BETWEEN 10 50"},
         [DARK | {"NGROUPS": 10}, DARK | {"NGROUPS": 49}], [DARK | {"NGROUPS": 9}, DARK | {"NGROUPS": 50}]),
    # The mask for all NGROUPS may be of another detector.
    Case("MIRIFUSHORT", "FULL", {"FILTER": "N/A", "READPATT": "FASTR1", "NGROUPS": ">=50"},
         [DARK | {"NGROUPS": 50}, DARK | {"NGROUPS": 360}], [DARK | {"NGROUPS": 49}]),
    # Preferred to the mask with N/A for all keywords.
    Case("MIRIFULONG", "GENERIC", {"FILTER": "ANY", "READPATT": "N/A", "NGROUPS": "N/A"},
         [DARK, DARK | SIZE | {"FILTER": "F770W"}], []),
    Case("MIRIFULONG", "FULL", {"FILTER": "N/A", "READPATT": "FASTR1", "NGROUPS": 30}, [DARK],
         [DARK | {"NGROUPS": 31}]),
    Case("MIRIMAGE", "GENERIC", {"FILTER": "ANY", "READPATT": "N/A", "P_READPA": "FASTR1|SLOWR1|", "NGROUPS": "20|30"},
         [DARK | SIZE, DARK | {"READPATT": "SLOWR1"}], [DARK | {"NGROUPS": 21}, DARK | {"READPATT": "FAST"}]),
]  # fmt: skip


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A CRDS cache with the keywords of each instrument in its mask rmaps; only MIRIFULONG has a mask already."""
    folder = tmp_path_factory.mktemp("crds")
    instruments = dict.fromkeys(detector.instrument for detector in DETECTORS.values())
    files = {name: {"mask": {}} for name in instruments}
    # CRDS finds a range such as NGROUPS >=50 only beside masks for all NGROUPS.
    files["MIRI"]["mask"] = {("MIRIFULONG", *["N/A"] * 4): "jwst_miri_mask_0001.fits"}
    write_mappings(folder / "mappings" / "jwst", files)
    write_server_config(folder / "config" / "jwst")
    return {"path": str(folder), "server_url": None, "context": "jwst_0001.pmap"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.detector}-{case.subarray}")
def test_the_expected_exposures_find_the_mask(case, cache, tmp_path):
    detector, geometry = DETECTORS[case.detector], measured(case.detector)
    identity = {"instrument": detector.instrument, "detector": detector.name}
    frame = Geometry(case.subarray, *(getattr(geometry, key) for key in list(geometry.__dataclass_fields__)[1:]))
    mask = tmp_path / "new_mask.fits"
    write_mask(mask, np.zeros(frame.shape, np.uint32), frame, MaskHeader(identity, TEXTS, selectors=case.selectors))
    with cache_alone(cache):
        rules = mask_rules(detector.instrument)
        # As CRDS does with a delivered file.
        inserted = rules.rmap.insert_reference(str(mask))
        for exposure in [*case.found, *case.others]:
            header = {"INSTRUME": detector.instrument, "DETECTOR": detector.name, "SUBARRAY": "FULL"} | exposure
            header |= {"DATE-OBS": "2024-01-01", "TIME-OBS": "00:00:00"}
            found = best_mask(inserted, header)
            assert (found == "new_mask.fits") == (exposure in case.found), (exposure, found)


def test_a_range_is_not_found_without_a_mask_for_all_values(cache, tmp_path):
    write_mappings(tmp_path / "mappings" / "jwst", {"MIRI": {"mask": {}}})
    write_server_config(tmp_path / "config" / "jwst")
    case = Case("MIRIFUSHORT", "FULL", {"FILTER": "N/A", "READPATT": "FASTR1", "NGROUPS": ">=50"}, [],
                [DARK | {"NGROUPS": 50}, DARK | {"NGROUPS": 360}])  # fmt: skip
    test_the_expected_exposures_find_the_mask(case, cache | {"path": str(tmp_path)}, tmp_path)


def best_mask(rmap, header):
    from crds.core import utils

    conditioned = utils.condition_header(rmap.locate.fits_to_parkeys(header))
    return rmap.get_best_references(rmap.minimize_header(conditioned), include=["mask"])["mask"]


def test_the_keywords_are_those_of_the_context(cache):
    with cache_alone(cache):
        keywords = {name: mask_rules(name).keywords for name in ("FGS", "MIRI", "NIRCAM", "NIRISS", "NIRSPEC")}
    array = ("DETECTOR", "SUBARRAY")
    assert keywords == {
        "FGS": (*array, "EXP_TYPE"), "MIRI": MIRI, "NIRCAM": array, "NIRISS": array, "NIRSPEC": NIRSPEC,
    }  # fmt: skip


def test_a_cache_without_rules(cache, tmp_path):
    with cache_alone(cache | {"path": str(tmp_path)}), pytest.raises(RulesUnavailable, match="no such folder"):
        mask_rules("MIRI")
    with cache_alone(cache | {"context": "jwst_9999.pmap"}), pytest.raises(RulesUnavailable, match="jwst_9999"):
        mask_rules("MIRI")
    shutil.copytree(cache["path"], tmp_path, dirs_exist_ok=True)
    rmap = tmp_path / "mappings" / "jwst" / "jwst_miri_mask_0001.rmap"
    rmap.write_text(rmap.read_text().replace("NGROUPS", "NINTS"))
    with cache_alone(cache | {"path": str(tmp_path)}), pytest.raises(RulesUnavailable, match=r"MIRI: .*sha1sum"):
        mask_rules("MIRI")
    (tmp_path / "config" / "jwst" / "server_config").unlink()
    with (
        cache_alone(cache | {"path": str(tmp_path)}),
        pytest.raises(RulesUnavailable, match="server_config is miss"),
    ):
        mask_rules("MIRI")
