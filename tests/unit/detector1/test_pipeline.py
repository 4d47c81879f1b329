"""Jobs of detector1: failures of an exposure or of the machine."""

import pytest

from badpix.core.errors import BadExposure
from badpix.detector1.pipeline import run_detector1


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
