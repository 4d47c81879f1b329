"""The header cache reads a file again only when it has changed; damaged files get a reason."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from badpix.core.fits_check import file_problem
from badpix.exposures import header_cache
from badpix.exposures.header_cache import HeaderCache, Unreadable
from badpix.exposures.header_walk import walk
from badpix.exposures.headers import KEYWORDS, read_header_info

# The warnings of astropy about damaged files are expected.
pytestmark = pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyWarning")


def make(path, n_groups=5, **keywords):
    primary = fits.PrimaryHDU()
    for key, value in {"DETECTOR": "NIS", "NGROUPS": n_groups, "TARGNAME": "DARK", **keywords}.items():
        primary.header[key] = value
    sci = fits.ImageHDU(np.zeros((2, n_groups, 3, 4), np.uint16), name="SCI")
    table = fits.BinTableHDU.from_columns([fits.Column("A", "J", array=[1, 2])], name="GROUP")
    fits.HDUList([primary, sci, table]).writeto(path, overwrite=True)
    return path


@pytest.fixture
def reads(monkeypatch):
    """The names of the files that were read, an entry for each time."""
    seen = []
    real = header_cache.read_header_info

    def counting(path):
        seen.append(path.name)
        return real(path)

    monkeypatch.setattr(header_cache, "read_header_info", counting)
    return seen


def test_header_info(tmp_path):
    headers = read_header_info(make(tmp_path / "a.fits"))
    assert headers == {
        "problem": None,
        "keywords": {"DETECTOR": "NIS", "NGROUPS": 5},
        "extensions": {"SCI": [2, 5, 3, 4]},
        "bitpix": {"SCI": 16, "GROUP": 8},
    }


def test_compressed_files_are_read_too(tmp_path):
    path = tmp_path / "a b [1].fits.gz"
    path.write_bytes(gzip.compress(make(tmp_path / "a.fits").read_bytes()))
    assert read_header_info(path) == read_header_info(tmp_path / "a.fits")


def test_a_card_without_a_value_is_left_out(tmp_path):
    headers = read_header_info(make(tmp_path / "a.fits", NGROUPS=None, DETECTOR=1 + 2j))
    assert headers["keywords"] == {}
    json.dumps(headers)


@pytest.mark.parametrize("compressed", [False, True])
def test_an_extension_name_that_is_not_unique_is_a_problem(tmp_path, compressed):
    path = make(tmp_path / "a.fits")
    with fits.open(path, mode="append") as hdus:
        hdus.append(fits.ImageHDU(np.zeros((3, 4), np.float32), name="SCI", ver=2))
    if compressed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    expected = {"problem": "it has 2 extensions SCI, of which the pipeline would read a single extension"}
    assert read_header_info(path) == expected


def test_extensions_without_a_name_may_be_several(tmp_path):
    path = make(tmp_path / "a.fits")
    with fits.open(path, mode="append") as hdus:
        hdus.append(fits.ImageHDU(np.zeros((3, 4), np.float32)))
        hdus.append(fits.ImageHDU(np.zeros((3, 4), np.float32)))
    assert walk(path, KEYWORDS) is not None and read_header_info(path)["problem"] is None


def damaged(tmp_path, change):
    path = make(tmp_path / "a.fits", n_groups=50)
    path.write_bytes(change(path.read_bytes()))
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda whole: b"", "the file is empty"),
        (lambda whole: whole[: len(whole) // 2], "the file is truncated: "),
        (lambda whole: whole[:-1], "the file is truncated: "),
        (lambda whole: whole[:1000], "not readable as FITS"),
        (lambda whole: b"this is no FITS file\n" * 500, "not readable as FITS"),
        (lambda whole: b"\0" * 10000, "not readable as FITS"),
        (
            lambda whole: whole.replace(b"             50 ", b"           5 0x "),
            "the file is damaged: its last 11520 bytes are no extension",
        ),
    ],
    ids=["empty", "half", "a byte", "no header", "text", "zeros", "card"],
)
def test_damaged_files_get_a_reason(tmp_path, change, words):
    problem = read_header_info(damaged(tmp_path, change))["problem"]
    assert words in problem and "\n" not in problem


def test_a_directory_or_a_damaged_archive_is_no_file(tmp_path):
    assert file_problem(tmp_path) == "it is a directory, not a FITS file"
    path = tmp_path / "a.fits.gz"
    path.write_bytes(b"no archive")
    assert "not readable as FITS" in file_problem(path)


def test_an_unchanged_file_is_not_read_again(tmp_path, reads):
    paths = [make(tmp_path / name) for name in ("a.fits", "b.fits")]
    cache = HeaderCache(tmp_path / "cache.json")
    first = [cache.header_info(path) for path in paths]
    cache.save()
    again = HeaderCache(tmp_path / "cache.json")
    assert [again.header_info(path) for path in paths] == first
    assert reads == ["a.fits", "b.fits"]


def test_a_path_relative_or_not_is_the_same_file(tmp_path, reads, monkeypatch):
    make(tmp_path / "a.fits")
    cache = HeaderCache(tmp_path / "cache.json")
    cache.header_info(tmp_path / "a.fits")
    cache.save()
    monkeypatch.chdir(tmp_path)
    HeaderCache("cache.json").header_info("a.fits")
    assert reads == ["a.fits"]


@pytest.mark.parametrize("change", ["size", "time"])
def test_a_changed_file_is_read_again(tmp_path, reads, change):
    path = make(tmp_path / "a.fits")
    time_ns = path.stat().st_mtime_ns
    cache = HeaderCache(tmp_path / "cache.json")
    assert cache.header_info(path)["keywords"]["NGROUPS"] == 5
    cache.save()
    if change == "size":
        make(path, n_groups=500)
        os.utime(path, ns=(time_ns, time_ns))
    else:
        make(path, n_groups=6)
        os.utime(path, ns=(time_ns + 1, time_ns + 1))
    expected = 500 if change == "size" else 6
    assert HeaderCache(tmp_path / "cache.json").header_info(path)["keywords"]["NGROUPS"] == expected
    assert reads == ["a.fits"] * 2


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    path = make(tmp_path / "a.fits")

    def overtaken(path, real=header_cache.read_header_info):
        headers = real(path)
        os.utime(make(path, n_groups=9), ns=(1, 1))
        return headers

    with monkeypatch.context() as context:
        context.setattr(header_cache, "read_header_info", overtaken)
        cache = HeaderCache(tmp_path / "cache.json")
        assert cache.header_info(path)["keywords"]["NGROUPS"] == 5
        cache.save()
    assert HeaderCache(tmp_path / "cache.json").header_info(path)["keywords"]["NGROUPS"] == 9


def test_a_file_that_became_complete_is_used(tmp_path):
    path = tmp_path / "a.fits"
    path.touch()
    cache = HeaderCache(tmp_path / "cache.json")
    assert cache.header_info(path)["problem"] == "the file is empty"
    cache.save()
    make(path)
    assert HeaderCache(tmp_path / "cache.json").header_info(path)["problem"] is None


def test_a_missing_file_is_a_problem_and_not_cached(tmp_path):
    cache = HeaderCache(tmp_path / "cache.json")
    assert cache.header_info(tmp_path / "gone.fits")["problem"].startswith("cannot be read: No such file")
    cache.save()
    assert not (tmp_path / "cache.json").exists()


@pytest.mark.parametrize("change", ["cut off", "another value", "another format", "empty", "text"])
def test_a_changed_cache_is_ignored_and_replaced(tmp_path, reads, change, monkeypatch):
    path, stored = make(tmp_path / "a.fits"), tmp_path / "cache.json"
    cache = HeaderCache(stored)
    cache.header_info(path)
    cache.save()
    text = stored.read_text()
    changed = {
        "cut off": text[:-5], "another value": text.replace('"NGROUPS": 5', '"NGROUPS": 6'), "empty": "",
        "text": '{"format": 8, "files": {}}', "another format": text,
    }[change]  # fmt: skip
    assert (changed == text) == (change == "another format")
    if change == "another format":
        monkeypatch.setattr(header_cache, "FORMAT", -1)
    stored.write_text(changed)
    cache = HeaderCache(stored)
    assert cache.header_info(path)["keywords"]["NGROUPS"] == 5
    cache.save()
    HeaderCache(stored).header_info(path)
    assert reads == ["a.fits", "a.fits"]


@pytest.mark.parametrize("make_it", [os.mkfifo, Path.mkdir])
def test_another_thing_in_the_place_of_the_cache_is_ignored(tmp_path, make_it):
    path = make(tmp_path / "a.fits")
    make_it(tmp_path / "cache.json")
    assert HeaderCache(tmp_path / "cache.json").header_info(path)["problem"] is None


def test_a_cache_of_bytes_that_are_no_text(tmp_path):
    path = make(tmp_path / "a.fits")
    (tmp_path / "cache.json").write_bytes(b"\xff\xfe\x00")
    assert HeaderCache(tmp_path / "cache.json").header_info(path)["problem"] is None


def test_save_writes_only_changes_and_drops_unused_entries(tmp_path):
    a, b = make(tmp_path / "a.fits"), make(tmp_path / "b.fits")
    path = tmp_path / "new" / "cache.json"
    cache = HeaderCache(path)
    cache.header_info(a), cache.header_info(b)
    cache.save()
    before = path.stat().st_ino
    same = HeaderCache(path)
    same.header_info(a), same.header_info(b)
    same.save()
    assert path.stat().st_ino == before
    fewer = HeaderCache(path)
    fewer.header_info(a)
    fewer.save()
    assert list(json.loads(path.read_text().partition("\n")[2])) == [str(a)]


def test_without_a_path_nothing_is_written(tmp_path, reads):
    cache = HeaderCache(None)
    cache.header_info(make(tmp_path / "a.fits"))
    cache.save()
    assert [path.name for path in tmp_path.iterdir()] == ["a.fits"]


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path):
    """On a full disk the jobs must still report the full disk."""
    (tmp_path / "file").touch()
    cache = HeaderCache(tmp_path / "file" / "cache.json")
    assert cache.header_info(make(tmp_path / "a.fits"))["problem"] is None
    cache.save()


def test_a_file_that_may_not_be_read_is_read_once_it_may(tmp_path, monkeypatch):
    """Permissions and a disk that fails change neither size nor time, so the reason must not be cached."""
    path = make(tmp_path / "a.fits")
    cache = HeaderCache(tmp_path / "cache.json")

    def refused(file, *arguments, real=open, **options):
        if str(file) == str(path):
            raise PermissionError(13, "Permission denied")
        return real(file, *arguments, **options)

    with monkeypatch.context() as context:
        context.setattr("io.open", refused)
        with pytest.raises(Unreadable, match=r"a\.fits: cannot be read: Permission denied; give read permission"):
            cache.header_info(path)
        cache.save()
    assert HeaderCache(tmp_path / "cache.json").header_info(path)["problem"] is None


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.fits")
    assert file_problem(tmp_path / "a.fits") == "it is no regular file, not a FITS file"


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz"])
def test_a_compressed_file_is_read_to_its_end(tmp_path, name):
    """Independent of its name: the last bytes hold its checksum."""
    packed = gzip.compress(make(tmp_path / "whole.fits").read_bytes())
    path = tmp_path / name
    path.write_bytes(packed)
    assert file_problem(path) is None
    for damaged in (packed[:-1], packed[:-8] + bytes(4) + packed[-4:]):
        path.write_bytes(damaged)
        assert file_problem(path).startswith("the compressed file is truncated or damaged: ")


def test_a_card_that_no_job_could_read_is_a_problem_also_where_the_inventory_does_not_use_it(tmp_path):
    for number, name in ((0, "TELESCOP"), (1, "BUNIT")):
        path = make(tmp_path / f"{number}.fits")
        with fits.open(path, mode="update") as hdus:
            hdus[number].header[name] = "JWST"
        content = path.read_bytes()
        at = content.index(f"{name:<8}= ".encode()) + 10
        path.write_bytes(content[:at] + b"\x01" + content[at + 1 :])
        assert read_header_info(path)["problem"].startswith("not readable as FITS: ")
