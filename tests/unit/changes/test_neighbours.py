"""New pixels by their direct neighbours, by hand and on two real lists of bad pixels."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

import compare_masks
from badpix.changes.compare import NEW, change_counts, changed_pixels, compare
from badpix.changes.text import short_lines
from badpix.instrument.dq import PIXEL_FLAGS

LISTS = Path(__file__).parents[2] / "data" / "grizli_lists"
HOT, WARM, REFERENCE = (np.uint32(PIXEL_FLAGS[name]) for name in ("HOT", "WARM", "REFERENCE_PIXEL"))
# o was bad before (and is), n is new, r recovered, R a reference pixel, c a good pixel with four new neighbours.
PICTURE = (
    "RRRRRRRR",
    "R.n..no.",
    "Rncn..n.",
    "R.n.....",
    "Rn..nn.r",
    "R......n",
    "R.n.....",
    "R.n...n.",
)


@pytest.fixture
def changes():
    picture = np.array([list(row) for row in PICTURE])
    reference = np.where(picture == "R", REFERENCE, np.uint32(0))
    before = np.where(np.isin(picture, ["o", "r"]), HOT, np.uint32(0)) | reference
    after = np.where(picture == "o", HOT, np.uint32(0)) | np.where(picture == "n", WARM, np.uint32(0)) | reference
    return compare(before, after)


def test_neighbours_by_hand(changes):
    pixels = changed_pixels(changes).set_index(["x", "y"])
    new = pixels[pixels["change"] == "new"]
    near = {name: set(new.index[new["near"] == name]) for name in ("known", "unlisted", "new", "isolated")}
    assert near == {
        "known": {(5, 1), (6, 2), (7, 5)},
        "unlisted": {(2, 1), (1, 2), (3, 2), (2, 3)},
        "new": {(4, 4), (5, 4), (2, 6), (2, 7)},
        "isolated": {(1, 4), (6, 7)},
    }
    columns = ["bad_neighbours_before", "bad_neighbours_after", "unlisted_neighbours"]
    assert new.loc[(7, 5), columns].tolist() == [1, 0, 0], "the pixel beside it has recovered"
    assert new.loc[(2, 1), columns].tolist() == [0, 0, 1]
    assert (pixels.loc[pixels["change"] != "new", "near"] == "").all()


def test_counts_of_new_pixels_by_hand(changes):
    counts = change_counts(changes)["new_pixels"]
    near = {"known": 3, "unlisted": 4, "new": 4, "isolated": 2}
    assert counts == {
        "near": near, "beside_bad": 7, "unlisted_centres": 1, "unlisted_neighbours": 4, "around_unlisted": 4,
        "flags": [{"flag": "WARM", "new": 13, "near": near}],
    }  # fmt: skip


def test_a_reference_pixel_is_no_bad_neighbour_and_no_centre():
    dq = np.full((5, 5), REFERENCE)
    dq[1:4, 1:4] = 0
    after = dq.copy()
    after[[1, 2, 2, 3], [2, 1, 3, 2]] |= HOT
    assert change_counts(compare(dq, after))["new_pixels"]["unlisted_centres"] == 1
    dq[2, 2], after[2, 2] = REFERENCE, REFERENCE
    counts = change_counts(compare(dq, after))["new_pixels"]
    assert (counts["unlisted_centres"], counts["near"]["isolated"]) == (0, 4)


def test_two_real_lists_eight_months_apart(tmp_path):
    """18,790 new pixels, of which 2,608 surround 652 pixels that neither list has (two are counted twice)."""
    before, after = sorted(LISTS.glob("*.fits.gz"))
    out = {key: tmp_path / name for key, name in compare_masks.NAMES.items()}
    summary = compare_masks.main(before, after, out, lists=True)
    new = summary["new_pixels"]
    assert (summary["new"], summary["recovered"], summary["reclassified"]) == (18790, 0, 0)
    assert (new["unlisted_centres"], new["unlisted_neighbours"], new["around_unlisted"]) == (652, 2608, 2606)
    # Counted once more, in another way, on the images.
    images = [np.pad(fits.getdata(path) != 0, 1) for path in (before, after)]
    is_new = images[1] & ~images[0]
    shifts = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    beside = {name: sum(np.roll(image, shift, (0, 1)) for shift in shifts)
              for name, image in (("before", images[0]), ("new", is_new))}  # fmt: skip
    assert new["near"]["known"] == int((is_new & (beside["before"] > 0)).sum()) == 91
    assert new["beside_bad"] == int((is_new & (beside["before"] + beside["new"] > 0)).sum()) == 1804
    pixels = pd.read_csv(out["pixels"], keep_default_na=False)
    assert pixels["near"].value_counts().to_dict() == new["near"]
    assert pixels["unlisted_neighbours"].sum() == 2608
    notes = json.loads(out["summary"].read_text())["notes"]
    assert notes[0].endswith("its 68375 pixels that are not 0 are read as OTHER_BAD_PIXEL")
    assert any("652 pixels are good in both masks" in line and "2608" in line for line in short_lines(summary))


def test_pixels_outside_the_compared_array_are_in_no_count():
    before, after = np.zeros((4, 6), np.uint32), np.full((4, 6), HOT)
    compared = np.zeros((4, 6), bool)
    compared[:, 4:] = True
    before[~compared] = after[~compared]
    changes = compare(before, after, compared)
    counts = change_counts(changes)
    assert (counts["science_pixels"], counts["new"], counts["bad_after"]) == (8, 8, 8)
    assert set(changed_pixels(changes)["x"]) == {4, 5}, "positions in the array of the mask after"
    assert (changes.kind == NEW).sum() == 8
