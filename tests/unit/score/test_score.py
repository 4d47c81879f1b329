"""The tables of the score, on a 7 x 8 detector worked by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from badpix.formats.truth_file import Truth
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.score.pixels import Findings, pool, score_run
from badpix.score.report_tables import flag_counts, score_tables, unknown_expectations
from badpix.score.tables import (
    accepted_types,
    border_table,
    completeness_table,
    confusion_table,
    dont_care_table,
    group_table,
    halo_table,
    healthy_table,
    intermittent_table,
    purity_table,
    unlit_table,
)

BITS = {"hot": 0, "DEAD": 1, "ADJ_OPEN": 2, "warm": 5}
HOT, DEAD, ADJ_OPEN, WARM = (1 << bit for bit in BITS.values())
TYPES = pd.DataFrame(
    {
        "CODE": [1, 2, 3], "NAME": ["dead", "hot", "intermittent_rc"], "EXPECTED": ["DEAD", "hot", ""],
        "STRONGER": [-1, 1, 1], "UNIT": ["response", "DN/s", "DN"],
    }
)  # fmt: skip
SHAPE = (7, 8)


def make_truth(**changes):
    codes = np.zeros(SHAPE, int)
    codes[:, 7] = -1  # reference pixels
    codes[0, :3] = 1  # three dead
    codes[1, 0] = 2  # one hot, with an open pixel's neighbourhood and a dead pixel beside it
    codes[1, 1] = 3  # two intermittent pixels
    codes[6, 6] = 3
    adjacent = np.zeros(SHAPE, bool)
    adjacent[1, :3:2] = True  # one of them is planted itself
    adjacent[3, :2] = True
    reached, dark = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    reached[0, 2:5] = True  # the first of them is planted, and stays so
    dark[4, :4] = True
    pixels = pd.DataFrame(
        {
            "y": [0, 0, 0, 1, 1, 6], "x": [0, 1, 2, 0, 1, 6],
            "type": ["dead"] * 3 + ["hot"] + ["intermittent_rc"] * 2,
            "strength": [0.1, 0.2, 0.3, 50, 7, 8], "bad_of_8": [8, 8, 8, 8, 2, 5],
            "group": ["block", "block", "block", "", "", "corner"],
        }
    )  # fmt: skip
    arguments = {"charge_reached": reached, "not_lit": dark, "pixels": pixels} | changes
    return Truth(arguments.pop("codes", codes), adjacent, TYPES, **arguments)


def make_findings(**changes):
    found = np.zeros(SHAPE, np.uint32)
    found[0, :2] = DEAD  # two of three dead pixels
    found[0, 3] = HOT  # a dont-care pixel
    found[1, 0] = WARM | ADJ_OPEN  # the hot pixel is called warm; it is next to an open one, too
    found[1, 1] = DEAD  # an intermittent pixel taken for dead
    found[1, 2] = HOT  # a neighbour of the open pixel taken for hot
    found[2, 2:4] = DEAD  # and two healthy ones called dead
    found[2, 7] = DEAD  # a reference pixel does not count
    found[3, :2] = ADJ_OPEN  # two of the three unplanted neighbours of the open pixel
    found[4, 3] = DEAD  # an unlit one called dead
    found[4, 4] = HOT  # a healthy one called hot
    dq = np.where(found != 0, PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["DEAD"], 0).astype(np.uint32)
    dq[4, 4] = PIXEL_FLAGS["HOT"]
    insufficient, intermittent = np.zeros(SHAPE, np.uint32), np.zeros(SHAPE, np.uint32)
    insufficient[0, 0] = WARM  # but it is classified, and found, in its own type
    insufficient[0, 2] = DEAD
    insufficient[4, :3] = DEAD | WARM
    intermittent[6, 6] = HOT
    arguments = {"found": found, "bits": BITS, "dq": dq, "insufficient": insufficient, "intermittent": intermittent}
    return Findings(**arguments | changes)


@pytest.fixture
def one():
    return score_run(make_truth(), make_findings())


def by(table, key):
    return table.set_index(key)


class TestCompleteness:
    def test_planted(self, one):
        table = by(completeness_table(one), "type")
        dead = table.loc["dead"]
        assert (dead.planted, dead.found, dead.found_any, dead.flagged, dead.do_not_use, dead.insufficient) == (
            3, 2, 2, 2, 2, 1,
        )  # fmt: skip
        assert dead.completeness == pytest.approx(2 / 3)
        # Wilson (1927) for 2 of 3 with z = 1.95996: centre (2 + z^2/2) / (3 + z^2), half width as below.
        z2 = 1.959964**2
        half = np.sqrt(z2 * (2 / 3 * 1 / 3 / 3 + z2 / 36)) / (1 + z2 / 3)
        assert (dead.low, dead.high) == pytest.approx([(2 + z2 / 2) / (3 + z2) - half, (2 + z2 / 2) / (3 + z2) + half])
        hot = table.loc["hot"]
        assert (hot.found, hot.completeness, hot.found_any) == (0, 0, 1)
        neighbours = table.loc["next to open"]
        assert (neighbours.planted, neighbours.expected, neighbours.found, neighbours.flagged) == (3, "ADJ_OPEN", 2, 3)

    def test_an_intermittent_pixel_has_no_expected_type(self, one):
        row = by(completeness_table(one), "type").loc["intermittent_rc"]
        assert (row.planted, row.expected, row.found_any, row.insufficient) == (2, "", 1, 0)
        assert np.isnan(row.completeness) and np.isnan(row.low)

    def test_accepted_under_another_name(self, one):
        row = by(completeness_table(one, accepted={"hot": {"warm", "hot"}}), "type").loc["hot"]
        assert (row.expected, row.found, row.completeness) == ("hot|warm", 1, 1)

    @pytest.mark.parametrize(("limits", "planted", "found"), [({"dead": 0.2}, 2, 2), ({"dead": 0.05}, 0, 0)])
    def test_limit_of_a_type_that_is_stronger_when_smaller(self, one, limits, planted, found):
        row = by(completeness_table(one, limits=limits), "type").loc["dead"]
        assert (row.strong_planted, row.strong_found, row.limit) == (planted, found, limits["dead"])
        assert np.isnan(row.strong_completeness) if planted == 0 else row.strong_completeness == 1

    def test_limit_of_a_type_that_is_stronger_when_larger(self, one):
        table = by(completeness_table(one, limits={"hot": 50.0}), "type")
        assert table.loc["hot", "strong_planted"] == 1
        assert pd.isna(table.loc["dead", "strong_planted"]) and pd.isna(table.loc["next to open", "limit"])
        assert by(completeness_table(one, limits={"hot": 50.1}), "type").loc["hot", "strong_planted"] == 0

    @pytest.mark.parametrize("argument", [{"limits": {"hott": 1.0}}, {"accepted": {"hott": {"hot"}}}])
    def test_unknown_planted_type(self, one, argument):
        with pytest.raises(ValueError, match=rf"{next(iter(argument))}: .*hott; the truth has dead, hot, interm"):
            completeness_table(one, **argument)


class TestPurity:
    def test_counts_and_types_of_the_false_pixels(self, one):
        table = by(purity_table(one), "detection")
        dead = table.loc["DEAD"]
        assert (dead.found, dead.planted_for, dead.purity, dead.false_healthy) == (6, 2, 2 / 6, 3)
        assert dead.false == "healthy 3, intermittent_rc 1"
        hot = table.loc["hot"]
        assert (hot.found, hot.planted_for, hot.purity, hot.dont_care) == (2, 0, 0, 1)
        assert sorted(hot.false.split(", ")) == ["healthy 1", "next to open 1"]
        # The planted pixel beside an open one is one of its neighbours, too.
        assert tuple(table.loc["ADJ_OPEN", ["found", "planted_for", "false"]]) == (3, 3, "")
        assert table.loc["warm", "false"] == "hot 1"

    def test_accepted_makes_it_pure(self, one):
        warm = by(purity_table(one, {"hot": {"warm"}}), "detection").loc["warm"]
        assert (warm.purity, warm.false) == (1, "") and 0 < warm.low < 1 and warm.high == 1

    def test_weak_pixels_are_right_in_a_further_accepted_type(self, one):
        limits = {"hot": 100}  # the planted pixel has 50 and is found as warm
        assert by(purity_table(one, limits=limits), "detection").loc["warm", "found"] == 0
        warm = by(purity_table(one, {"hot": {"hot", "warm"}}, limits), "detection").loc["warm"]
        assert (warm.found, warm.planted_for) == (1, 1)

    def test_nothing_found(self):
        empty = score_run(make_truth(), make_findings(found=np.zeros(SHAPE, np.uint32)))
        assert purity_table(empty)[["purity", "low", "high"]].isna().all(axis=None)


def test_confusion(one):
    table = by(confusion_table(one), "planted")
    expected = {
        "dead": [3, 0, 2, 0, 0, 1],
        "hot": [1, 0, 0, 1, 1, 0],  # one pixel in two columns
        "intermittent_rc": [2, 0, 1, 0, 0, 1],
        "next to open": [3, 1, 0, 2, 0, 0],
        "halo": [0, 0, 0, 0, 0, 0],
        "dont-care": [2, 1, 0, 0, 0, 1],
        "healthy": [38, 1, 3, 0, 0, 34],  # 49 science pixels, 6 planted, 3 next to an open one, 2 reached
    }
    assert list(table.columns) == ["pixels", "hot", "DEAD", "ADJ_OPEN", "warm", "none"]
    assert {name: list(row) for name, row in table.iterrows()} == expected


def test_healthy(one):
    table = by(healthy_table(one), "type")
    assert table["healthy"].unique() == [38]
    assert table["healthy_flagged"].to_dict() == {
        "hot": 1, "DEAD": 3, "ADJ_OPEN": 0, "warm": 0, "any type": 4, "any flag in the mask": 4,
        "DO_NOT_USE in the mask": 3,
    }  # fmt: skip
    assert table.loc["DEAD", "per_million"] == pytest.approx(3e6 / 38)
    assert table.loc["warm", "low"] == 0 and table.loc["warm", "high"] == pytest.approx(3.8415e6 / (38 + 3.8415), 1e-3)


def test_dont_care_and_unlit(one):
    assert dont_care_table(one).to_dict("records") == [{"pixels": 2, "found_any": 1, "flagged": 1, "do_not_use": 1}]
    assert by(unlit_table(one), "type").to_dict("index") == {
        "DEAD": {"unlit": 4, "found": 1, "insufficient": 3},
        "ADJ_OPEN": {"unlit": 4, "found": 0, "insufficient": 0},
        "any flat type": {"unlit": 4, "found": 1, "insufficient": 3},
    }


class TestIntermittent:
    def test_by_number_of_bad_exposures(self, one):
        table = by(intermittent_table(one), ["type", "bad_in"])
        assert table.index.tolist() == [
            ("intermittent_rc", 2), ("intermittent_rc", 5), ("(all)", 2), ("(all)", 5),
        ]  # fmt: skip
        assert table.loc[("intermittent_rc", 2)].to_dict() == {
            "planted": 1, "permanent": 1, "intermittent": 0, "insufficient": 0,
        }  # fmt: skip
        assert table.loc[("(all)", 5)].to_dict() == {
            "planted": 1, "permanent": 0, "intermittent": 1, "insufficient": 0,
        }  # fmt: skip

    def test_a_run_that_does_not_list_them(self):
        table = intermittent_table(score_run(make_truth(), make_findings(intermittent=None)))
        assert table["intermittent"].isna().all() and table["permanent"].sum() == 2


class TestPlace:
    def test_groups(self, one):
        table = by(group_table(one), "group")
        block = table.loc["block"]
        assert (block.planted, block.expected, block.found, block.completeness) == (3, 3, 2, pytest.approx(2 / 3))
        # Rows 0 to 2, columns 0 to 4, without 5 planted, (1, 2) next to an open pixel and 2 reached: 7 pixels.
        assert (block.ring, block.ring_found, block.ring_flagged, block.ring_share) == (7, 2, 2, 2 / 7)
        alone = table.loc["(alone)"]
        assert (alone.planted, alone.expected, alone.found) == (2, 1, 0)
        corner = table.loc["corner"]  # rows and columns 4 to 6 without the pixel itself
        assert (corner.ring, corner.ring_flagged) == (8, 1)
        assert np.isnan(corner.completeness)

    def test_border_band(self):
        codes = np.zeros((11, 13), int)
        codes[:, :2] = codes[:, -2:] = -1  # science columns 2 to 10: only (4..6, 6) is 4 pixels from every edge
        dq = np.zeros(codes.shape, np.uint32)
        dq[5, 6] = dq[3, 6] = dq[4, 0] = 1
        none = np.zeros(codes.shape, bool)
        one = score_run(Truth(codes, none, TYPES), Findings(0 * dq, BITS, dq))
        table = by(border_table(one), "band")
        assert table["healthy"].to_dict() == {"border": 96, "middle": 3}
        assert table["flagged"].to_dict() == {"border": 1, "middle": 1}
        assert table.loc["middle", "per_million"] == pytest.approx(1e6 / 3)


def test_nothing_planted():
    """Without planted pixels there are still healthy ones."""
    nothing = np.zeros(SHAPE, int)
    tables = score_tables({"": score_run(Truth(nothing, nothing, TYPES), make_findings(intermittent=None))})
    assert tables["completeness"]["planted"].tolist() == [0, 0, 0, 0] and tables["pixels"].empty
    assert tables["healthy"]["healthy"].unique() == [56]
    assert tables["groups"].empty and tables["intermittent"].empty


class TestOlderFiles:
    """A truth without don't-care and unlit pixels and table PIXELS; a run without darks."""

    def test_defaults(self):
        truth = Truth(make_truth().codes, np.zeros(SHAPE, bool), TYPES[["CODE", "NAME", "EXPECTED"]])
        assert truth.healthy.sum() == 49 - 6 and not truth.dont_care.any()
        assert truth.types[["STRONGER", "UNIT"]].drop_duplicates().values.tolist() == [[1, ""]]
        assert truth.pixels["strength"].isna().all()
        assert set(truth.pixels["bad_of_8"]) == {8} and set(truth.pixels["group"]) == {""}
        tables = score_tables({"": score_run(truth, make_findings(insufficient=None, intermittent=None))})
        assert tables["curves"].empty and tables["thresholds"].empty

    def test_detection_type_that_was_not_run(self):
        """Nothing found, no purity, no error."""
        only_dead = make_findings().found & np.uint32(DEAD)
        one = score_run(make_truth(), Findings(only_dead, {"DEAD": 1}, make_findings().dq))
        table = by(completeness_table(one), "type")
        assert (table.loc["hot", "found"], table.loc["next to open", "found"]) == (0, 0)
        assert purity_table(one)["detection"].tolist() == ["DEAD"]
        assert unknown_expectations(one) == ["hot"]


