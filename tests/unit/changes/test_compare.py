"""Changes between two masks, on arrays of a few pixels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from stdatamodels.jwst import datamodels

import compare_masks
from badpix.changes.compare import KINDS, change_counts, change_matrix, changed_pixels, compare, flag_changes
from badpix.changes.files import MaskImage, MaskMismatch, align, labels, read_image
from badpix.changes.plot import MAX_TYPES, REST, legible
from badpix.instrument.dq import PIXEL_FLAGS, bits, flag_text, flag_texts

BEFORE = [["HOT"], [], ["HOT"], ["HOT", "DO_NOT_USE"], [], ["REFERENCE_PIXEL"], ["REFERENCE_PIXEL"], ["DEAD"]]
AFTER = [
    ["HOT"],
    ["DEAD", "DO_NOT_USE"],
    [],
    ["HOT", "RC"],
    [],
    ["REFERENCE_PIXEL"],
    ["BAD_REF_PIXEL"],
    ["NON_SCIENCE"],
]
CHANGE = ["unchanged", "new", "recovered", "reclassified", "unchanged", "unchanged", "reference", "reference"]


def image(rows):
    """A DQ image of two rows from lists of flags."""
    return np.array([bits(names) for names in rows], np.uint32).reshape(2, -1)


@pytest.fixture
def changes():
    return compare(image(BEFORE), image(AFTER))


def test_kinds_by_hand(changes):
    assert [KINDS[code] for code in changes.kind.ravel()] == CHANGE
    assert changes.science.ravel().tolist() == [True] * 5 + [False] * 3


def test_counts_by_hand(changes):
    counts = change_counts(changes)
    flags = {row.pop("flag"): row for row in counts.pop("flags")}
    assert counts.pop("new_pixels")["near"] == {"known": 1, "unlisted": 0, "new": 0, "isolated": 0}
    assert counts == {
        "science_pixels": 5, "bad_before": 3, "bad_after": 3, "new": 1, "recovered": 1, "reclassified": 1,
        "new_fraction": 0.2, "recovered_fraction": 0.2, "reference_changed": 2,
        "do_not_use": {"bad_before": 1, "bad_after": 1, "new": 1, "recovered": 1},
    }  # fmt: skip
    assert flags["HOT"] == {"before": 3, "after": 2, "gained": 0, "lost": 1}
    assert flags["DEAD"] == {"before": 0, "after": 1, "gained": 1, "lost": 0}, "the reference pixel does not count"
    assert set(flags) == {"DO_NOT_USE", "DEAD", "HOT", "RC"}


def test_matrix_by_hand(changes):
    matrix = change_matrix(changes)
    assert list(matrix.index) == ["good", "HOT", "HOT+DO_NOT_USE"]
    assert list(matrix.columns) == ["good", "DEAD+DO_NOT_USE", "HOT", "HOT+RC"]
    assert matrix.loc["good", "good"] == 1
    assert matrix.loc["HOT", "HOT"] == 1
    assert matrix.loc["good", "DEAD+DO_NOT_USE"] == 1
    assert matrix.loc["HOT", "good"] == 1
    assert matrix.loc["HOT+DO_NOT_USE", "HOT+RC"] == 1
    assert matrix.to_numpy().sum() == 5


def test_matrix_adds_up_to_the_counts():
    random = np.random.default_rng(3)
    values = np.array([0, 0, 0, bits(["HOT"]), bits(["HOT", "DO_NOT_USE"]), bits(["DEAD"]), bits(["REFERENCE_PIXEL"])])
    changes = compare(*random.choice(values, (2, 30, 40)).astype(np.uint32))
    matrix, counts = change_matrix(changes), change_counts(changes)
    assert matrix.to_numpy().sum() == counts["science_pixels"]
    assert matrix.loc["good"].drop("good").sum() == counts["new"] > 50
    assert matrix["good"].drop("good").sum() == counts["recovered"] > 50
    bad = matrix.drop(index="good", columns="good").to_numpy()
    same = matrix.index.intersection(matrix.columns).drop("good")
    assert bad.sum() - sum(matrix.loc[name, name] for name in same) == counts["reclassified"] > 50
    pixels = changed_pixels(changes)
    assert pixels["change"].value_counts().to_dict() == {
        "new": counts["new"], "recovered": counts["recovered"], "reclassified": counts["reclassified"],
        "reference": counts["reference_changed"],
    }  # fmt: skip


def test_listed_pixels(changes):
    pixels = changed_pixels(changes).set_index(["x", "y"])
    assert list(pixels.index) == [(1, 0), (2, 0), (3, 0), (2, 1), (3, 1)]
    assert pixels.loc[(1, 0)].tolist() == [
        "new", "good", "DEAD+DO_NOT_USE", "new", 0, bits(["DEAD", "DO_NOT_USE"]), "known", 2, 1, 0,
    ]  # fmt: skip
    assert pixels.loc[(3, 0), "near"] == ""
    assert pixels.loc[(3, 0), ["change", "before", "after", "do_not_use"]].tolist() == [
        "reclassified", "HOT+DO_NOT_USE", "HOT+RC", "recovered",
    ]  # fmt: skip
    assert pixels.loc[(2, 1), "after"] == "BAD_REF_PIXEL"


def test_identical_masks():
    changes = compare(image(BEFORE), image(BEFORE))
    counts = change_counts(changes)
    assert (counts["new"], counts["recovered"], counts["reclassified"], counts["reference_changed"]) == (0, 0, 0, 0)
    assert changed_pixels(changes).empty
    assert flag_changes(changes)[["gained", "lost"]].to_numpy().sum() == 0


def test_flag_text():
    assert flag_text(0) == "good"
    assert flag_text(bits(["DO_NOT_USE", "RC", "HOT"])) == "HOT+RC+DO_NOT_USE"
    assert flag_texts(np.array([], np.uint32)).tolist() == []


def test_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 4\) and \(4, 2\)"):
        compare(image(BEFORE), image(BEFORE).reshape(4, 2))


def test_a_large_matrix_is_cut_for_the_figure_and_adds_up():
    names = ["good"] + [f"T{number}" for number in range(30)]
    values = np.arange(31 * 11).reshape(31, 11)
    matrix = pd.DataFrame(values, names, names[:11])
    short = legible(matrix)
    assert short.shape == (MAX_TYPES, 11)
    assert short.index[0] == "good" and short.index[-1] == REST
    assert list(short.index[1:-1]) == names[-MAX_TYPES + 2 :], "the most frequent ones, in their order"
    assert short.to_numpy().sum() == values.sum()
    assert legible(matrix.T).equals(short.T)


# ---------------------------------------------------------------- files


def write_mask_file(path, dq, own_bits=None, **header):
    """A mask whose file has the flags in bits of its own, as CRDS's have: `own_bits` maps mnemonics to bit numbers."""
    own_bits = own_bits or {name: number for number, name in enumerate(PIXEL_FLAGS)}
    raw = np.zeros_like(dq)
    rows = []
    for name, bit in own_bits.items():
        raw |= np.where(dq & np.uint32(PIXEL_FLAGS[name]), np.uint32(1 << bit), np.uint32(0))
        rows.append((bit, 1 << bit, name, ""))
    dtype = [("BIT", "<u4"), ("VALUE", "<u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")]
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(raw, name="DQ"),
        fits.BinTableHDU(np.array(rows, dtype), name="DQ_DEF"),
    ]
    hdus[0].header.update(
        {"TELESCOP": "JWST", "INSTRUME": "NIRISS", "DETECTOR": "NIS", "SUBARRAY": "SUB64", "SUBSTRT1": 1, "SUBSTRT2": 1}
    )
    hdus[0].header.update(header)
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.fixture
def pair(tmp_path):
    """Two masks that give their flags different raw bits."""
    other = {"DO_NOT_USE": 0, "HOT": 1, "DEAD": 2, "RC": 3, "REFERENCE_PIXEL": 4, "BAD_REF_PIXEL": 5, "NON_SCIENCE": 6}
    before = write_mask_file(tmp_path / "old.fits", image(BEFORE), other)
    return before, write_mask_file(tmp_path / "new.fits", image(AFTER))


