"""Files are complete or absent, and header cards take any text."""

import errno
import os
import stat

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from badpix.core.files import atomic_path, card_text, is_machine_fault, no_space, write_text


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_the_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "deep" / "a.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent == path.parent, "a rename is atomic within a file system only"
        assert temporary.name.endswith("a.txt")
    assert path.read_text() == "whole"
    assert names(path.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_when_the_block_raises(tmp_path, error):
    with pytest.raises(error), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("ha")
        raise error
    assert names(tmp_path) == []


def test_the_old_file_survives_a_failure(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(OSError, match="disk full"), atomic_path(path) as temporary:
        temporary.write_text("ne")
        raise OSError("disk full")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]
    write_text(path, "new")
    assert path.read_text() == "new"


def test_a_block_without_a_file_at_its_end_fails(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.unlink()
    assert names(tmp_path) == []


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_permissions_are_those_of_any_new_file(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a.txt", "x")
        assert os.umask(umask) == umask, "the umask is put back"
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode


def test_names_with_spaces_brackets_and_dots(tmp_path):
    path = tmp_path / "a b [1].x.fits.gz"
    with atomic_path(path) as temporary:
        fits.PrimaryHDU().writeto(temporary, overwrite=True)
    assert path.read_bytes()[:2] == b"\x1f\x8b", "the suffix determines the format"


def test_text_is_utf8(tmp_path):
    write_text(tmp_path / "a.csv", "naïve,±\n")
    assert (tmp_path / "a.csv").read_bytes() == "naïve,±\n".encode()


@pytest.mark.parametrize(
    ("text", "card"),
    [
        ("plain  text", "plain  text"),
        ("two\nlines\r\n\n  and a third ", "two lines and a third"),
        ("a\ttab", "a tab"),
        ("\x1b[31mred\x07\x00", r"\x1b[31mred\x07\x00"),
        ("naïve ☃", r"na\xefve \u2603"),
        ("", ""),
        (ValueError("wrong: 'x'"), "wrong: 'x'"),
    ],
)
def test_card_text(text, card):
    assert card_text(text) == card


@given(st.text())
def test_every_text_makes_a_card(text):
    header = fits.Header()
    header["REASON"] = card_text(text)
    assert "\n" not in header["REASON"]
    assert card_text(card_text(text)) == card_text(text)


def test_files_of_killed_jobs_are_removed_when_the_file_is_written_again(tmp_path):
    write_text(tmp_path / "b-a.txt", "other")
    for name in (".partial-abcdefgh-a.txt", ".partial-abcd_123-b-a.txt", ".partial-x-a.txt"):
        (tmp_path / name).write_text("half")
    write_text(tmp_path / "a.txt", "whole")
    assert names(tmp_path) == [".partial-abcd_123-b-a.txt", ".partial-x-a.txt", "a.txt", "b-a.txt"]


@pytest.mark.parametrize("name", ["ü.fits", "[a]?*.fits"])
def test_temporary_names_are_ascii_and_found_again(tmp_path, name):
    with atomic_path(tmp_path / name) as temporary:
        assert temporary.name.isascii()
        temporary.write_text("x")
        left = tmp_path / temporary.name.replace(temporary.name[9:17], "abcdefgh")
        left.touch()
    write_text(tmp_path / name, "y")
    assert names(tmp_path) == [name]


def chained(cause):
    error = ValueError("the ramps cannot be saved")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "machine", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True, True),
        (OSError("Not enough space on disk: requested 9, available 1"), True, True),
        (chained(OSError(errno.EDQUOT, "Disk quota exceeded")), True, True),
        (FileNotFoundError(errno.ENOENT, "No such file"), True, False),
        (MemoryError(), True, False),
        (OSError("Header missing END card."), False, False),
        (OSError(errno.EINVAL, "Invalid argument"), False, False),
        (chained(FileNotFoundError(errno.ENOENT, "No such file")), False, False),
        (KeyError("NAXIS5"), False, False),
    ],
)
def test_faults_of_the_machine_and_of_a_file(error, machine, full):
    assert is_machine_fault(error) == machine
    assert no_space(error) == full