class TestErrors:
    def test_shapes_of_truth_and_run(self):
        small = Findings(np.zeros((4, 5), np.uint32), BITS, np.zeros((4, 5), np.uint32))
        with pytest.raises(ValueError, match=r"different shapes: truth TRUTH \(7, 8\), evidence FOUND \(4, 5\), mask"):
            score_run(make_truth(), small)

    def test_shapes_within_a_truth_and_within_a_run(self):
        with pytest.raises(ValueError, match="different shapes.*truth UNLIT"):
            make_truth(not_lit=np.zeros((2, 2), bool))
        with pytest.raises(ValueError, match="different shapes.*evidence INTERMITTENT"):
            make_findings(intermittent=np.zeros((2, 2), np.uint32))

    def test_bits_without_a_type(self):
        with pytest.raises(ValueError, match=r"evidence FOUND has bits \[5\] that table TYPES does not name"):
            make_findings(bits={"hot": 0, "DEAD": 1, "ADJ_OPEN": 2})
        with pytest.raises(ValueError, match="names no detection type"):
            make_findings(bits={})

    def test_pixels_that_contradict_the_image(self):
        pixels = make_truth().pixels
        for wrong in (pixels[1:], pixels.assign(type="hot"), pd.concat([pixels, pixels[:1]])):
            with pytest.raises(ValueError, match="table PIXELS and image TRUTH disagree"):
                make_truth(pixels=wrong)

    def test_detection_type_that_no_run_has(self, one):
        with pytest.raises(ValueError, match="accepted for hot: no run has the detection type warmish; the runs have"):
            score_tables({"a": one}, accepted={"hot": {"warmish"}})


