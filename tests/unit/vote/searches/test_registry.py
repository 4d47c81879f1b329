"""Every registered pixel type and search is complete: flags, priorities, labels, markers, documentation, tests.

A new type or search that lacks any of these fails here, not in a run.
"""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from badpix.config.check import load_schema
from badpix.config.settings import vote_keys
from badpix.formats.pixel_types import DARK_TYPES, FLAT_TYPES, PIXEL_TYPES
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.mask.flags import flags_by_type
from badpix.mask.header_keys import used_parameters
from badpix.report.words import LOOKS, QUANTITIES, TESTS
from badpix.vote.dark_official import OFFICIAL_TESTS
from badpix.vote.searches.base import Search
from badpix.vote.searches.registry import SEARCHES, configured_searches
from badpix.vote.settings import DarkSettings, FlatSettings, RequiredExposures, VoteSettings
from unit.vote.test_dark_extended import SHOWS
from unit.vote.test_halos import HALO
from workflow.key_changes import CHANGES, TESTED_ELSEWHERE

ROOT = Path(__file__).resolve().parents[4]
SCHEMA = load_schema(ROOT / "config" / "schemas" / "config.schema.yaml")
DEFAULTS = {key: node["default"] for key, node in SCHEMA["properties"].items()}
ALGORITHM = (ROOT / "docs/explanation/algorithm.md").read_text(encoding="utf-8")
PRIORITY_ROWS = re.findall(
    r"^\| ([\w, ]+) \| ([^|]+) \|$", ALGORITHM.split("### Types that exclude each other")[1], re.M
)
# Keys of the official tests, of which a search can read some too.
OFFICIAL_KEYS = {field.name for field in fields(DarkSettings)}


def own_keys(search):
    """The configuration keys of a search that no official test reads."""
    return {field.name for field in fields(search)} - OFFICIAL_KEYS


# ---------------------------------------------------------------- pixel types


@pytest.mark.parametrize("pixel_type", PIXEL_TYPES.values(), ids=PIXEL_TYPES)
class TestPixelType:
    def test_it_has_known_flags(self, pixel_type):
        assert bool(pixel_type.flags) != bool(pixel_type.flagged_as)
        assert set(pixel_type.flags) <= PIXEL_FLAGS.keys() - {"DO_NOT_USE"}
        if pixel_type.flagged_as:
            assert list(PIXEL_TYPES).index(pixel_type.flagged_as) < list(PIXEL_TYPES).index(pixel_type.name)
        assert flags_by_type({}, [], [])[pixel_type.name].flags

    def test_its_priorities_are_types_and_documented(self, pixel_type):
        assert set(pixel_type.explained_by) <= PIXEL_TYPES.keys() - {pixel_type.name}
        for winner in pixel_type.explained_by:
            assert pixel_type.name not in PIXEL_TYPES[winner].explained_by, "two types cannot explain each other"
            rows = [row for row in PRIORITY_ROWS if pixel_type.name in row[0].split(", ")]
            assert any(winner in re.findall(r"\w+", winners) for _, winners in rows), f"algorithm.md: {winner}"

    def test_it_has_a_label_and_a_marker(self, pixel_type):
        assert pixel_type.label and LOOKS[pixel_type.name].label == pixel_type.label
        assert re.fullmatch("#[0-9A-F]{6}", pixel_type.marker.color) and pixel_type.marker.outline.startswith("M")

    def test_it_is_documented(self, pixel_type):
        assert re.search(rf"\b{pixel_type.name}\b", ALGORITHM)

    def test_something_finds_it(self, pixel_type):
        found = {test.pixel_type for test in OFFICIAL_TESTS} | {t for search in SEARCHES for t in search.types()}
        assert pixel_type.name in found | set(FLAT_TYPES)


def test_no_two_types_look_alike():
    markers = [pixel_type.marker.glyph for pixel_type in PIXEL_TYPES.values()]
    labels = [pixel_type.label for pixel_type in PIXEL_TYPES.values()]
    assert len(set(markers)) == len(set(labels)) == len(PIXEL_TYPES)


