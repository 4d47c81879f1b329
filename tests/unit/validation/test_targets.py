"""The targets and the table of exposures needed, on the hand-made detector of the score's tests."""

import numpy as np
import pandas as pd
import pytest

from badpix.instrument.dq import PIXEL_FLAGS
from badpix.score.pixels import score_run
from badpix.validation.depth import BEGIN, END, completeness_by_depth, needed_rows, pooled_depths, replace_block
from badpix.validation.plan import FLIGHT, WITH_BAD_DARK, WITHOUT_BAD_DARK
from badpix.validation.targets import check_targets, missed_lines, shares_by_type, target_rows
from unit.score.test_score import DEAD, SHAPE, WARM, make_findings, make_truth

ACCEPTED = {"hot": {"hot", "warm"}}
LIMITS = {"dead": 0.3, "hot": 40}


def score(truth=None, **changes):
    return score_run(truth or make_truth(), make_findings(**changes))


def results(flight, **others):
    return {one.target.split(" >=")[0].split(" <=")[0]: one for one in check_targets(
        {FLIGHT: flight, **others}, ACCEPTED, LIMITS)}  # fmt: skip


def perfect(**changes):
    """Findings in which each planted pixel is found in its own type, and nothing else."""
    found = np.zeros(SHAPE, np.uint32)
    found[0, :3], found[1, 0] = DEAD, WARM
    dq = np.where(found != 0, PIXEL_FLAGS["DO_NOT_USE"], 0).astype(np.uint32)
    nothing = np.zeros(SHAPE, np.uint32)
    return {"found": found, "dq": dq, "insufficient": nothing, "intermittent": nothing} | changes


def test_all_targets_are_met():
    found = results(score(**perfect()))
    assert all(one.met for one in found.values()) and all(not one.reason for one in found.values())
    assert found["completeness of each type"].measured == "dead 1.000"
    assert missed_lines([("a", list(found.values()))]) == "All targets are met."


def test_missed_pixels_are_explained():
    found = results(score())
    one = found["completeness of each type"]
    assert not one.met and one.measured == "dead 0.667"
    assert one.reason == "dead 2 of 3: 1 not classified (median strength 0.3, of all 0.2)"
    assert found["completeness in each kind of cluster"].reason == "block 2 of 3"
    assert "hot: 2 of 2 are" in found["purity of each type"].reason
    # Of the healthy ones, two called dead and the unlit one have DO_NOT_USE.
    assert found["healthy with DO_NOT_USE"].reason == "3 as DEAD, 1 as hot"
    assert found["healthy with DO_NOT_USE"].measured == "3 of 38"
    rows = target_rows([("a", list(found.values()))])
    assert set(rows[""]) == {"met", "**missed**"}
    assert missed_lines([("a", list(found.values()))]).startswith("* a: completeness of each type >= 0.98. dead 2 of 3")


def test_missed_pixels_found_as_another_type_or_listed():
    changed = perfect()
    changed["found"] = changed["found"].copy()
    changed["found"][0, 0], changed["found"][0, 1] = WARM, 0
    changed["intermittent"] = np.zeros(SHAPE, np.uint32)
    changed["intermittent"][0, 1] = DEAD
    reason = results(score(**changed))["completeness of each type"].reason
    assert reason.startswith("dead 1 of 3: 1 found as warm, 1 listed as intermittent")


def test_pixels_without_light_count_apart():
    # Nothing can be said of the dark parts, and nothing is: 4 pixels. Of the others three are not classified.
    insufficient = np.zeros(SHAPE, np.uint32)
    insufficient[4, :4] = DEAD
    met = results(score(**perfect(insufficient=insufficient)))
    assert met["lit area classified"].measured == "1.000" and met["INSUFFICIENT"].met
    assert met["no bad pixels by flats where no light falls"].measured == "0 of 4"
    insufficient[5, :3] = DEAD
    missed = results(score(**perfect(insufficient=insufficient)))
    assert missed["lit area classified"].reason == "3 of 34 pixels with light are INSUFFICIENT"
    assert missed["INSUFFICIENT"].reason == "DEAD 0.088"
    called = perfect()["found"].copy()
    called[4, 0] = DEAD
    reason = results(score(**perfect(found=called)))["no bad pixels by flats where no light falls"].reason
    assert reason == "1 DEAD"
    # A dead pixel in the dark need not be found.
    dark = np.zeros(SHAPE, bool)
    dark[0, :3] = True
    truth = make_truth(not_lit=dark)
    nothing = perfect()["found"].copy()
    nothing[0, :3] = 0
    assert results(score(truth, **perfect(found=nothing)))["completeness of each type"].met


