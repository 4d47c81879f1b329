"""Scratch directories: allowed directories, their place, and what killed jobs leave."""

from pathlib import Path

import pytest

from badpix.core.scratch import (
    AUTO,
    ScratchError,
    check_scratch,
    free_memory_mb,
    own_directory,
    scratch_directory,
    scratch_parent,
    sweep_memory,
)


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
        ("scratch", "must be auto, or an absolute path"),
        ("{}/results/../scratch", "must be auto, or an absolute path"),
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
    check_scratch(AUTO, tmp_path / "results")


def test_directories_of_killed_jobs_of_the_exposure_are_removed(tmp_path):
    for name in (".detector1-a-abcdefgh", ".detector1-a-b-abcdefgh", ".detector1-[a]-abcdefgh"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half.fits").touch()
    with scratch_directory(tmp_path, "a") as scratch:
        assert scratch.startswith(str(tmp_path / ".detector1-a-"))
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".detector1-[a]-abcdefgh", ".detector1-a-b-abcdefgh"]
    with scratch_directory(tmp_path, "[a]"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".detector1-a-b-abcdefgh"]


def test_a_job_that_runs_keeps_its_directory(tmp_path):
    """A node that was thought dead may still work on the exposure."""
    with scratch_directory(tmp_path, "a") as first:
        (Path(first) / "half.fits").touch()
        with scratch_directory(tmp_path, "a") as second:
            assert second != first
        assert (Path(first) / "half.fits").exists()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def memory(tmp_path, monkeypatch):
    """A directory in place of the file system in memory, with 1000 MB free."""
    monkeypatch.setattr("badpix.core.scratch.IN_MEMORY", tmp_path / "memory")
    monkeypatch.setattr("badpix.core.scratch.free_memory_mb", lambda: 1000.0)
    (tmp_path / "memory").mkdir()
    return tmp_path / "memory"


def test_memory_is_used_where_all_jobs_fit(memory, folders):
    scratch, folder = folders
    assert scratch_parent(AUTO, folder, 500, 2).parent == memory
    assert scratch_parent(AUTO, folder, 501, 2) == folder
    assert scratch_parent(str(scratch), folder, 501, 2).parent == scratch
    assert scratch_parent(None, folder, 1, 1) == folder


def test_what_killed_jobs_left_in_memory_is_removed(memory, folders, monkeypatch):
    parent = scratch_parent(AUTO, folders[1], 1, 1)
    with scratch_directory(parent, "running") as running:
        for name in ("killed", "starting"):
            (parent / f".detector1-{name}-abcdefgh").mkdir()
            (parent / f".detector1-{name}-abcdefgh" / "half.fits").touch()
        sweep_memory()
        assert len(list(parent.iterdir())) == 3, "a job that has just started may not hold its directory yet"
        monkeypatch.setattr("badpix.core.scratch.STARTING_S", -1)
        sweep_memory()
        assert [str(path) for path in parent.iterdir()] == [running]
    sweep_memory()
    assert list(memory.iterdir()) == []


def test_the_limit_of_a_control_group_counts(tmp_path, monkeypatch):
    """The memory of a container or a job is less than that of the machine."""
    # A file system of the usual size: some containers have little in memory.
    monkeypatch.setattr("badpix.core.scratch.IN_MEMORY", tmp_path)
    monkeypatch.setattr("os.path.ismount", lambda _path: True)
    monkeypatch.setattr("badpix.core.scratch.CGROUPS", tmp_path)
    assert free_memory_mb() > 100
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    assert free_memory_mb() == 2.0
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory_mb() > 100


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
