"""Which settings make the masks of a history comparable."""

from pathlib import Path

import pytest

from badpix.config.check import load_schema
from badpix.history.comparable import ALL, UNKNOWN, Like, digest_of, settings_text

SCHEMA = load_schema(Path(__file__).parents[3] / "config" / "schemas" / "config.schema.yaml")
CONFIG = {key: node["default"] for key, node in SCHEMA["properties"].items()}
FILES = {"manual_flags": "1f", "flat_types": "2e"}


def text(contents=FILES, kinds=("darks", "flats"), **keys):
    assert keys.keys() <= CONFIG.keys()
    return settings_text(CONFIG | keys, SCHEMA, contents, kinds)


def test_what_decides_on_pixels_and_flags_counts():
    others = [
        text(max_jump_limit=5),
        text(min_darks=4),
        text(telegraph_search=True),
        text(flag_values=CONFIG["flag_values"] | {"hot": []}),
        text(flag_values=CONFIG["flag_values"] | {"hot": ["WARM"]}),
        text(dark_do_not_use=["hot"]),
        text(detector1_dark=CONFIG["detector1_dark"] | {"jump": {"rejection_threshold": 5.0}}),
        text(source_growth=CONFIG["source_growth"] + 1),
        text(mask_frame="full"),
        text(kinds=("darks",)),
        text({}),
        text(FILES | {"flat_types": "2f"}),
        text({"flat_types": "1f", "manual_flags": "2e"}),
    ]
    assert len(set(map(digest_of, [text(), *others]))) == len(others) + 1


def test_what_names_a_mask_does_not_count_and_equal_values_are_equal():
    same = [
        text(author="B", useafter="2030-01-01 00:00:00", selectors={"NGROUPS": ">=5"}, preset={"name": "x"}),
        text(intermittent=["UNRELIABLE_DARK"], crds_context="jwst_0002.pmap", min_flats=9),
        text(dark_noisy_threshold=5.0, max_jump_limit=10),
        text(dark_do_not_use=["high_cr", "low_pedestal", "rc", "hot"]),
        text(min_darks=1),
    ]
    assert text(dark_noisy_threshold=7) == text(dark_noisy_threshold=7.0) != text()
    assert set(same) == {text()}, "three darks are deep also where fewer are required"


def test_a_new_key_with_its_default_changes_nothing():
    """A later version of the software has more keys; its masks are compared with those of before."""
    node = {"default": False, "changes": "bad_pixel_mask"}
    later = SCHEMA | {"properties": SCHEMA["properties"] | {"new_search": node}}
    assert settings_text(CONFIG | {"new_search": False}, later, FILES) == text()
    assert settings_text(CONFIG | {"new_search": True}, later, FILES) != text()


@pytest.mark.parametrize(
    ("also", "accepted"), [((), {"a"}), (("b",), {"a", "b"}), ((UNKNOWN,), {"a", ""}), (ALL, {"a", "b", "c", ""})]
)
def test_other_settings_are_compared_where_they_are_declared(also, accepted):
    assert {settings for settings in ("a", "b", "c", "") if Like("a", also).has(settings)} == accepted
