"""Masks of different arrays, and masks without or with an odd DQ_DEF, against the functions of dq_init."""

import numpy as np
import pytest
from astropy.io import fits
from jwst.lib.reffile_utils import get_subarray_model, ref_matches_sci
from stdatamodels.jwst import datamodels

import compare_masks
from badpix.changes.compare import compare
from badpix.changes.files import MaskMismatch, align, read_image
from badpix.formats.mask_dq import read_dq
from badpix.instrument.dq import PIXEL_FLAGS, bits

HOT, DEAD = bits(["HOT"]), bits(["DEAD"])
DTYPE = [("BIT", "<i4"), ("VALUE", "<u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")]
# Where the subarray of these tests lies on the detector: SUBSTRT1, SUBSTRT2 (1-based), columns, rows.
X, Y, COLUMNS, ROWS = 901, 41, 24, 16


def write(path, dq, definition=None, **header):
    """A MASK file with the raw image `dq` and the rows (bit, value, name) of DQ_DEF; None: without this table."""
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(dq, name="DQ")]
    hdus[0].header.update({"TELESCOP": "JWST", "INSTRUME": "NIRISS", "DETECTOR": "NIS", "REFTYPE": "MASK"})
    hdus[0].header.update(FASTAXIS=-2, SLOWAXIS=-1)
    hdus[0].header.update(header)
    if definition is not None:
        rows = np.array([(*row, "") for row in definition], DTYPE)
        hdus.append(fits.BinTableHDU(rows, name="DQ_DEF"))
    fits.HDUList(hdus).writeto(path)
    return path


def whole(path, **header):
    """A mask of the full frame with SUBARRAY GENERIC: flags in and around the subarray, bits of the pipeline."""
    dq = np.zeros((2048, 2048), np.uint32)
    dq[Y - 1, X - 1], dq[Y - 1 + ROWS, X], dq[Y + 3, X + 5] = HOT, HOT, DEAD
    return write(path, dq, None, **{"SUBARRAY": "GENERIC", "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 2048,
                                    "SUBSIZE2": 2048, **header})  # fmt: skip


def part(path, dq=None, **header):
    dq = np.zeros((ROWS, COLUMNS), np.uint32) if dq is None else dq
    place = {"SUBARRAY": "SUB64", "SUBSTRT1": X, "SUBSTRT2": Y, "SUBSIZE1": COLUMNS, "SUBSIZE2": ROWS}
    return write(path, dq, None, **{**place, **header})


def cut_by_dq_init(mask, exposure_header):
    """The DQ that dq_init takes from the file `mask` for an exposure with this header."""
    science = datamodels.RampModel((1, 1, ROWS, COLUMNS))
    for name, key in (("xstart", "SUBSTRT1"), ("ystart", "SUBSTRT2"), ("xsize", "SUBSIZE1"), ("ysize", "SUBSIZE2")):
        setattr(science.meta.subarray, name, exposure_header[key])
    with datamodels.MaskModel(str(mask)) as model:
        return (model if ref_matches_sci(science, model) else get_subarray_model(science, model)).dq.copy()


@pytest.mark.parametrize("name", ["GENERIC", "FULL", "N/A"])
def test_a_whole_mask_is_cut_to_the_subarray_as_in_dq_init(tmp_path, name):
    before, after = read_image(whole(tmp_path / "a.fits", SUBARRAY=name)), read_image(part(tmp_path / "b.fits"))
    pair = align(before, after)
    expected = cut_by_dq_init(before.path, after.header)
    assert np.array_equal(pair.before, expected) and expected[0, 0] == HOT and expected[4, 6] == DEAD
    assert pair.compared.all()
    assert f"{before.path} (2048 x 2048) is cut to the array of {after.path}" in pair.notes


def test_an_older_subarray_is_compared_with_its_part_of_a_whole_mask(tmp_path):
    before = read_image(part(tmp_path / "b.fits", np.full((ROWS, COLUMNS), HOT, np.uint32)))
    after = read_image(whole(tmp_path / "a.fits"))
    pair = align(before, after)
    changes = compare(pair.before, pair.after, pair.compared)
    y, x = np.nonzero(changes.science)
    assert (y.min(), y.max(), x.min(), x.max()) == (Y - 1, Y + ROWS - 2, X - 1, X + COLUMNS - 2)
    assert changes.kind[Y + ROWS - 1, X] == 0, "a flag outside the older mask is no change"
    assert np.count_nonzero(changes.kind == 2) == ROWS * COLUMNS - 2, "recovered"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            {"SUBSTRT1": 2040},
            "SUBSTRT1 is 1 and 2040; SUBSTRT2 is 1 and 41; the images have 2048 x 2048 and 16 x 24 pixels",
        ),
        ({"SUBSTRT1": 0}, "SUBSTRT1 is 0; it must be an integer from 1"),
        ({"SUBSTRT1": "left"}, "SUBSTRT1 is 'left'; it must be an integer from 1"),
        ({"DETECTOR": "NRS1", "INSTRUME": "NIRSPEC"}, "DETECTOR is 'NIS' and 'NRS1'"),
        ({"FASTAXIS": 1, "SLOWAXIS": 2}, "FASTAXIS is -2 and 1"),
    ],
)
def test_arrays_that_dq_init_cannot_match_are_refused(tmp_path, header, words):
    before, after = read_image(whole(tmp_path / "a.fits")), read_image(part(tmp_path / "b.fits", **header))
    with pytest.raises(MaskMismatch) as caught:
        align(before, after)
    assert words in str(caught.value)