class TestSeveralRuns:
    def test_tables_name_the_run(self, one):
        other = score_run(make_truth(), Findings(0 * make_findings().dq, {"DEAD": 1, "rc": 3}, make_findings().dq))
        tables = score_tables({"first": one, "second": other}, limits={"dead": 0.2})
        assert all(list(table["run"].unique()) == ["first", "second"] for table in tables.values())
        assert all(table.columns[0] == "run" for table in tables.values())
        confusion = by(tables["confusion"], ["run", "planted"])
        assert confusion.loc[("second", "dead"), "none"] == 3 and pd.isna(confusion.loc[("second", "dead"), "hot"])
        assert confusion["hot"].dtype == "Int64"  # no fractions of pixels in the file
        assert tables["pixels"].query("run == 'first'")["found"].sum() == 2

    def test_pool_of_different_detection_types(self, one):
        other = score_run(make_truth(), Findings(0 * make_findings().dq, {"DEAD": 1}, make_findings().dq))
        with pytest.raises(ValueError, match="have different detection types"):
            pool([one, other])

    def test_pool_of_different_planted_types(self, one):
        turned = Truth(make_truth().codes, np.zeros(SHAPE, bool), TYPES.assign(STRONGER=1))
        with pytest.raises(ValueError, match=r"disagree in EXPECTED, STRONGER or UNIT of the planted types \['dead'\]"):
            pool([one, score_run(turned, make_findings())])

    def test_pool_where_only_some_list_intermittent_pixels(self, one):
        with pytest.raises(ValueError, match="INTERMITTENT"):
            pool([one, score_run(make_truth(), make_findings(intermittent=None))])

    def test_nothing_to_pool(self):
        with pytest.raises(ValueError, match="nothing to pool"):
            pool([])

    def test_codes_may_differ_between_truths(self, one):
        codes = make_truth().codes
        swapped = np.select([codes == 1, codes == 2], [2, 1], codes)
        types = TYPES.assign(CODE=[2, 1, 3])
        other = Truth(swapped, make_truth().adjacent_to_open, types, pixels=make_truth().pixels)
        table = by(completeness_table(pool([one, score_run(other, make_findings())])), "type")
        assert (table.loc["dead", "planted"], table.loc["dead", "found"]) == (6, 4)