def test_the_schema_names_the_dark_types():
    keys = SCHEMA["properties"]
    assert set(keys["flag_values"]["properties"]) == set(PIXEL_TYPES)
    assert set(keys["dark_do_not_use"]["items"]["enum"]) == set(DARK_TYPES)
    assert all(re.search(rf"\b{name}\b", keys["flag_values"]["allowed"]) for name in PIXEL_TYPES)
    for name, flags in DEFAULTS["flag_values"].items():
        assert tuple(flags) == PIXEL_TYPES[name].flags


# ---------------------------------------------------------------- searches


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: search.__name__)
class TestSearch:
    def test_it_finds_types_that_exist(self, search):
        assert search.counts and set(search.types()) <= set(DARK_TYPES)
        assert min(search.false_alarm_counts().values()) >= 1
        assert set(search.takes_priority_over) <= PIXEL_TYPES.keys() - set(search.types())
        assert set(search.replaces) <= {test.name for test in OFFICIAL_TESTS}

    def test_its_counts_and_quantities_have_names(self, search):
        assert all(TESTS[count.name] == count.label != "" for count in search.counts)
        assert all(count.measure is None or count.measure in search.measures for count in search.counts)
        for measure in search.measures.values():
            assert measure.unit and (measure.quantity is None or all(QUANTITIES[measure.quantity]))

    def test_its_keys_are_in_the_schema_and_read_by_the_vote(self, search):
        assert {field.name for field in fields(search)} <= set(vote_keys(SCHEMA))
        assert all(SCHEMA["properties"][key]["section"] == "beyond" for key in own_keys(search))

    def test_it_is_off_by_default(self, search):
        assert not search.from_config(DEFAULTS).is_on()

    def test_its_keys_are_documented(self, search):
        assert own_keys(search), "a search has a key that turns it on"
        assert [key for key in sorted(own_keys(search)) if f"`{key}" not in ALGORITHM] == []

    def test_its_keys_are_tested(self, search):
        """A run with another value of each key: tests/workflow/test_keys.py, or another test of the workflow."""
        assert own_keys(search) <= CHANGES.keys() | TESTED_ELSEWHERE.keys()

    def test_its_types_are_tested(self, search):
        assert set(search.types()) <= SHOWS.keys() | HALO

    def test_the_header_lists_its_keys(self, search):
        assert set(search.from_config(DEFAULTS).header_keys()) == own_keys(search)


def test_no_two_searches_share_a_count():
    names = [count.name for search in SEARCHES for count in search.counts]
    assert len(set(names)) == len(names)


def test_the_header_lists_what_is_on_and_not_what_is_replaced():
    config = DEFAULTS | {"telegraph_search": True, "noisy_test": "cds", "max_dead_norm_signal": 0.05}
    used = used_parameters(config, {}, ["darks"])
    assert {"telegraph_search", "noisy_test", "noisy_fraction", "false_flags_per_million", "max_jump_limit"} <= set(
        used
    )
    assert not {"dark_noisy_threshold", "min_clean_slopes", "hot_fraction", "ramp_shape_search"} & set(used)
    assert "false_flags_per_million" not in used_parameters(DEFAULTS | {"max_dead_norm_signal": 1}, {}, ["darks"])


def test_every_key_of_the_vote_is_in_its_settings():
    """Each key that re-runs the vote is a field of its settings or of the settings of the mask."""
    from badpix.mask.make import MaskSettings
    from badpix.mask.selectors import SelectorSettings

    classes = (RequiredExposures, DarkSettings, FlatSettings, MaskSettings, SelectorSettings, *SEARCHES)
    names = {field.name for cls in classes for field in fields(cls)}
    names |= {"false_flags_per_million", "exclusive_types", "gain_e_per_dn", "dark_local_level"}
    names |= {"intermittent", "intermittent_from"}
    assert names | {"smoothing_type", "smoothing_box_width", "flat_mean_normalization_method"} == set(vote_keys(SCHEMA))
    settings = VoteSettings.from_config(DEFAULTS | {"max_dead_norm_signal": 0.05})
    assert settings.searches == configured_searches(DEFAULTS) and not settings.searches_on


def test_a_search_without_all_its_methods_cannot_be_made():
    class Incomplete(Search):
        def is_on(self):
            return True

    with pytest.raises(TypeError, match=r"fraction.*header_keys.*measured"):
        Incomplete()