def paths_in(folder):
    return {key: folder / name for key, name in compare_masks.NAMES.items()}


def test_the_script_reads_through_dq_def_and_writes_all(pair, tmp_path, changes):
    out = paths_in(tmp_path / "out")
    summary = compare_masks.main(*pair, out)
    assert all(path.stat().st_size > 0 for path in out.values())
    assert {key: summary[key] for key in change_counts(changes)} == change_counts(changes)
    listed = pd.read_csv(out["pixels"], keep_default_na=False)
    pd.testing.assert_frame_equal(listed, changed_pixels(changes), check_dtype=False)
    matrix = pd.read_csv(out["matrix"], index_col="before")
    assert matrix.to_dict() == change_matrix(changes).to_dict()
    with fits.open(out["table"]) as hdus:
        table = hdus["CHANGES"]
        assert (table.header["BEFORE"], table.header["AFTER"]) == ("old.fits", "new.fits")
        for name in listed:
            assert [str(value) for value in table.data[name]] == [str(value) for value in listed[name]], name


def test_masks_with_equal_names_are_labelled_with_their_folders():
    def labelled(*paths):
        return labels(*(MaskImage(Path(path), None, {}) for path in paths))

    assert labelled("a/old.fits", "b/new.fits") == ["old.fits", "new.fits"]
    assert labelled("x/a/m.fits", "x/b/m.fits") == ["a/m.fits", "b/m.fits"]
    assert labelled("m.fits", "m.fits") == ["m.fits", "m.fits"]


