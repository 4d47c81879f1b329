"""Points of a sweep, what is wrong with them, and the tables of their votes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from badpix.config.check import ConfigError, load_schema, load_steps, validated
from badpix.config.settings import vote_keys
from badpix.config.sweep import CONFIGURED, Sweep, point_name, sweep_keys, sweep_points
from badpix.formats.pixel_types import PIXEL_TYPES
from badpix.formats.truth_file import Truth
from badpix.formats.type_result import TypeResult
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import Geometry
from badpix.mask.make import MaskVote
from badpix.sweep.plot import line_styles, plot_sweep, positions
from badpix.sweep.tables import COLUMNS, point_table, sweep_table
from badpix.vote.exposure_set import ExposureSet

SCHEMAS = Path(__file__).resolve().parents[3] / "config" / "schemas"
SCHEMA, STEPS = load_schema(SCHEMAS / "config.schema.yaml"), load_steps(SCHEMAS / "detector1_steps.json")
CONFIG = {"max_jump_limit": 10, "high_cr_fraction": 0.8, "dark_vote_unit": "exposure"}


def problems_of(**keys):
    with pytest.raises(ConfigError) as caught:
        validated({"darks": "d"} | keys, SCHEMA, STEPS)
    return caught.value.problems


def test_one_at_a_time_has_the_configured_point_once():
    sweep = {"max_jump_limit": [5, 10], "dark_vote_unit": ["integration"]}
    assert sweep_points(sweep, "one_at_a_time", CONFIG) == {
        CONFIGURED: {},
        "max_jump_limit=5": {"max_jump_limit": 5},
        "dark_vote_unit=integration": {"dark_vote_unit": "integration"},
    }


def test_a_product_has_all_combinations():
    sweep = {"max_jump_limit": [5, 10], "high_cr_fraction": [0.5, 0.8]}
    points = sweep_points(sweep, "product", CONFIG)
    assert list(points.values()) == [
        {},
        {"max_jump_limit": 5, "high_cr_fraction": 0.5},
        {"max_jump_limit": 5},
        {"high_cr_fraction": 0.5},
    ]


def test_names_are_fit_for_files_and_differ():
    points = [{"a": ["x", "y"]}, {"a": ["x y"]}, {"a": 1.5}, {"a": "/"}, {f"key{n}": n for n in range(40)}]
    names = [point_name(point) for point in points]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and "/" not in name and len(name) < 120 for name in names)
    assert names[2] == "a=1.5"


def test_what_can_be_swept_re_runs_the_vote_alone():
    for key in sweep_keys(SCHEMA):
        assert key in vote_keys(SCHEMA)
        assert SCHEMA["properties"][key]["changes"] == "bad_pixel_mask", key
    assert {"max_jump_limit", "dark_noisy_threshold", "exclusive_types", "min_unlit_area"} <= set(sweep_keys(SCHEMA))


def test_every_value_is_held_to_the_schema_of_its_key():
    assert problems_of(sweep={"max_jump_limit": [5, 0], "dark_vote_unit": ["exposure", "all"]}) == (
        "sweep.max_jump_limit[1]: 0 is not allowed; it must be an integer >= 1",
        "sweep.dark_vote_unit[1]: 'all' is not allowed; it must be one of exposure, integration",
    )


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("early_cutoff_fraction", "a change of it re-runs detector1_dark; run the workflow once with each value"),
        ("smoothing_box_width", "a change of it re-runs flat_response"),
        ("flat_vote_unit", "a change of it re-runs exposure_response"),
        ("author", "it is not a threshold of the vote"),
        ("max_jump_limt", "there is no such key; did you mean max_jump_limit?"),
    ],
)
def test_what_cannot_be_swept_is_refused_with_the_reason(key, message):
    (problem,) = problems_of(sweep={key: [1]})
    assert problem.startswith(f"sweep.{key}: ") and message in problem


def test_points_that_contradict_other_keys_are_refused():
    (problem,) = problems_of(sweep={"max_dead_norm_signal": [0.1, 0.6]})
    assert problem.startswith("sweep, with max_dead_norm_signal 0.6: max_dead_norm_signal: 0.6 is not allowed with")
    many = {"max_jump_limit": list(range(1, 101)), "dark_noisy_threshold": list(range(1, 101))}
    (problem,) = problems_of(sweep=many, sweep_grid="product")
    assert problem == "sweep: it has 10000 points, more than 2000; leave out some values"


def a_vote():
    """Three rows of four pixels: two hot pixels, of which one was planted and one is healthy."""
    found = np.zeros((3, 4), bool)
    found[1, 1] = found[2, 3] = True
    science = np.ones((3, 4), bool)
    science[0] = False
    dq = np.where(found, PIXEL_FLAGS["HOT"], 0).astype(np.uint32)
    truth = Truth(
        np.where(science, 0, -1),
        np.zeros((3, 4), bool),
        pd.DataFrame({"CODE": [1], "NAME": ["hot"], "EXPECTED": "hot"}),
    )
    truth.codes[1, 1] = truth.codes[1, 3] = 1
    truth = Truth(truth.codes, truth.adjacent_to_open, truth.types)
    geometry = Geometry("FULL", 1, 1, 4, 3, 1, 2)
    exposures = ExposureSet(None, geometry, ~science, (None,) * 5, (), {})
    results = {"hot": TypeResult(found, np.zeros_like(found), {})}
    return MaskVote(exposures, results, {}, dq, geometry), truth


def test_the_table_of_a_point_counts_and_scores():
    vote, truth = a_vote()
    table = point_table(vote, truth).set_index(["kind", "name"])
    hot = table.loc[("type", "hot")]
    assert (hot["n_pixels"], hot["purity"], hot["healthy_flagged"]) == (2, 0.5, 1)
    assert hot["fraction"] == 2 / 8
    assert table.loc[("flag", "HOT"), "n_pixels"] == 2
    planted = table.loc[("planted", "hot")]
    assert (planted["planted"], planted["found"], planted["completeness"]) == (2, 1, 0.5)
    assert 0 < planted["completeness_low"] < 0.5 < planted["completeness_high"] < 1
    alone = point_table(vote)
    assert list(alone["kind"]) == ["type", "flag"] and alone["purity"].isna().all()


def test_the_table_of_a_sweep_is_tidy_and_drawn(tmp_path):
    vote, truth = a_vote()
    points = {
        CONFIGURED: {},
        "max_jump_limit=5": {"max_jump_limit": 5},
        "dark_vote_unit=integration": {"dark_vote_unit": "integration"},
    }
    tables = {name: point_table(vote, truth) for name in points}
    sweep = Sweep(points, {key: CONFIG[key] for key in ("max_jump_limit", "dark_vote_unit")}, "one_at_a_time")
    table = sweep_table(tables, sweep)
    assert list(table.columns) == [*COLUMNS, "at_max_jump_limit", "at_dark_vote_unit"]
    hot = table[(table["kind"] == "type")]
    assert list(zip(hot["swept"], hot["value"], hot["point"], strict=True)) == [
        ("max_jump_limit", "10", CONFIGURED),
        ("dark_vote_unit", "exposure", CONFIGURED),
        ("max_jump_limit", "5", "max_jump_limit=5"),
        ("dark_vote_unit", "integration", "dark_vote_unit=integration"),
    ]
    plot_sweep(tmp_path / "one.png", table, sweep, "NIS")
    sweep = replace(sweep, grid="product")
    product = sweep_table(tables, sweep)
    assert len(product) == sum(map(len, tables.values())) and set(product["swept"]) == {""}
    plot_sweep(tmp_path / "two.png", product, sweep, "NIS")
    assert all((tmp_path / name).stat().st_size > 10_000 for name in ("one.png", "two.png"))


def test_a_line_looks_like_its_type_in_all_panels():
    rows = [("type", "hot", ""), ("type", "ADJ_OPEN", ""), ("planted", "next to open", "ADJ_OPEN"), ("type", "hot", ""),
            ("planted", "warm", "warm|hot"), ("planted", "warm again", "warm"), ("type", "hot, key 3", "")]  # fmt: skip
    styles = line_styles(pd.DataFrame(rows, columns=["kind", "name", "expected"]))
    types, planted = styles["type"], styles["planted"]
    assert types["hot"]["color"] == PIXEL_TYPES["hot"].marker.color != types["ADJ_OPEN"]["color"]
    assert planted["next to open"]["color"] == types["ADJ_OPEN"]["color"]
    assert planted["warm"]["color"] == planted["warm again"]["color"] == PIXEL_TYPES["warm"].marker.color
    assert planted["warm"]["linestyle"] != planted["warm again"]["linestyle"]
    assert types["hot, key 3"]["color"] == types["hot"]["color"]
    assert types["hot, key 3"]["linestyle"] != types["hot"]["linestyle"]


def test_positions_on_the_axis():
    assert positions(["5", "10", "5"]) == ({"5": 5, "10": 10}, True)
    assert positions(["null", "0.5"]) == ({"null": 0, "0.5": 1}, False)
    assert positions(["exposure", "integration"]) == ({"exposure": 0, "integration": 1}, False)
