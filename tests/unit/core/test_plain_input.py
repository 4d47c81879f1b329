"""Text files of the user: regular files of a limited size."""

import os
from pathlib import Path

import pytest

from badpix.core.plain_input import read_text


def test_the_text_is_read_with_its_line_ends(tmp_path):
    (tmp_path / "a.txt").write_bytes("é\r\nb".encode())
    assert read_text(tmp_path / "a.txt", limit=5) == "é\r\nb"


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_only_regular_files_are_read(tmp_path, make):
    make(tmp_path / "a")
    with pytest.raises(OSError, match="is (a directory|no regular file)"):
        read_text(tmp_path / "a")


def test_a_file_that_is_too_large_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(bytes(101))
    with pytest.raises(OSError, match="has more than 0 MB"):
        read_text(tmp_path / "a", limit=100)
