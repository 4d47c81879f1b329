"""Paths that the workflow cannot use, and their form in messages."""

import pytest

from badpix.core.paths import is_same_file, path_problem, shown, text_problem


@pytest.mark.parametrize("path", ["a/b.fits", "/it's $(x) é [1] #.fits", "x" * 255, "a/" * 2000])
def test_usable_paths(path):
    assert path_problem(path) is None


@pytest.mark.parametrize(
    ("path", "words"),
    [("a\nb", "cannot be printed"), ("\0", "cannot be printed"), ("\udce9", "cannot be printed"),
     ("é" * 128, "is too long"), ("a/" * 2048, "is too long")],
)  # fmt: skip
def test_paths_that_no_file_can_have_or_that_cannot_be_shown(path, words):
    assert words in text_problem(path)
    assert words in path_problem(path)


@pytest.mark.parametrize("path", ["{x}", "a<b", "a>b", "}"])
def test_paths_that_snakemake_would_change(path):
    assert "has braces or angle brackets" in path_problem(path)
    assert text_problem(path) is None


def test_shown():
    assert shown("a é\n\x1b\udce9\ud800") == r"a é\n\x1b\xe9\ud800"


def test_same_file(tmp_path):
    path = tmp_path / "a"
    (tmp_path / "link").symlink_to(path)
    assert is_same_file(path, tmp_path / "link"), "also before it exists"
    path.touch()
    (tmp_path / "hard").hardlink_to(path)
    (tmp_path / "b").touch()
    assert is_same_file(path, tmp_path / "hard") and not is_same_file(path, tmp_path / "b")
