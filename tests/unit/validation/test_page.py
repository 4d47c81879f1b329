"""The plan, the limits and the page of the validation, on the hand-made detector of the score's tests."""

from dataclasses import replace

import pandas as pd
import pytest
import yaml

import validation
from badpix.score.pixels import bad_in, score_run
from badpix.score.report_tables import score_tables
from badpix.score.tables import ACCEPTED, is_strong, purity_table
from badpix.simulate.populations import POPULATIONS
from badpix.validation.page import (
    Validation,
    ablation_rows,
    completeness_rows,
    healthy_rows,
    interval,
    markdown,
    purity_rows,
    write_page,
)
from badpix.validation.plan import ABLATIONS, LIMITS, SCENARIOS, SEEDS
from unit.score.test_score import make_findings, make_truth

PRESET = yaml.safe_load(validation.PRESET.read_text(encoding="utf-8"))


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("limit", "strong"),
    [
        (0.2, [True, True, False]),  # a response: smaller is stronger
        ("strength <= 0.1", [True, False, False]),
        ("strength <= 0.3 and x >= 1", [False, True, True]),
    ],
)
def test_limit_as_a_number_or_as_a_condition(limit, strong):
    one = score_run(make_truth(), make_findings())
    result = is_strong(one, {"dead": limit})
    assert result[one.pixels["type"] == "dead"].tolist() == strong
    assert result[one.pixels["type"] != "dead"].all()


def test_pixels_weaker_than_their_limit_are_neither_right_nor_false():
    # Of the dead pixels found one, of response 0.2, is weak; the hot pixel found as warm is weak; the intermittent one
    # that is found as dead is bad in 2 of 8.
    one = score_run(make_truth(), make_findings())
    table = purity_table(one, None, {"dead": 0.1, "hot": 100}).set_index("detection")
    assert (table.loc["DEAD", "planted_for"], table.loc["DEAD", "found"]) == (1, 5)
    assert "hot" not in table.loc["warm", "false"]


@pytest.mark.parametrize(("bad_of_8", "false"), [(3, True), (4, False), (7, False)])
def test_bad_in_half_of_the_exposures_is_no_longer_false(bad_of_8, false):
    truth = make_truth()
    pixels = truth.pixels.assign(bad_of_8=[8, 8, 8, 8, bad_of_8, 5])
    table = purity_table(score_run(make_truth(pixels=pixels), make_findings())).set_index("detection")
    assert ("intermittent_rc" in table.loc["DEAD", "false"]) == false


@pytest.mark.parametrize(
    ("phase", "bad_of_8", "exposures", "number"),
    [
        (-1, 8, 5, 5), (-1, 8, 8, 8), (-1, 2, 8, 2),
        (0, 3, 8, 3), (0, 3, 5, 3), (4, 3, 5, 1), (6, 3, 5, 3), (6, 3, 10, 3), (0, 3, 10, 5),
        (2, -1, 5, -1),
    ],
)  # fmt: skip
def test_number_of_exposures_in_which_a_pixel_is_bad(phase, bad_of_8, exposures, number):
    # Bad in exposures n (from 1) with (n - 1 + phase) % 8 < bad_of_8: phase 4 begins the period with the fifth.
    assert bad_in(pd.DataFrame({"phase": [phase], "bad_of_8": [bad_of_8]}), exposures).tolist() == [number]


# ---------------------------------------------------------------- plan


def test_limits_follow_the_number_of_groups():
    usual, few, more = (SCENARIOS[name].limits for name in ("niriss", "few", "hundred"))
    assert usual["noisy"] == 2.5 and usual["telegraph"].endswith(">= 0.1")
    assert usual == more
    assert few["noisy"] == pytest.approx(1 + 1.5 * (240 / 100) ** 0.5, abs=0.01)
    assert few["telegraph"].endswith(">= 0.15")
    assert few.keys() == usual.keys()


