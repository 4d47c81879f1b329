"""Stability of flags in leave-one-out votes, and the further exposures that unclassified pixels need."""

import numpy as np
import pandas as pd
import pytest

from badpix.formats.leave_one_out_file import read_votes, write_votes
from badpix.formats.provenance import Provenance
from badpix.formats.type_result import TypeResult
from badpix.reliability.leave_one_out import LeaveOneOut, Stability, changed_pixels, decided_types
from badpix.reliability.stability import (
    FALSE,
    Shortage,
    more_needed,
    settle_rows,
    stability_image,
    stability_rows,
    table_of,
)


def images(**found):
    return {name: np.array(image, bool) for name, image in found.items()}


def votes():
    leave_one_out = LeaveOneOut(images(hot=[[1, 1, 0], [0, 0, 0]], rc=[[0, 1, 0], [0, 0, 0]]))
    leave_one_out.add("a", images(hot=[[1, 1, 0], [0, 0, 1]], rc=[[0, 1, 0], [0, 0, 0]]))
    leave_one_out.add("b", images(hot=[[1, 0, 0], [0, 0, 0]], rc=[[0, 1, 0], [0, 0, 0]]))
    leave_one_out.add("c", images(hot=[[1, 0, 0], [0, 0, 0]]))
    leave_one_out.add("d", images(hot=[[1, 1, 0], [0, 0, 1]], rc=[[0, 0, 0], [0, 0, 0]]))
    return leave_one_out


def rows_of(leave_one_out):
    return stability_rows("darks", leave_one_out.pixels("darks"), leave_one_out.types("darks"))


def test_the_number_of_votes_in_which_a_pixel_keeps_its_types():
    pixels = votes().pixels("darks").set_index(["type", "y", "x"])
    assert pixels["kept"].to_dict() == {("hot", 0, 0): 4, ("hot", 0, 1): 2, ("rc", 0, 1): 2}
    assert set(pixels["votes"]) == {4} and pixels.loc[("hot", 0, 1), "stability"].item() == 0.5


def test_the_number_of_pixels_that_each_exposure_changes():
    # Changes in numbers of pixels: without a hot +1; b hot -1; c hot and rc -1 (the same pixel); d hot +1, rc -1.
    assert votes().n_changed == {"a": 1, "b": 1, "c": 1, "d": 2}


def test_a_type_that_cannot_be_decided_without_an_exposure_has_no_vote():
    leave_one_out = LeaveOneOut(images(hot=[[1, 1, 0]], noisy=[[0, 1, 1]]))
    leave_one_out.add("a", images(hot=[[1, 0, 0]], noisy=[[0, 0, 0]]), {"noisy"})
    leave_one_out.add("b", images(hot=[[1, 1, 0]], noisy=[[0, 1, 0]]))
    assert leave_one_out.n_changed == {"a": 1, "b": 1}, "the noisy pixels are no change without a"
    pixels = leave_one_out.pixels("darks").set_index(["type", "x"])
    assert pixels["votes"].to_dict() == {("hot", 0): 2, ("hot", 1): 2, ("noisy", 1): 1, ("noisy", 2): 1}
    assert pixels["stability"].to_dict() == {("hot", 0): 1, ("hot", 1): 0.5, ("noisy", 1): 1, ("noisy", 2): 0}
    assert dict(leave_one_out.types("darks")[["type", "votes"]].values) == {"hot": 2, "noisy": 1}
    assert leave_one_out.exposures("darks")["undecided"].tolist() == ["noisy", ""]
    assert leave_one_out.blind() == {"noisy": "a"}
    leave_one_out.add("c", images(hot=[[1, 1, 0]], noisy=[[0, 1, 0]]), {"noisy", "hot"})
    assert leave_one_out.blind() == {"noisy": "a, c", "hot": "c"}


def test_a_type_without_any_vote_has_no_stability():
    leave_one_out = LeaveOneOut(images(noisy=[[0, 1, 1]]))
    for name in "ab":
        leave_one_out.add(name, images(noisy=[[0, 0, 0]]), {"noisy"})
    assert leave_one_out.n_changed == {"a": 0, "b": 0}
    assert leave_one_out.blind() == {"noisy": "any one of the 2 exposures"}
    assert leave_one_out.pixels("darks")["stability"].isna().all() and rows_of(leave_one_out) == []
    assert np.isnan(stability_image(leave_one_out.pixels("darks"), (1, 3))).all()


