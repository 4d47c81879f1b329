"""The table PROVENANCE at the end of a file, and the verification of the files that have it."""

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from badpix.core.errors import ProductError
from badpix.formats.product_file import append_provenance, open_verified, require_settings, write_product
from badpix.formats.provenance import InputFile, NoProvenance, Provenance, different_setting, read_provenance

INPUT = InputFile(
    "uncal", "a b_uncal.fits", 2880, (2880, 12, 13), "ab" * 32, "1.2.3", "jwst_1.pmap", {"R_MASK": "m.fits"}
)
SETTINGS = {"early_cutoff_fraction": 0.25, "detector1_dark": {"jump": {"skip": True}}, "flat_do_not_use": ["DEAD"]}
MADE = Provenance(SETTINGS, (INPUT,), {"jwst": "3.0.0"})


def product(path, provenance=MADE):
    image = fits.ImageHDU(np.arange(3000, dtype=np.float32).reshape(50, 60), name="SLOPE")
    flags = fits.ImageHDU(np.arange(6, dtype=np.uint16).reshape(2, 3), name="NSAT")
    write_product(path, [fits.PrimaryHDU(), image, flags], provenance)
    return path


def pipeline_product(path):
    """A file of another program, with the table added."""
    images = [
        fits.ImageHDU(np.full((40, 40), value, np.float32), name=name) for value, name in ((1, "SCI"), (2, "ERR"))
    ]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path)
    append_provenance(path, MADE, ["SCI"])
    return path


@pytest.mark.parametrize("make", [product, pipeline_product])
def test_the_provenance_is_read_back(make, tmp_path):
    found = read_provenance(make(tmp_path / "p.fits"))
    assert (found.settings, found.inputs, found.software) == (SETTINGS, (INPUT,), {"jwst": "3.0.0"})
    assert found.sums.keys() == {"PRIMARY", "SLOPE", "NSAT"} or found.sums.keys() == {"PRIMARY", "SCI"}
    assert not found.rejected
    with fits.open(tmp_path / "p.fits", checksum=True) as hdus:
        hdus.verify("exception")
        assert [row["NAME"] for row in hdus["PROVENANCE"].data if row["ROLE"] == "setting"] == list(SETTINGS)


def test_a_long_table_is_found(tmp_path):
    many = tuple(InputFile("statistics", f"{number}.fits", 1, (1, 1, 1), "c" * 64) for number in range(2000))
    assert read_provenance(product(tmp_path / "p.fits", Provenance(inputs=many))).inputs == many


def test_equal_contents_have_equal_digests(tmp_path):
    moved = InputFile(**{**INPUT.__dict__, "stamp": (2880, 99, 99)})
    first, again, other = (
        read_provenance(product(tmp_path / f"{name}.fits", provenance)).digest
        for name, provenance in (
            ("a", MADE),
            ("b", Provenance(SETTINGS, (moved,), {"jwst": "3.0.0"})),
            ("c", Provenance({**SETTINGS, "early_cutoff_fraction": 0.3}, (INPUT,), {"jwst": "3.0.0"})),
        )
    )
    assert first == again != other


def test_other_data_have_another_digest(tmp_path):
    """As after a change of the library that the settings do not show."""
    digests = []
    for value in (1, 2):
        image = fits.ImageHDU(np.full((5, 5), value, np.float32), name="SLOPE")
        write_product(tmp_path / "p.fits", [fits.PrimaryHDU(), image], MADE)
        digests.append(read_provenance(tmp_path / "p.fits").digest)
    assert digests[0] != digests[1]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [product, pipeline_product])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_flipped_bit_is_noticed(make, data, tmp_path_factory):
    path = make(tmp_path_factory.mktemp("flip") / "p.fits")
    content = bytearray(path.read_bytes())
    with fits.open(path) as hdus:
        # Of the pipeline's products only the planes that are read are summed.
        unread = hdus.fileinfo("ERR") if "ERR" in hdus else {"hdrLoc": 0, "datLoc": 0, "datSpan": 0}
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    if unread["hdrLoc"] <= bit // 8 < unread["datLoc"] + unread["datSpan"]:
        return
    with pytest.raises(ProductError, match=r"p\.fits.*run again"), open_verified(path):
        pass


