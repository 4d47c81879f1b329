"""Files that are not complete FITS files, and files that would fill the memory."""

import bz2
import gzip
import lzma
import zipfile

import numpy as np
import pytest
from astropy.io import fits

from badpix.core import fits_check
from badpix.core.fits_check import file_problem


def write(path, image):
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(image, name="SCI")]).writeto(path)
    return path


def test_a_sound_file_has_no_problem_also_if_compressed(tmp_path):
    noise = np.random.default_rng(1).integers(0, 99, (50, 50)).astype(np.int16)
    assert file_problem(write(tmp_path / "a.fits", noise)) is None
    assert file_problem(write(tmp_path / "a.fits.gz", noise)) is None
    (tmp_path / "b.fits").write_bytes((tmp_path / "a.fits.gz").read_bytes())
    assert file_problem(tmp_path / "b.fits") is None


def zipped(path, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.fits", content)


@pytest.mark.parametrize("pack", [zipped, lambda path, data: path.write_bytes(bz2.compress(data)),
                                  lambda path, data: path.write_bytes(lzma.compress(data))])  # fmt: skip
def test_an_archive_is_refused_by_its_first_bytes(tmp_path, pack):
    sound = write(tmp_path / "sound.fits", np.zeros((9, 9), np.int16)).read_bytes()
    pack(tmp_path / "a.fits", sound)
    assert file_problem(tmp_path / "a.fits").startswith("not readable as FITS: it begins with b'")


def test_a_file_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(fits_check, "UNPACKED_FREELY", 10**6)
    path = write(tmp_path / "a.fits.gz", np.zeros((1000, 1000), np.int16))
    assert file_problem(path) == "the compressed file unpacks to more than 50 times its size"
    with gzip.open(path, "wb") as file:
        file.write(bytes(10**7))
    assert "it begins with b'\\x00" in file_problem(path)


@pytest.mark.parametrize("where", ["first header", "later header"])
def test_a_header_without_an_end_is_given_up(tmp_path, where, monkeypatch):
    monkeypatch.setattr(fits_check, "MAX_HEADER_BYTES", 10**5)
    path = write(tmp_path / "a.fits", np.zeros((9, 9), np.int16))
    content = path.read_bytes()
    at = content.index(b"END ") if where == "first header" else content.rindex(b"END ")
    path.write_bytes(content[:at] + (b"COMMENT x" + b" " * 71) * 10000)
    assert file_problem(path).startswith("the file is damaged: its headers do not end within")


def test_an_infinite_number_in_a_header_is_a_problem(tmp_path):
    path = write(tmp_path / "a.fits", np.zeros((9, 9), np.int16))
    content = path.read_bytes()
    card = f"{'TSAMPLE':<8}= 1E999".ljust(80).encode()
    at = content.index(b"END" + b" " * 77)
    path.write_bytes(content[:at] + card + content[at : at + 80] + content[at + 160 :])
    assert file_problem(path) == "TSAMPLE is inf, which no FITS header can have"


@pytest.mark.parametrize("header", [0, 1])
def test_a_number_of_axes_that_astropy_would_count_up_to_is_a_problem(tmp_path, header):
    path = write(tmp_path / "a.fits", np.zeros((9, 9), np.int16))
    content = path.read_bytes()
    at = content.index(b"NAXIS   =", 2880 * header)
    path.write_bytes(content[:at] + b"NAXIS   = 1000000000000".ljust(80) + content[at + 80 :])
    # astropy takes the error of the reader for a damaged HDU, whose end it then reports.
    assert file_problem(path).startswith(("not readable as FITS: ", "the file is damaged: "))