def test_a_subarray_without_its_place_is_refused_and_a_full_frame_has_none(tmp_path):
    full, sub = whole(tmp_path / "a.fits"), part(tmp_path / "b.fits")
    fits.delval(full, "SUBSTRT1")
    align(read_image(full), read_image(sub))
    fits.delval(sub, "SUBSTRT2")
    with pytest.raises(MaskMismatch, match=r"b\.fits has no SUBSTRT2: the place of its 16 x 24 pixels is not known"):
        align(read_image(full), read_image(sub))


def test_an_unknown_detector_is_noted(tmp_path):
    one, other = part(tmp_path / "a.fits"), part(tmp_path / "b.fits")
    fits.delval(one, "DETECTOR")
    assert f"DETECTOR is missing in {one}, so it was not compared" in align(read_image(one), read_image(other)).notes


# ---------------------------------------------------------------- flags

RAW = np.array([[0, 1, 2, 4], [8, 16, 2048, 3]], np.uint32)
DEFINITIONS = {
    "none": (None, "no DQ_DEF: its bits are read as those of the pipeline"),
    "empty": ([], "no DQ_DEF: its bits are read as those of the pipeline"),
    "other numbering": ([(n, 1 << n, name) for n, name in enumerate(["DO_NOT_USE", "DEAD", "HOT", "RC", "WARM"])],
                        "1 pixels have bits that DQ_DEF does not define (11)"),
    "unknown": ([(0, 1, "DO_NOT_USE"), (1, 2, "COLD"), (2, 4, "hot"), (3, 8, "DEAD"), (4, 16, "RC"), (11, 2048, "HOT")],
                "the pipeline has no flag COLD, so it is left out of 2 pixels"),
    "one bit twice": ([(0, 1, "HOT"), (0, 1, "DEAD"), (1, 2, "RC"), (2, 30, "WARM"), (11, 2048, "OPEN")],
                      "has the value 1 for HOT and DEAD: its pixels have all of them"),
    "one name twice": ([(0, 1, "HOT"), (1, 2, "HOT"), (2, 4, "DEAD"), (3, 24, "RC"), (11, 2048, "OPEN")],
                       "has HOT with the values 1 and 2: each sets it"),
}  # fmt: skip


@pytest.mark.parametrize(("definition", "words"), DEFINITIONS.values(), ids=DEFINITIONS)
def test_flags_are_those_of_the_datamodel_and_what_it_drops_is_noted(tmp_path, definition, words):
    path = write(tmp_path / "mask.fits", RAW, definition)
    found = read_dq(path)
    with datamodels.MaskModel(str(path)) as model:
        assert np.array_equal(found.dq, model.dq)
    assert any(words in note for note in found.notes), found.notes


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "i8"])
def test_integers_of_any_type_are_flags(tmp_path, dtype):
    dq = np.array([[0, 1, 2, 64]], dtype)
    assert np.array_equal(read_dq(write(tmp_path / "mask.fits", dq)).dq, dq)


def test_integers_with_a_sign_keep_the_highest_bit(tmp_path):
    path = write(tmp_path / "mask.fits", np.array([[-(2**31), 1]], "i4"))
    assert read_dq(path).dq.tolist() == [[PIXEL_FLAGS["REFERENCE_PIXEL"], 1]]


@pytest.mark.parametrize(
    ("dq", "words"),
    [
        (np.array([[0.0, 1024.0]], "f4"), "DQ holds numbers of type float32, not flags"),
        (np.array([[np.nan, 1.0]]), "DQ holds numbers of type float64, not flags"),
        (np.array([[0, -5]], "i2"), "DQ has values from -5 to 0"),
        (np.array([[0, 2**33]], "i8"), "DQ has values from 0 to 8589934592"),
        (np.zeros((2, 3, 4), "u4"), "DQ has 3 axes"),
    ],
)
def test_numbers_that_are_no_flags_are_refused(tmp_path, dq, words):
    sound = part(tmp_path / "b.fits")
    path = write(tmp_path / "mask.fits", dq)
    with pytest.raises(MaskMismatch) as caught:
        compare_masks.main(path, sound, {})
    assert f"{path} is not a mask file: {path}: {words}" in str(caught.value)