@pytest.mark.parametrize(("n_insufficient", "decided"), [(0, True), (6, True), (7, False), (12, False)])
def test_a_type_is_decided_if_half_of_the_pixels_can_be_classified(n_insufficient, decided):
    insufficient, science = np.ones((4, 4), bool), np.ones((4, 4), bool)
    science[0] = False  # reference pixels
    insufficient[1:] = (np.arange(12) < n_insufficient).reshape(3, 4)
    assert ("noisy" in decided_types({"noisy": TypeResult(~science, insufficient)}, science)) == decided


def test_the_file_keeps_the_tables(tmp_path):
    tables = Stability.of({"darks": votes(), "flats": LeaveOneOut(images(DEAD=[[0, 0, 0], [0, 0, 1]]))})
    write_votes(tmp_path / "s.fits", tables.pixels, tables.types, Provenance())
    pixels, types = read_votes(tmp_path / "s.fits")
    pd.testing.assert_frame_equal(pixels, tables.pixels, check_dtype=False)
    pd.testing.assert_frame_equal(types, tables.types, check_dtype=False)
    write_votes(tmp_path / "s.fits", *(getattr(Stability.of({}), name) for name in ("pixels", "types")), Provenance())
    assert [len(table) for table in read_votes(tmp_path / "s.fits")] == [0, 0]


def test_the_image_has_the_lowest_stability_of_a_pixel():
    leave_one_out = votes()
    leave_one_out.add("e", images(hot=[[1, 1, 0], [0, 0, 0]], rc=[[0, 0, 0], [0, 0, 0]]))
    image = stability_image(leave_one_out.pixels("darks"), (2, 3))
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, [[1, 0.4, np.nan], [np.nan] * 3])


def test_the_summary_by_type():
    table = table_of(rows_of(votes())).set_index(["type", "quantity"])["value"]
    assert table["hot"].to_dict() == {
        "pixels": 2, "mean": 0.75, "firm": 0.5, "in_half": 0.5, "lowest": 0.5, "gained_per_vote": 0.5,
    }  # fmt: skip
    assert table["rc"]["firm"] == 0


def test_a_single_exposure_gives_no_stability():
    alone = LeaveOneOut(images(hot=[[1, 0, 0], [0, 0, 0]]))
    assert rows_of(alone) == []
    assert alone.pixels("darks")["stability"].isna().all()


def test_how_many_more():
    # With 1 slope in 4 exposures, 16 more give 5 slopes; with 3 slopes 2.67 more, with 4 slopes 1; with none infinite.
    assert more_needed([1, 3, 4, 0], 5, 4).tolist() == [16, 3, 1, np.inf]
    rows = table_of(settle_rows("darks", "noisy", Shortage(np.array([1, 3, 4, 4, 0]), 5, "jump-free slopes"), 4))
    assert rows.set_index("quantity")["value"].to_dict() == {
        "insufficient": 5, "unresolvable": 1, "more_for_50": 1, "more_for_90": 16, "more_for_99": 16,
    }  # fmt: skip
    rows = table_of(settle_rows("darks", "rc", Shortage(np.array([0, 0]), 1, "valid votes"), 4))
    assert list(rows["quantity"]) == ["insufficient", "unresolvable"]


def test_the_rate_so_far_holds_on_average():
    """With slopes free of jumps at a probability of 0.3, the predicted exposures classify half of the pixels."""
    random = np.random.default_rng(5)
    first = random.binomial(8, 0.3, 20_000)
    waiting = first[(first < 5) & (first > 0)]
    more = int(np.median(more_needed(waiting, 5, 8)))
    then = waiting + random.binomial(more, 0.3, len(waiting))
    assert 0.5 < np.mean(then >= 5) < 0.85


def test_a_table_has_numbers():
    table = table_of([(FALSE, "darks", "hot", "found", 3, "pixels")])
    assert list(table.columns) == ["section", "kind", "type", "quantity", "value", "note"]
    assert table["value"].dtype == float


def test_changed_pixels_by_hand():
    found = {"hot": np.array([[True, False, True]]), "rc": np.array([[False, False, True]])}
    without = {"hot": np.array([[True, True, False]]), "rc": np.array([[False, False, True]])}
    assert changed_pixels(found, without) == 2
    assert changed_pixels(found, found) == 0
    assert changed_pixels(found, {"hot": found["hot"]}) == 1, "a missing type has no pixels"