@pytest.mark.parametrize("make", [product, pipeline_product])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_cut_is_noticed(make, data, tmp_path_factory):
    path = make(tmp_path_factory.mktemp("cut") / "p.fits")
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(NoProvenance):
        read_provenance(path)


def test_only_the_planes_asked_for_are_verified(tmp_path):
    path = product(tmp_path / "p.fits")
    with fits.open(path) as hdus:
        at = hdus.fileinfo("NSAT")["datLoc"]
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with open_verified(path, ["SLOPE"]) as hdus:
        assert hdus["SLOPE"].data[0, 1] == 1
    with pytest.raises(ProductError, match=r"p\.fits: NSAT changed after it was written"), open_verified(path):
        pass


def test_of_two_extensions_of_a_name_the_first_is_verified_which_is_read(tmp_path):
    path = product(tmp_path / "p.fits")
    with fits.open(path) as hdus:
        info = hdus["SLOPE"].fileinfo()
        begin, data, end = info["hdrLoc"], info["datLoc"], info["datLoc"] + info["datSpan"]
    content = path.read_bytes()
    changed = bytearray(content[begin:end])
    changed[data - begin + 5] ^= 1
    path.write_bytes(content[:begin] + changed + content[begin:])
    with pytest.raises(ProductError, match=r"p\.fits: SLOPE changed after it was written"), open_verified(path):
        pass


def test_a_checksum_that_the_pipeline_copied_from_the_raw_file_is_no_damage(tmp_path):
    image = fits.ImageHDU(np.ones((40, 40), np.float32), name="SCI")
    image.header["CHECKSUM"], image.header["DATASUM"] = "aaaaaaaaaaaaaaaa", "123"
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(tmp_path / "p.fits")
    append_provenance(tmp_path / "p.fits", MADE, ["SCI"])
    with open_verified(tmp_path / "p.fits") as hdus:
        assert hdus["SCI"].header["DATASUM"] == "123"


def test_a_missing_plane_is_named(tmp_path):
    path = product(tmp_path / "p.fits")
    with fits.open(path) as hdus:
        fits.HDUList([hdu for hdu in hdus if hdu.name != "NSAT"]).writeto(tmp_path / "q.fits")
    with pytest.raises(ProductError, match=r"q\.fits: extension NSAT is missing"), open_verified(tmp_path / "q.fits"):
        pass


def test_another_setting_is_named(tmp_path):
    path = product(tmp_path / "p.fits")
    require_settings(path, None)
    require_settings(path, {"early_cutoff_fraction": 0.25, "not_recorded": 1})
    with pytest.raises(ProductError, match=r"p\.fits was made with .*early_cutoff_fraction was 0\.25 and is 0\.5 now"):
        require_settings(path, {"early_cutoff_fraction": 0.5})


def test_lists_and_tuples_are_equal_settings():
    assert different_setting({"a": ["x"]}, {"a": ("x",)}) is None
    assert different_setting({"a": [1], "b": None}, {"a": [1], "b": 2}) == "b was null and is 2 now"


def test_a_file_without_a_table_has_no_provenance(tmp_path):
    fits.PrimaryHDU(np.zeros(3)).writeto(tmp_path / "a.fits")
    with pytest.raises(NoProvenance, match="no table PROVENANCE"):
        read_provenance(tmp_path / "a.fits")


def test_evidence_with_checksums_but_without_its_provenance_is_damaged(tmp_path):
    path = tmp_path / "evidence.fits"
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.zeros((9, 9), np.int32), name="FOUND")]
    write_product(path, hdus, MADE)
    with open_verified(path, is_ours=False) as opened:
        assert "FOUND" in opened
    path.write_bytes(path.read_bytes()[:-2880])
    with pytest.raises(ProductError, match="remove .* and run again"), open_verified(path, is_ours=False):
        pass
    fits.HDUList([fits.PrimaryHDU()]).writeto(path, overwrite=True)  # of another program
    with open_verified(path, is_ours=False) as opened:
        assert len(opened) == 1
