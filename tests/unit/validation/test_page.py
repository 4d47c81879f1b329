"""The plan, the limits and the page of the validation, on the hand-made detector of the score's tests."""

from dataclasses import replace

import pandas as pd
import pytest
import yaml

import validation
from badpix.score.pixels import bad_in, score_run
from badpix.score.report_tables import score_tables
from badpix.score.tables import ACCEPTED, is_strong, purity_table
from badpix.simulate.effects import parse_effects
from badpix.simulate.instruments import INSTRUMENTS
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
from badpix.validation.plan import ABLATIONS, FULL_FRAME_TIME, GROUPS, LIMITS, SCENARIOS, SEEDS, Plan
from simulate import parse_arguments
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
    for scenario in SCENARIOS.values():
        types = POPULATIONS[scenario.population].types
        assert scenario.limits.keys() <= {planted.name for planted in types}
        assert ACCEPTED.keys() <= {planted.name for planted in types}
        # Each type with an expected detection type has a limit, except the dead pixels for the test of the old mask.
        expected = {planted.name for planted in types if planted.expected}
        assert expected - {"crds_flagged_dead"} == LIMITS.keys() | {"hot", "noisy", "telegraph"}
    seeds = [scenario.simulation_seed(seed) for scenario in SCENARIOS.values() for seed in SEEDS[scenario.population]]
    assert len(set(seeds)) == len(seeds) and min(seeds) > 1000
    assert not set(SEEDS["survey"]) & set(SEEDS["realistic"])


def test_scenarios_of_flight_can_be_simulated():
    for name in GROUPS["flight"]:
        scenario = SCENARIOS[name]
        parse_effects([*scenario.effects, *scenario.bad_dark])
        options = parse_arguments(["--out", "x", *scenario.simulation, "--effects", *scenario.effects])[1]
        assert options.effects.full_frame_time and FULL_FRAME_TIME in scenario.effects
        assert (options.population, options.instrument, options.readpatt) == (
            "realistic", scenario.instrument, scenario.readpatt,
        )  # fmt: skip
        # Hot pixels are planted, and their limit is, in DN/s.
        assert scenario.limits["hot"] == 2
    assert {SCENARIOS[name].instrument for name in GROUPS["flight"]} == set(INSTRUMENTS)


def test_two_seeds_unless_more_are_wanted():
    flight, full = SCENARIOS["nircam_shallow4"], SCENARIOS["full"]
    assert Plan([]).seeds_of(flight) == (42, 43) and Plan([], 5).seeds_of(flight) == (42, 43, 44, 45, 46)
    assert Plan([], 5).seeds_of(full) == (21,) and Plan([], 5, [7]).seeds_of(full) == (7,)
    plan = validation.parse_arguments(["--scenarios", "flight", "few", "--n-seeds", "3"])["plan"]
    assert plan.scenarios == [*GROUPS["flight"], "few"] and plan.n_seeds == 3
    assert validation.parse_arguments([])["plan"].scenarios == list(GROUPS["flight"])
    for number in ("0", "6"):
        with pytest.raises(SystemExit):
            validation.parse_arguments(["--n-seeds", number])


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
    runs, keys = validation.wanted_runs(SCENARIOS["few"], False)
    assert keys == {"official": {}, "flight": PRESET} and list(runs) == list(keys)
    runs, keys = validation.wanted_runs(SCENARIOS["few"], True)
    assert len(runs) == len(keys) == 2 + len(ABLATIONS)
    assert keys["without local plane"].keys() == PRESET.keys() - {"smoothing_type"}


def test_exposures_of_a_run(tmp_path):
    for kind, number in (("darks", 5), ("flats", 4)):
        (tmp_path / kind).mkdir()
        for index in range(1, number + 1):
            (tmp_path / kind / f"jw_{index:05d}_nis_uncal.fits").touch()
    scenario = replace(SCENARIOS["few"], exposures=4, numbers=(2,), bad_dark=("full_frame_time",))
    runs, _ = validation.wanted_runs(scenario, False)
    numbers = {}
    for label, run in runs.items():
        found = validation.exposures_of(tmp_path, run, 4)
        numbers[label] = [[int(name.split("_")[1]) for name in found[kind]] for kind in ("darks", "flats")]
    assert numbers == {
        "official": [[1, 2, 3, 4], [1, 2, 3, 4]],
        "flight": [[1, 2, 3, 4], [1, 2, 3, 4]],
        "flight, 2 + 2": [[1, 2], [1, 2]],
        "flight, one dark bad": [[1, 2, 3, 5], [1, 2, 3, 4]],
        "flight, without the bad dark": [[1, 2, 3], [1, 2, 3, 4]],
    }


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
    one = Validation(SCENARIOS["few"], (3, 4), tables, curves, (), {"wall": 600, "cpu": 120}, ("0a1b2c3",))
    write_page(page, [one])
    text = page.read_text(encoding="utf-8")
    assert (page.parent / "validation_few.png").read_bytes() == b"figure"
    assert "| all scenarios | healthy with DO_NOT_USE <= 5 per million | 3 of 38: " in text
    for words in (
        "Seeds 3, 4;",
        "10 minutes, 2 minutes of CPU. Version 0a1b2c3.",
        "## NIRISS, 5 + 5, 20 groups",
        "(validation_few.png)",
        "## Known limits",
    ):
        assert words in text
    assert "| dead | 0.2 | 2 |" in text
    assert "Effect of each option" not in text
    assert "## Summary" in text and "(seeds: 2) | flight | hot 0.000 | hot 0.000 | 3 of 38: " in text
    assert "Made by `python scripts/validation.py" in text and "For comparison: the rules" in text
    write_page(page, [one], without=tables)
    assert "## Effect of each option (NIRISS, 5 + 5, 20 groups, seeds 3, 4)" in page.read_text(encoding="utf-8")


def test_markdown_and_intervals():
    table = pd.DataFrame({"a": [1, None], "b": ["x", "y"]}).astype({"a": "Int64"})
    assert markdown(table).splitlines() == ["| a | b |", "| --- | --- |", "| 1 | x |", "|  | y |"]
    assert interval(0.5, 0.25, 0.75) == "0.500 [0.250, 0.750]"
    assert interval(float("nan"), 0, 1) == ""
