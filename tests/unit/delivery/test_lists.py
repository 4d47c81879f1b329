"""The files of a delivery for other programs, the form, and the folder that is complete or not there."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits

from badpix.delivery.folder import FORM, PREVIOUS_FORM, SUMS, complete_folder, delivery_name, keep_edited_form
from badpix.delivery.form import Delivered, DeliverySettings, form_fields, form_text, missing_fields
from badpix.delivery.pixel_lists import images_by_type, write_pixel_lists
from badpix.formats.certificate_file import PASSED, Certificate
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import Geometry

MEASURED, FRAME = Geometry("SUB8", 5, 3, 8, 6, 1, 2), Geometry("FULL", 1, 1, 16, 12, 1, 2)
# (y, x) in the array of the exposures.
HOT, DEAD = [(0, 0), (5, 7)], [(5, 7), (2, 3)]
HEADER = {
    "INSTRUME": "NIRISS", "DETECTOR": "NIS", "SUBARRAY": "FULL", "USEAFTER": "2024-06-01T00:00:00",
    "PEDIGREE": "GROUND", "AUTHOR": "jwst_reffiles", "DESCRIP": "Pixels (new)",
}  # fmt: skip
OLD = "jwst_niriss_mask_0017.fits"
NONE = DeliverySettings(None, None, None, None, None, None, None, None, True)


@pytest.fixture
def images():
    found = np.zeros(MEASURED.shape, np.uint32)
    for bit, pixels in enumerate((HOT, DEAD)):
        for pixel in pixels:
            found[pixel] |= np.uint32(1 << bit)
    dq = np.zeros(FRAME.shape, np.uint32)
    dq[2, 4] = dq[7, 11] = dq[4, 7] = dq[0, 15] = PIXEL_FLAGS["HOT"]
    dq[:, 0] |= np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"])
    return images_by_type(SimpleNamespace(found=found, bit_of={"hot": 0, "DEAD": 1}), MEASURED, dq, FRAME)


def test_the_lists_have_the_pixels_of_the_mask(images, tmp_path):
    write_pixel_lists(tmp_path, "m", images, FRAME, {"DETECTOR": "NIS"})
    expected = {"hot": {(4, 2), (11, 7)}, "DEAD": {(11, 7), (7, 4)}, "other": {(15, 0)}}  # x, y, 0-based
    regions = (tmp_path / "m.reg").read_text()
    assert "\nimage\n" in regions
    boxes = re.findall(r"^box\((\d+),(\d+),1,1,0\) # color=(\w+) tag=\{(\w+)\}$", regions, re.M)
    for name, pixels in expected.items():
        assert {(int(x) - 1, int(y) - 1) for x, y, _, tag in boxes if tag == name} == pixels
        lines = (tmp_path / "pixels" / f"m_{name}.txt").read_text().splitlines()
        assert "0-based" in lines[1]
        assert {tuple(map(int, line.split())) for line in lines if not line.startswith("#")} == pixels
    assert len({colour for *_, colour, _ in boxes}) == 3 and len(boxes) == 5
    for kind, name in (("darks", "hot"), ("flats", "DEAD")):
        with fits.open(tmp_path / f"m_from_{kind}.fits", checksum=True) as hdus:
            assert [hdu.name for hdu in hdus] == ["PRIMARY", name.upper()]
            assert {(int(x), int(y)) for y, x in np.argwhere(hdus[1].data)} == expected[name]


def test_a_folder_that_cannot_be_completed_leaves_the_earlier_one(tmp_path):
    target = tmp_path / "delivery"
    complete_folder(target, lambda folder: (folder / "a").write_text("1"))
    assert {path.name for path in target.iterdir()} == {"a", SUMS}

    def failing(folder):
        (folder / "a").write_text("2")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        complete_folder(target, failing)
    assert (target / "a").read_text() == "1" and [path.name for path in tmp_path.iterdir()] == ["delivery"]


def test_a_form_filled_in_by_hand_is_kept(tmp_path):
    target, kept = tmp_path / "delivery", tmp_path / PREVIOUS_FORM
    assert keep_edited_form(target) is None
    complete_folder(target, lambda folder: (folder / FORM).write_text("email: null"))
    assert keep_edited_form(target) is None and not kept.exists()
    (target / FORM).write_text("email: a@b.c")
    assert keep_edited_form(target) == kept and kept.read_text() == "email: a@b.c"
    (target / SUMS).unlink()
    kept.unlink()
    assert keep_edited_form(target) == kept


def test_names_are_unique_and_plain():
    assert delivery_name(HEADER, "2024-06-01 long/x", "0123456789") == (
        "niriss_nis_full_2024-06-01-long-x_mask_20240601_01234567"
    )
    assert delivery_name(HEADER, "", "f" * 64) == "niriss_nis_full_mask_20240601_ffffffff"


def test_the_form_names_what_a_person_must_fill_in():
    certificate = Certificate(PASSED, "m.fits", "0", context="jwst_1.pmap", replaces=(OLD,))
    warnings = ("pedigree is GROUND, but the exposures are of flight",)
    mask = Delivered(HEADER, certificate, "all subarrays", "Tested.", "Compared.", {OLD: HEADER["USEAFTER"]}, warnings)
    fields = form_fields(NONE, mask)
    assert missing_fields(fields) == [
        "delivery.deliverer", "delivery.email", "replacing_badfiles", "delivery.change_level",
    ]  # fmt: skip
    # CRDS refuses other characters than letters, digits and . _ / , = - + in a description.
    assert fields["description"] == "NIRISS NIS MASK. Pixels new"
    assert (fields["useafter_matches"], fields["pedigree_updated"]) == ("Yes", False)
    assert fields["old_reference_files"] == OLD
    text = form_text(fields, mask, {"mask": "m.fits"})
    assert "# to fill in: delivery.email" in text and f"# warning: {warnings[0]}" in text
    full = DeliverySettings("A", "a@b.c", "TRIVIAL", "D", "M", "T", "J-1", "C", False)
    fields = form_fields(full, mask)
    assert missing_fields(fields) == ["replacing_badfiles"]
    expected = {"deliverer": "A", "other_email": "a@b.c", "change_level": "TRIVIAL", "description": "D",
                "modes_affected": "M", "correctness_testing": "T", "jira_issue": "J-1",
                "additional_considerations": "C", "ingest_files": False}  # fmt: skip
    assert {key: fields[key] for key in expected} == expected


def test_what_the_cache_cannot_tell_is_to_fill_in():
    useafter, other = HEADER["USEAFTER"], "jwst_niriss_mask_0018.fits"
    full = DeliverySettings("A", "a@b.c", "TRIVIAL", "D", "M", "T", "J-1", "C", False)
    for replaces, known, expected in (
        ((), {}, "N/A"),
        ((OLD,), {}, None),
        ((OLD, other), {OLD: useafter}, None),
        ((OLD, other), {OLD: "2022-01-01T00:00:00"}, "No"),
        ((OLD, other), {OLD: useafter, other: useafter}, "Yes"),
    ):
        certificate = Certificate(PASSED, "m.fits", "0", context="jwst_1.pmap", replaces=replaces)
        mask = Delivered(HEADER, certificate, "all subarrays", "Tested.", "Compared.", known)
        fields = form_fields(full, mask)
        assert fields["useafter_matches"] == expected
        assert fields["replacing_badfiles"] == (None if replaces else "N/A")
        assert ("# to fill in: useafter_matches" in form_text(fields, mask, {})) == (expected is None)
