"""Reference files: damaged files are named, and jobs do not disturb each other in an empty cache."""

import json
import os
import time

import numpy as np
import pytest
from astropy.io import fits
from crds.core.utils import create_path

from badpix.detector1.job import process
from badpix.detector1.pipeline import PipelineSettings
from badpix.detector1.references import ReferencesUnavailable, reference_problem, require_sound, sole_user_of_cache
from badpix.statistics.flat import FlatMeasurement


def sound(folder):
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((50, 50)), name="SCI")]).writeto(folder / "gain.fits")
    (folder / "pars.asdf").write_bytes(b"#ASDF 1.0.0\n")
    (folder / "apcorr.json").write_text("{}", encoding="utf-8")
    return [folder / name for name in ("gain.fits", "pars.asdf", "apcorr.json")]


def test_sound_files_are_accepted(tmp_path):
    require_sound(sound(tmp_path))


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("length", [0, 1])
def test_a_damaged_file_is_named_with_the_remedy(number, length, tmp_path):
    files = sound(tmp_path)
    files[number].write_bytes(files[number].read_bytes()[:length])
    with pytest.raises(ReferencesUnavailable, match=rf"{files[number].name}: .*Remove it, let CRDS fetch it again"):
        require_sound(files)
    files[number].unlink()
    assert reference_problem(files[number]) == "no such file"


def test_a_truncated_image_is_noticed(tmp_path):
    path = sound(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:-2880])
    assert "truncated" in reference_problem(path)


def test_jobs_do_not_disturb_each_other_in_an_empty_cache(tmp_path, monkeypatch):
    """`create_path` of CRDS fails where another process makes the same folders: without the lock this test fails."""
    monkeypatch.setenv("CRDS_PATH", str(tmp_path / "cache"))
    for number in range(20):
        folder, start = (
            tmp_path / "cache" / "/".join(f"{number}.{depth}" for depth in range(30)),
            time.monotonic() + 0.01,
        )
        children = [child(folder, start) for _ in range(2)]
        assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0]


def child(folder, start):
    """A process that makes the folder at the time `start`; its id. It ends with 1 if CRDS fails."""
    if pid := os.fork():
        return pid
    while time.monotonic() < start:
        pass
    try:
        with sole_user_of_cache():
            create_path(str(folder))
        os._exit(0)
    except BaseException:
        os._exit(1)


def test_a_damaged_file_fails_the_job_and_rejects_no_exposure(tmp_path, monkeypatch):
    for name in ("CRDS_PATH", "CRDS_SERVER_URL", "CRDS_CONTEXT", "CRDS_OBSERVATORY"):
        monkeypatch.setenv(name, "jwst")  # restored after the test
    (tmp_path / "gain.fits").write_bytes(b"")
    listing = tmp_path / "references.json"
    listing.write_text(json.dumps({"context": "jwst_1.pmap", "files": {"gain.fits": {}}}), encoding="utf-8")
    inputs = {"uncal": tmp_path / "a_uncal.fits", "reference_pixel_mask": tmp_path / "m.fits", "references": listing}
    outputs = {"rateints": tmp_path / "a_rateints.fits"}
    crds = {"path": str(tmp_path), "server_url": None, "context": None}
    with pytest.raises(ReferencesUnavailable, match=r"gain\.fits: the file is empty"):
        process(inputs, outputs, "a", PipelineSettings("flat", {}, crds), FlatMeasurement())
    assert not outputs["rateints"].exists()
