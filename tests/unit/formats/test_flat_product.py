"""A finished flat or mask in place of flats: what is read from it, and which files are refused."""

import dataclasses

import numpy as np
import pytest
from astropy.io import fits

from badpix.formats.flat_product import FlatProductError, read_flat_product
from badpix.instrument import irs2
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import Geometry
from unit.exposures.test_checks import DETECTORS

SIZE = 32
NIS = dataclasses.replace(DETECTORS["NIS"], n_columns=SIZE, n_rows=SIZE)
FULL = Geometry("FULL", 1, 1, SIZE, SIZE, -2, -1)
PART = Geometry("SUB", 11, 9, 8, 16, -2, -1)
# Places (y, x) on the full frame, both in PART.
DEAD, LOW_QE = (12, 15), (20, 12)
HEADER = {"TELESCOP": "JWST", "INSTRUME": "NIRISS", "DETECTOR": "NIS", "PEDIGREE": "GROUND", "USEAFTER": "2022-06-01"}


def write(path, images, definition=None, **header):
    """Write a product; `definition` is the DQ_DEF as mnemonic -> value."""
    primary = fits.PrimaryHDU()
    primary.header.update({key: value for key, value in (HEADER | header).items() if value is not None})
    hdus = [primary, *(fits.ImageHDU(image, name=name) for name, image in images.items())]
    if definition is not None:
        rows = [(value.bit_length() - 1, value, name, "") for name, value in definition.items()]
        dtype = [("BIT", "<u4"), ("VALUE", "<u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")]
        hdus.append(fits.BinTableHDU(np.array(rows, dtype), name="DQ_DEF"))
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def response():
    sci = np.random.default_rng(1).normal(1, 0.01, (SIZE, SIZE)).astype(np.float32)
    for place, value in {DEAD: 0.01, LOW_QE: 0.3}.items():
        sci[place] = value
    return sci


def mask_dq(dead=PIXEL_FLAGS["DEAD"], low=PIXEL_FLAGS["LOW_QE"], dtype=np.uint32):
    dq = np.zeros((SIZE, SIZE), dtype)
    dq[DEAD], dq[LOW_QE] = dead, low
    return dq


def pixels(image):
    return [tuple(map(int, place)) for place in np.argwhere(image)]


def test_the_response_of_a_flat_has_no_value_where_the_flat_has_none(tmp_path):
    sci, dq = response(), np.zeros((SIZE, SIZE), np.uint32)
    sci[10, 10], sci[10, 11], sci[10, 12], sci[10, 13], sci[10, 14], sci[10, 15] = np.nan, np.inf, 0.9, 1, 0, 0
    # Own numbering: DO_NOT_USE is bit 3, NO_FLAT_FIELD bit 0.
    dq[10, 12], dq[10, 13], dq[10, 14], dq[DEAD] = 1, 8, 8, 8
    path = write(tmp_path / "f.fits", {"SCI": sci, "DQ": dq}, {"DO_NOT_USE": 8, "NO_FLAT_FIELD": 1}, REFTYPE="FLAT")
    flat = read_flat_product(path, FULL, NIS)
    assert flat.kind == "FLAT" and not flat.found
    assert pixels(np.isnan(flat.response)) == [(10, x) for x in range(10, 15)]
    assert flat.response[DEAD] == np.float32(0.01), "DO_NOT_USE does not hide a measured value"
    assert flat.response[10, 15] == 0, "a zero that is not flagged is measured"
    assert flat.describe() == "f.fits (FLAT, PEDIGREE GROUND, USEAFTER 2022-06-01)"


@pytest.mark.parametrize("dtype", [np.uint32, np.int32, np.uint8])
def test_the_types_of_a_mask_are_read_through_its_dq_def(tmp_path, dtype):
    definition = {"DO_NOT_USE": 1, "LOW_QE": 2, "DEAD": 4, "HOT": 8}
    mask = read_flat_product(write(tmp_path / "m.fits", {"DQ": mask_dq(5, 2, dtype)}, definition), FULL, NIS)
    assert mask.kind == "MASK" and mask.response is None and mask.by_dq_def
    found = {"DEAD": [DEAD], "LOW_QE": [LOW_QE], "OPEN": [], "ADJ_OPEN": []}
    assert {name: pixels(image) for name, image in mask.found.items()} == found
    assert not mask.notes


def test_a_mask_without_dq_def_has_the_standard_bits(tmp_path):
    mask = read_flat_product(write(tmp_path / "m.fits", {"DQ": mask_dq()}, REFTYPE="MASK"), FULL, NIS)
    assert pixels(mask.found["DEAD"]) == [DEAD] and not mask.by_dq_def
    assert "has no DQ_DEF: its bits are read as those of the pipeline" in mask.notes[0]


@pytest.mark.parametrize("subarray", ["GENERIC", "FULL", None])
@pytest.mark.parametrize("starts", [{}, {"SUBSTRT1": 1, "SUBSTRT2": 1}])
def test_the_array_of_the_exposures_is_cut_from_the_full_frame(tmp_path, subarray, starts):
    there = [(DEAD[0] - 8, DEAD[1] - 10)]
    mask = write(tmp_path / "m.fits", {"DQ": mask_dq()}, SUBARRAY=subarray, **starts)
    assert pixels(read_flat_product(mask, PART, NIS).found["DEAD"]) == there
    flat = write(tmp_path / "f.fits", {"SCI": response()}, SUBARRAY=subarray, **starts)
    assert pixels(read_flat_product(flat, PART, NIS).response < 0.1) == there