def test_nothing_changed_makes_empty_lists(tmp_path):
    paths = [write_mask_file(tmp_path / name, image(BEFORE)) for name in ("one.fits", "copy.fits")]
    out = paths_in(tmp_path / "out")
    compare_masks.main(*paths, out)
    assert len(pd.read_csv(out["pixels"])) == 0
    assert len(fits.getdata(out["table"])) == 0


def test_a_file_is_not_compared_with_itself(tmp_path):
    path = write_mask_file(tmp_path / "one.fits", image(BEFORE))
    (tmp_path / "folder").symlink_to(tmp_path)
    (tmp_path / "hard.fits").hardlink_to(path)
    for other in (path, tmp_path / "folder" / ".." / tmp_path.name / "one.fits", tmp_path / "hard.fits"):
        with pytest.raises(MaskMismatch, match="are the same file; compare with a copy of the mask before"):
            compare_masks.main(other, path, paths_in(tmp_path / "out"))


def test_names_with_dollars_are_plain_text_in_the_figure(tmp_path):
    paths = [write_mask_file(tmp_path / name, image(BEFORE)) for name in ("a $\\frac$ b.fits", "$x_^$.fits")]
    out = paths_in(tmp_path / "out")
    compare_masks.main(*paths, out)
    assert Path(out["figure"]).stat().st_size > 2000


@pytest.mark.parametrize(
    ("header", "dq", "words"),
    [
        ({"DETECTOR": "NRS1", "INSTRUME": "NIRSPEC"}, image(BEFORE), ["DETECTOR is 'NIS' and 'NRS1'"]),
        ({"SUBARRAY": "FULL"}, image(BEFORE), ["SUBARRAY is 'SUB64' and 'FULL'"]),
        ({"SUBSTRT2": 2}, image(BEFORE), ["SUBSTRT2 is 1 and 2"]),
        ({}, image(BEFORE).reshape(4, 2), ["2 x 4 and 4 x 2 pixels"]),
    ],
)
def test_masks_of_different_arrays_are_refused(tmp_path, header, dq, words):
    one = read_image(write_mask_file(tmp_path / "one.fits", image(BEFORE)))
    other = read_image(write_mask_file(tmp_path / "other.fits", dq, **header))
    with pytest.raises(MaskMismatch) as caught:
        align(one, other)
    for text in ["one.fits", "other.fits", *words]:
        assert text in str(caught.value)


@pytest.mark.parametrize("name", ["GENERIC", "N/A", "ANY"])
def test_a_mask_for_any_subarray_is_compared_by_origin_and_size(tmp_path, name):
    one = read_image(write_mask_file(tmp_path / "one.fits", image(BEFORE)))
    align(one, read_image(write_mask_file(tmp_path / "same.fits", image(AFTER), SUBARRAY=name)))
    moved = read_image(write_mask_file(tmp_path / "moved.fits", image(AFTER), SUBARRAY=name, SUBSTRT1=9))
    with pytest.raises(MaskMismatch, match="SUBSTRT1 is 1 and 9"):
        align(one, moved)
    # Without an origin it begins at the first pixel of the detector.
    del moved.header["SUBSTRT1"]
    align(one, moved)
    one.header["SUBSTRT1"] = 9
    with pytest.raises(MaskMismatch, match="SUBSTRT1 is 9 and 1"):
        align(one, moved)


def test_a_file_that_is_not_a_mask_is_refused(tmp_path):
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(tmp_path / "image.fits")
    (tmp_path / "text.fits").write_text("nothing")
    with pytest.raises(MaskMismatch, match=r"image\.fits is not a mask file: it has no DQ extension; .* --lists"):
        read_image(tmp_path / "image.fits")
    with pytest.raises(MaskMismatch, match=r"text\.fits is not a mask file"):
        read_image(tmp_path / "text.fits")
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "nowhere.fits")
    with pytest.raises(MaskMismatch, match=r"image\.fits: primary HDU holds numbers of type float64"):
        read_image(tmp_path / "image.fits", lists=True)


def test_the_datamodels_read_the_same_flags_from_the_files(pair):
    """The datamodels read the files of this test as intended."""
    with datamodels.MaskModel(str(pair[0])) as model:
        assert np.array_equal(model.dq, image(BEFORE))