def test_limits_are_of_planted_types():
    names = {planted.name for planted in POPULATIONS["survey"].types}
    for scenario in SCENARIOS.values():
        assert scenario.limits.keys() <= names
    assert ACCEPTED.keys() <= names
    # Each type with an expected detection type has a limit, except the dead pixels for the test of the old mask.
    expected = {planted.name for planted in POPULATIONS["survey"].types if planted.expected}
    assert expected - {"crds_flagged_dead"} == LIMITS.keys() | {"hot", "noisy", "telegraph"}
    seeds = [scenario.simulation_seed(seed) for scenario in SCENARIOS.values() for seed in SEEDS]
    assert len(set(seeds)) == len(seeds) and min(seeds) > 1000


def test_the_limit_of_hot_pixels_is_a_rate():
    # A frame of 2048 x 2048 takes 10.73677 s: 2 DN/s.
    assert SCENARIOS["full"].limits["hot"] == pytest.approx(21.47354)


def test_every_option_of_the_preset_has_its_line():
    removed = {key for keys in ABLATIONS.values() for key in keys}
    assert removed <= PRESET.keys()
    votes_and_flags = {
        "rc_fraction_threshold", "low_pedestal_fraction", "high_cr_fraction", "dark_do_not_use", "flat_do_not_use",
        "flag_values", "reject_outliers",
    }  # fmt: skip
    assert PRESET.keys() - removed == votes_and_flags


def test_runs():
    assert validation.wanted_runs(False) == {"official": {}, "flight": PRESET}
    runs = validation.wanted_runs(True)
    assert len(runs) == 2 + len(ABLATIONS)
    assert runs["without local plane"].keys() == PRESET.keys() - {"smoothing_type"}


# ---------------------------------------------------------------- page


@pytest.fixture
def tables():
    one = score_run(make_truth(), make_findings())
    # The other run finds nothing.
    nothing = make_findings().found * 0
    other = score_run(make_truth(), replace(make_findings(), found=nothing, dq=nothing))
    return score_tables({"official": other, "flight": one}, None, {"dead": 0.2, "hot": 40})


def test_rows(tables):
    rows = completeness_rows(tables).set_index("planted")
    assert rows.loc["dead", "pixels"] == 2
    assert rows.loc["dead", "flight"].startswith("1.000 [") and rows.loc["dead", "official"].startswith("0.000 [")
    assert purity_rows(tables).set_index("found as").loc["DEAD", "flight"].startswith("0.333 [")  # 2 of 6
    rows = healthy_rows(tables).set_index("healthy pixels flagged")
    assert rows.loc["DEAD", "flight"].startswith("3: ") and rows.loc["DEAD", "official"].startswith("0: ")
    rows = ablation_rows(tables, 8).set_index("run")
    assert rows.loc["flight", "below 0.98"] == "hot 0.000"
    assert rows.loc["flight", "mean completeness"] == "0.500"


def test_page(tables, tmp_path):
    curves, page = tmp_path / "curves.png", tmp_path / "docs" / "validation.md"
    curves.write_bytes(b"figure")
    one = Validation(SCENARIOS["few"], (3, 4), tables, curves)
    write_page(page, [one])
    text = page.read_text(encoding="utf-8")
    assert (page.parent / "validation_few.png").read_bytes() == b"figure"
    for words in ("Seeds 3, 4;", "## NIRISS, 5 + 5, 20 groups", "(validation_few.png)", "## Known limits"):
        assert words in text
    assert "| dead | 0.2 | 2 |" in text
    assert "Effect of each option" not in text
    assert "## Summary" in text and "(seeds: 2) | flight | hot 0.000 | hot 0.000 | 3 of 38: " in text
    write_page(page, [one], tables)
    assert "## Effect of each option (NIRISS, 5 + 5, 20 groups, seeds 3, 4)" in page.read_text(encoding="utf-8")


def test_markdown_and_intervals():
    table = pd.DataFrame({"a": [1, None], "b": ["x", "y"]}).astype({"a": "Int64"})
    assert markdown(table).splitlines() == ["| a | b |", "| --- | --- |", "| 1 | x |", "|  | y |"]
    assert interval(0.5, 0.25, 0.75) == "0.500 [0.250, 0.750]"
    assert interval(float("nan"), 0, 1) == ""