codes_images = hnp.arrays(int, (9, 9), elements=st.integers(-1, 3))
found_images = hnp.arrays(np.uint32, (9, 9), elements=st.integers(0, 7))
flag_images = hnp.arrays(np.uint32, (9, 9), elements=st.integers(0, 3))
masks = hnp.arrays(bool, (9, 9))
signals = hnp.arrays(np.float32, (9, 9), elements=st.sampled_from([0.0, 0.5, 2.0]))


@st.composite
def scores(draw):
    truth = Truth(draw(codes_images), draw(masks), TYPES, draw(masks), draw(masks), coupled=draw(signals))
    insufficient, intermittent = draw(found_images), draw(found_images)
    return score_run(truth, Findings(draw(found_images), BITS, draw(flag_images), insufficient, intermittent))


@settings(max_examples=10, deadline=None)
@given(scores(), scores())
def test_any_score_is_consistent_and_pools_by_adding(first, second):
    both = pool([first, second])
    tables = [score_tables({"": one}) for one in (first, second, both)]
    counts = {
        "completeness": (["type"], ["planted", "found", "found_any", "flagged", "do_not_use", "insufficient"]),
        "purity": (["detection"], ["found", "planted_for", "dont_care", "false_healthy"]),
        "confusion": (["planted"], ["pixels", *BITS, "none"]),
        "healthy": (["type"], ["healthy_flagged", "healthy"]),
        "unlit": (["type"], ["unlit", "found", "insufficient"]),
        "halos": (["area"], ["pixels", "attributed", "other_type", "do_not_use"]),
        "border": (["band"], ["healthy", "found_any", "flagged"]),
    }
    for name, (keys, columns) in counts.items():
        one, other, pooled = (by(parts[name], keys)[columns] for parts in tables)
        assert (one + other).equals(pooled), name
    for name, share in (("completeness", "completeness"), ("purity", "purity")):
        table = tables[2][name].dropna(subset=share)
        assert ((table["low"] <= table[share]) & (table[share] <= table["high"])).all()
        assert table[["low", "high"]].stack().between(0, 1).all()
    confusion = by(tables[2]["confusion"], "planted")
    science = sum(
        one.areas.loc[["healthy", "next to open", "halo", "dont-care"], "pixels"].sum() for one in (first, second)
    )
    assert confusion["pixels"].sum() == science + len(both.pixels)


