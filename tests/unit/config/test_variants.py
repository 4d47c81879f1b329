"""The key `variants`: what it allows, and the configuration of a variant."""

import pytest

from badpix.config.check import ConfigError, load_schema, load_steps, validated
from badpix.config.variants import of_variant, variant_keys
from unit.config.test_check import CONFIG

SCHEMA = load_schema(CONFIG / "schemas" / "config.schema.yaml")
STEPS = load_steps(CONFIG / "schemas" / "detector1_steps.json")


def check(variants, **config):
    return validated({"darks": "d", "variants": variants} | config, SCHEMA, STEPS)


def test_a_variant_replaces_values_and_merges_mappings():
    config = check(
        {"long": {}, "minimal": {"dark_do_not_use": ["hot"], "flag_values": {"noisy": ["WARM"]}}},
        flag_values={"hot": ["DEAD"]},
    )
    minimal = of_variant(config, "minimal")
    assert minimal["dark_do_not_use"] == ["hot"]
    assert minimal["flag_values"] == {
        "hot": ["DEAD"], "rc": ["RC"], "low_pedestal": ["OTHER_BAD_PIXEL"], "high_cr": ["TELEGRAPH"], "noisy": ["WARM"]
    }  # fmt: skip
    assert of_variant(config, "long") == of_variant(config, "") == config
    assert of_variant(config, "minimal")["max_jump_limit"] == config["max_jump_limit"]


def test_dates_and_paths_of_a_variant_are_read_as_those_of_the_configuration(monkeypatch):
    import datetime

    monkeypatch.setenv("TABLES", "/tables")
    given = {"useafter": datetime.date(2024, 5, 1), "manual_flag_file": "$TABLES/flags.txt"}
    assert check({"a": given})["variants"]["a"] == {
        "useafter": "2024-05-01 00:00:00", "manual_flag_file": "/tables/flags.txt"
    }  # fmt: skip


def test_no_key_of_an_earlier_rule_is_allowed():
    """A key that changes cached files must never be taken."""
    later = {"bad_pixel_mask", "compare_masks", "release_gate", "known_bad_pixels"}
    assert {SCHEMA["properties"][key]["changes"] for key in variant_keys(SCHEMA)} <= later
    assert {"hot_rate_threshold", "dark_do_not_use", "description", "output_file"} <= set(variant_keys(SCHEMA))


@pytest.mark.parametrize(
    ("variants", "words"),
    [
        ({"a": {"early_cutoff_fraction": 0.2}}, "files that all variants share (it re-runs detector1_dark)"),
        ({"a": {"smoothing_type": "Plane"}}, "files that all variants share (it re-runs flat_response)"),
        ({"a": {"detector1_dark": {}}}, "a variant can have select_darks, select_flats, and override author, "),
        ({"a": {"darks": "other"}}, "variants.a.darks: not allowed in a variant"),
        ({"a": {"on_bad_exposure": "fail"}}, "it changes the run and not a mask"),
        ({"a": {"plot": True}}, "variants.a.plot: not allowed in a variant, because it changes the run"),
        ({"a": {"hot_rate_treshold": 1}}, "hot_rate_treshold: unknown key; did you mean hot_rate_threshold?"),
        ({"a": {"ballot": "exposure"}}, "variants.a.ballot: renamed to dark_vote_unit"),
        ({"a": {"max_jump_limit": "many"}}, "variants.a.max_jump_limit: 'many' is not allowed; it must be an integer"),
        ({"a": {"flag_values": {"hot": ["JUMP_DET"]}}}, "variants.a.flag_values.hot[0]: 'JUMP_DET' is not allowed"),
        ({"a": {"max_dead_norm_signal": 0.6}}, "variants.a: max_dead_norm_signal: 0.6 is not allowed with"),
        ({"a": {"max_new_fraction": 0.1}}, "variants.a: max_new_fraction: 0.1 is not allowed without compare_with"),
        ({"a/b": {}}, "variants: the name 'a/b' is not allowed"),
        ({"a": None}, "variants.a: null is not allowed; it must be a mapping"),
        (["a"], "variants: ['a'] is not allowed; it must be a mapping of names"),
        ({"a": {"select_darks": {}}}, "variants.a.select_darks: it selects nothing"),
        ({"a": {"select_darks": {"NGROUPS": {}}}}, "variants.a.select_darks: it selects nothing"),
        ({"a": {"select_darks": {"NGROUPS": {"min": 9, "max": 8}}}}, "select_darks.NGROUPS: min 9 is above max 8"),
        ({"a": {"select_flats": {"NGROUPS": {"max": 0}}}}, "variants.a.select_flats.NGROUPS.max: 0 is not allowed"),
        ({"a": {"select_flats": {"FILTER": ["CLEAR"]}}}, "select_flats.FILTER: unknown key; known: READPATT"),
        ({"a": {"select_darks": {"READPATT": "FASTR1"}}}, "it must be a list of read patterns"),
    ],
)  # fmt: skip
def test_unsound_variants(variants, words):
    with pytest.raises(ConfigError) as caught:
        check(variants)
    assert words in str(caught.value)


def test_epochs_set_useafter():
    with pytest.raises(ConfigError, match=r"variants\.a\.useafter: not allowed with epochs"):
        check({"a": {"useafter": "2024-05-01 00:00:00"}}, epochs={"max_gap_days": 30})
