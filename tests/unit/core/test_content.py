"""Stamps and checksums of files."""

import hashlib
import os

import pytest

from badpix.core.content import FileChanged, sha256_of, stamp, unchanged


def test_the_sha256_is_that_of_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 5_000_000)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"x" * 5_000_000).hexdigest()


def test_another_content_of_equal_size_and_time_has_another_stamp(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    before = stamp(path)
    (tmp_path / "b").write_bytes(b"2")
    os.utime(tmp_path / "b", ns=(before[1], before[1]))
    (tmp_path / "b").replace(path)
    assert stamp(path)[:2] == before[:2] and stamp(path) != before


@pytest.mark.parametrize("change", ["write", "replace", "remove"])
def test_a_file_that_changes_while_it_is_read_is_named(change, tmp_path):
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"1")
    other.write_bytes(b"2")
    with pytest.raises(FileChanged, match="a changed while it was read; run again"), unchanged(path):
        if change == "write":
            path.write_bytes(b"3")
        elif change == "replace":
            other.replace(path)
        else:
            path.unlink()
        raise ValueError("what the reader makes of it")


def test_a_file_that_stays_is_no_error(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    with unchanged(tmp_path / "a", tmp_path / "missing"):
        pass