def test_halos_are_attributed_or_found_as_another_type():
    """Five pixels in halos, four of them strong: two attributed, one of them hot too, one hot, two without a type."""
    bits, signal, found = BITS | {"ipc_neighbor": 6}, np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.uint32)
    signal[5, :5], signal[0, 0] = (500, 200, 100, 100, 90), 300  # the last one is at a planted pixel
    found[5, :3], found[0, :2], found[4, 6] = (1 << 6, 1 << 6 | HOT, HOT), 1 << 6, 1 << 6
    truth = make_truth(coupled=signal)
    score = score_run(truth, make_findings(found=found, bits=bits, dq=np.zeros(SHAPE, np.uint32)))
    table = by(halo_table(score), "area")
    columns = ["pixels", "attributed", "other_type", "share", "of_all"]
    assert list(table.loc["halo", columns]) == [5, 1, 2, 1 / 3, 0.2]
    assert list(table.loc["strong halo", columns]) == [4, 1, 2, 1 / 3, 0.25]
    # Right are the pixels in halos, also the planted one; wrong are the planted pixel without one, and the healthy one.
    row = by(purity_table(score), "detection").loc["ipc_neighbor"]
    assert (row.planted_for, row.found, row.false_healthy) == (3, 5, 1)
    assert by(purity_table(score), "detection").loc["hot", "false"] == "halo 2"
    assert truth.healthy.sum() == make_truth().healthy.sum() - 5


def test_expected_comes_first(one):
    assert accepted_types(one.types, {"hot": ["warm", "DEAD", "hot"]})["hot"] == ("hot", "DEAD", "warm")


def test_flag_counts_with_the_highest_bit():
    dq = np.array([[PIXEL_FLAGS["REFERENCE_PIXEL"], PIXEL_FLAGS["DEAD"]]], np.uint32)
    assert flag_counts(dq).to_dict("list") == {"flag": ["DEAD", "REFERENCE_PIXEL"], "pixels": [1, 1]}
