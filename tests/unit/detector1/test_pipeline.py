"""Jobs of detector1: the files of killed jobs, and failures of an exposure or of the machine."""

import pytest

from badpix.core.errors import BadExposure
from badpix.detector1.pipeline import run_detector1, scratch_directory


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


@pytest.mark.parametrize(
    ("error", "file_is_there", "raised"),
    [
        (ValueError("odd data"), True, BadExposure),
        (SystemExit(1), True, SystemExit),
        (FileNotFoundError(2, "No such file: reference"), True, FileNotFoundError),
        (OSError("Not enough space on disk: requested 9, available 1"), True, OSError),
        # Another run has taken over the exposure and removed its files.
        (ValueError("odd data"), False, ValueError),
    ],
)
def test_faults_of_the_exposure_and_of_the_machine(monkeypatch, tmp_path, error, file_is_there, raised):
    from jwst.pipeline import Detector1Pipeline

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(Detector1Pipeline, "call", fail)
    uncal = tmp_path / "a_uncal.fits"
    if file_is_there:
        uncal.touch()
    with pytest.raises(raised) as caught:
        run_detector1(uncal, {}, tmp_path)
    assert (caught.type is BadExposure) == (raised is BadExposure)