def test_a_product_of_a_subarray_is_placed_by_its_start(tmp_path):
    part = mask_dq()[4:28, 6:26]
    mask = write(tmp_path / "m.fits", {"DQ": part}, SUBSTRT1=7, SUBSTRT2=5)
    assert pixels(read_flat_product(mask, PART, NIS).found["DEAD"]) == [(DEAD[0] - 8, DEAD[1] - 10)]


def test_reference_pixels_are_not_taken_over(tmp_path):
    dq = mask_dq()
    dq[0, 0] = PIXEL_FLAGS["DEAD"]
    assert pixels(read_flat_product(write(tmp_path / "m.fits", {"DQ": dq}), FULL, NIS).found["DEAD"]) == [DEAD]


def test_the_interleaved_rows_of_irs2_are_removed(tmp_path):
    dq = np.zeros((2048, 2048), np.uint32)
    dq[100, 200] = PIXEL_FLAGS["DEAD"]
    raw = irs2.interleave(dq, "NRS1", np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"]))
    path = write(tmp_path / "m.fits", {"DQ": raw}, INSTRUME="NIRSPEC", DETECTOR="NRS1")
    geometry = Geometry("FULL", 1, 1, 2048, 2048, 2, 1)
    assert pixels(read_flat_product(path, geometry, DETECTORS["NRS1"]).found["DEAD"]) == [(100, 200)]


CUBE, ONES = np.ones((3, SIZE, SIZE), np.float32), np.ones((SIZE, SIZE), np.float32)


@pytest.mark.parametrize(
    ("images", "definition", "header", "words"),
    [
        ({"DQ": mask_dq().astype(np.float32)}, None, {}, "DQ holds numbers of type float32, not flags; it must"),
        ({"DQ": mask_dq()[np.newaxis]}, None, {}, "DQ has 3 axes; it must be an image (y, x)"),
        ({"DQ": mask_dq()}, None, {"DETECTOR": "NRCA1"}, "DETECTOR is 'NRCA1', and NIS has 'NIS'"),
        ({"DQ": mask_dq()}, None, {"FASTAXIS": 2}, "FASTAXIS is 2, and NIS has -2"),
        ({"DQ": mask_dq()}, None, {"REFTYPE": "SATURATION"}, "SATURATION; a file with DQ alone must be a MASK"),
        ({"SCI": ONES}, None, {"REFTYPE": "DFLAT"}, "REFTYPE is DFLAT; a file with SCI must be a FLAT"),
        ({"DQ": mask_dq()[:16, :16]}, None, {}, "16 x 16 pixels (y, x), which is no full frame of NIS, and no SUBS"),
        ({"DQ": mask_dq()[:16]}, None, {"SUBSTRT1": 1, "SUBSTRT2": 1}, "16 x 32 pixels) does not contain that of the"),
        ({"DQ": mask_dq(1, 1)}, {"HOT": 1}, {}, "no pixel of DQ is DEAD, LOW_QE, OPEN, ADJ_OPEN (DQ_DEF has HOT)"),
        ({"DQ": mask_dq(1, 1)}, None, {}, "no pixel of DQ is DEAD, LOW_QE, OPEN, ADJ_OPEN (without DQ_DEF, by stan"),
        ({"SCI": ONES}, None, {}, "SCI is 1 in all science pixels; a dummy flat has no bad pixels"),
        ({"SCI": ONES * np.nan}, None, {}, "no science pixel of the array has a value in SCI"),
        ({"SCI": 84 * response()}, None, {}, "a normalised flat has a median of 1 (0.5 to 2.0 are"),
        ({"SCI": CUBE}, None, {}, "SCI is no image (y, x) but has 3 axes"),
        ({"SCI": ONES, "DQ": mask_dq()[:16]}, None, {}, "SCI has 32 x 32 pixels (y, x), and DQ 16 x 32"),
        ({"COEFFS": ONES}, None, {}, "it has COEFFS, neither SCI (a normalised flat) nor DQ (a mask)"),
        ({}, None, {}, "it has no named extension, neither SCI"),
    ],
)  # fmt: skip
def test_a_wrong_product_is_refused(tmp_path, images, definition, header, words):
    path = write(tmp_path / "p.fits", images, definition, **header)
    with pytest.raises(FlatProductError) as caught:
        read_flat_product(path, FULL, NIS)
    assert str(caught.value).startswith(f"{path}: ") and words in str(caught.value)


def test_a_damaged_product_is_refused(tmp_path):
    path = write(tmp_path / "p.fits", {"DQ": mask_dq()})
    path.write_bytes(path.read_bytes()[:-2880])
    with pytest.raises(FlatProductError, match="p.fits: the file is truncated"):
        read_flat_product(path, FULL, NIS)
    path = write(tmp_path / "q.fits", {"DQ": mask_dq()})
    with fits.open(path, mode="update") as hdus:
        hdus[1].header["DATASUM"] = "17"
    with pytest.raises(FlatProductError, match="the data of DQ changed after they were written"):
        read_flat_product(path, FULL, NIS)


def test_a_dq_def_without_its_columns_is_refused(tmp_path):
    path = write(tmp_path / "p.fits", {"DQ": mask_dq()})
    with fits.open(path, mode="append") as hdus:
        hdus.append(fits.BinTableHDU(np.array([(1,)], [("BIT", "<u4")]), name="DQ_DEF"))
    with pytest.raises(FlatProductError, match="DQ_DEF has no column VALUE, NAME"):
        read_flat_product(path, FULL, NIS)