def test_halos_are_attributed():
    # A strong halo in two pixels, a weak one in a third.
    coupled = np.zeros(SHAPE)
    coupled[5, 1:4] = 300, 100, 50
    bits = {"hot": 0, "DEAD": 1, "ADJ_OPEN": 2, "warm": 5, "ipc_neighbor": 6}
    truth, found = make_truth(coupled=coupled), perfect(bits=bits)
    assert "strong halos attributed" not in results(score(**perfect(bits=bits)))
    found["found"][5, 1:3] = 1 << 6
    one = results(score(truth, **found))["strong halos attributed"]
    assert one.met and one.measured == "2 of 2: 1.000"
    found["found"][5, 2] |= WARM
    one = results(score(truth, **found))["strong halos attributed"]
    assert not one.met and one.reason == "1 found as warm"
    found["found"][5, 2] = 0
    assert results(score(truth, **found))["strong halos attributed"].reason == "1 not found"


def test_types_of_effects_have_no_target():
    found = check_targets({FLIGHT: score()}, ACCEPTED, {"dead": 0.3})
    (one,) = [result for result in found if result.target == "found, without a target"]
    assert one.measured == "hot 1 of 1, 1 flagged" and one.met
    assert "found, without a target" not in results(score())


def test_types_without_enough_exposures_need_not_be_classified():
    # DEAD misses its completeness, so its exposures do not suffice; warm has its target.
    insufficient = np.zeros(SHAPE, np.uint32)
    insufficient[5, :3] = DEAD
    found = perfect()["found"].copy()
    found[0, 0] = 0
    assert results(score(**perfect(found=found, insufficient=insufficient)))["INSUFFICIENT"].met
    insufficient[5, :3] = WARM
    assert not results(score(**perfect(found=found, insufficient=insufficient)))["INSUFFICIENT"].met


def test_clusters_are_left_out_of_the_depths():
    shares = shares_by_type(score(), ACCEPTED, LIMITS, alone=True)
    assert shares["planted"].to_dict() == {"hot": 1}, "the dead pixels are a block"
    assert shares_by_type(score(), ACCEPTED, LIMITS)["planted"].to_dict() == {"dead": 3, "hot": 1}


def test_a_bad_dark_costs_nothing():
    good = score(**perfect())
    runs = {WITHOUT_BAD_DARK: good}
    name = "a bad dark among the good ones costs nothing"
    assert results(good, **runs, **{WITH_BAD_DARK: good})[name].measured == "nothing"
    worse = perfect()
    worse["found"], worse["dq"] = worse["found"].copy(), worse["dq"].copy()
    worse["found"][0, 0], worse["dq"][5, 5] = 0, PIXEL_FLAGS["DO_NOT_USE"]
    one = results(good, **runs, **{WITH_BAD_DARK: score(**worse)})[name]
    assert one.reason == "1 dead fewer, 1 more healthy pixels with DO_NOT_USE" and not one.met
    assert results(score(**worse), **{WITHOUT_BAD_DARK: score(**worse), WITH_BAD_DARK: good})[name].met


# ---------------------------------------------------------------- exposures needed


@pytest.fixture
def depths():
    def rows(depth, shares):
        return pd.DataFrame(
            [
                {"type": name, "planted": 50, "found": 0, "share": share, "depth": depth, "number": number}
                for name, of_type in shares.items()
                for number, share in zip((4, 6, 8), of_type, strict=True)
            ]
        )

    short = rows("10 groups", {"hot": [1, 0.99, 1], "noisy": [0.5, 0.8, 0.91]})
    return pooled_depths([short, pd.DataFrame(), rows("20 groups", {"hot": [1, 0.9, 1], "noisy": [0.5, 0.98, 0.99]})])


def test_smallest_number_from_which_on_all_suffice(depths):
    rows = needed_rows(depths).set_index("type")
    assert rows.loc["hot"].tolist() == ["4", "8"], "6 exposures of 20 groups do not suffice, so 4 do not"
    assert rows.loc["noisy"].tolist() == ["> 8 (0.910)", "6"]
    wide = completeness_by_depth(depths).set_index("planted")
    assert wide.loc["noisy (50)", "20 groups: 6 + 6"] == "0.980"
    assert pooled_depths([pd.DataFrame()]).empty


def test_the_table_is_put_between_its_lines(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    replace_block(page, "new")
    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    page.write_text("before\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no lines .*exposures needed"):
        replace_block(page, "new")
