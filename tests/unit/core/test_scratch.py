"""Scratch directories: allowed directories, and the files in them from making to removal."""

import pytest

from badpix.core.scratch import ScratchError, check_scratch, discard, move_to_scratch, own_directory


@pytest.fixture
def folders(tmp_path):
    """A scratch directory and a folder of results."""
    scratch, folder = tmp_path / "scratch", tmp_path / "results" / "NIS" / "darks"
    scratch.mkdir()
    folder.mkdir(parents=True)
    return scratch, folder


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("scratch", "must be an absolute path"),
        ("{}/results/../scratch", "must be an absolute path"),
        ("{}/nowhere", "must be a directory that exists"),
        ("{}/file", "must be a directory that exists"),
        ("{}/results", "must lie outside of the results"),
        ("{}/results/NIS", "must lie outside of the results"),
        ("{}/link", "must lie outside of the results"),
    ],
)
def test_unusable_directories_are_refused(path, reason, folders, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "results" / "NIS")
    path = path.format(tmp_path)
    with pytest.raises(ScratchError, match=reason) as error:
        check_scratch(path, tmp_path / "results")
    assert repr(path) in str(error.value)


def test_a_directory_beside_the_results_is_accepted(folders, tmp_path):
    check_scratch(str(folders[0]), tmp_path / "results")


def test_a_file_lies_in_scratch_until_it_is_discarded(folders, tmp_path):
    scratch, folder = folders
    for text in ("of a killed job", "whole"):  # the second file replaces the first
        (tmp_path / "made").write_text(text)
        move_to_scratch(tmp_path / "made", folder / "a_jump.fits", scratch)
    (kept,) = scratch.glob("*/*")
    assert (folder / "a_jump.fits").is_symlink() and (folder / "a_jump.fits").read_text() == "whole"
    assert [path.name for path in folder.iterdir()] == ["a_jump.fits"]
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    discard(folder / "a_jump.fits")
    assert not kept.exists()


def test_other_files_and_links_are_not_discarded(folders, tmp_path):
    scratch, folder = folders
    (tmp_path / "own_jump.fits").write_text("the user's own")
    (folder / "own_jump.fits").symlink_to(tmp_path / "own_jump.fits")
    (folder / "b_jump.fits").write_text("no link")
    (tmp_path / "made").write_text("of another folder")
    move_to_scratch(tmp_path / "made", tmp_path / "c_jump.fits", scratch)
    (folder / "c_jump.fits").symlink_to((tmp_path / "c_jump.fits").readlink())
    for path in list(folder.iterdir()):
        discard(path)
        assert path.exists(), path


def test_two_folders_of_results_have_different_directories(folders, tmp_path):
    scratch, folder = folders
    assert own_directory(scratch, folder) == own_directory(scratch, folder)
    assert own_directory(scratch, folder) != own_directory(scratch, tmp_path)


def test_a_directory_made_by_another_user_is_refused(folders, tmp_path):
    scratch, folder = folders
    name = own_directory(scratch, folder).name
    (scratch / name).rmdir()
    (scratch / name).symlink_to(tmp_path / "results")
    with pytest.raises(ScratchError, match=f"{name} is a link or belongs to another user"):
        own_directory(scratch, folder)
