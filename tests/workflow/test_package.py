"""The package for callers: the call as the bad pixel monitor of STScI (JWQL) makes it, and the installed wheel."""

import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from astropy.io import fits

from badpix.formats.mask_file import read_mask
from badpix.formats.truth_file import read_truth
from badpix.instrument.dq import PIXEL_FLAGS
from jwst_badpix import BadPixelsError, bad_pixel_mask
from workflow.conftest import FULL_RUN
from workflow.runner import PROJECT, announced_jobs, copy_run

pytestmark = pytest.mark.pipeline

N = 3  # exposures of a kind


def products(finished, folder, kind, product, ending):
    """Links to products of the finished run with the names that JWQL gives them."""
    found = sorted((finished / "results" / "NIS" / kind).glob(f"*_{product}.fits"))[:N]
    links = [folder / path.name.replace(f"_{product}.", f"_{ending}.") for path in found]
    for link, path in zip(links, found, strict=True):
        link.symlink_to(path)
    return [str(link) for link in links]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def jwql(finished, tmp_path):
    """The arguments of JWQL's call, which has darks and flats of two integrations."""
    data = tmp_path / "working"
    data.mkdir()
    flats = products(finished, data, "flats", "rateints", "1_ramp_fit")
    means = products(finished, data, "flats", "rate", "0_ramp_fit")
    return {
        "flat_slope_files": [means[0], *flats[1:]],
        "dead_search_type": "sigma_rate",
        "flat_mean_normalization_method": "smoothed",
        "run_dead_flux_check": True,
        "dead_flux_check_files": [str(path) for path in sorted((finished / "flats").glob("*"))[:N]],
        "flux_check": 35000,
        "dark_slope_files": products(finished, data, "darks", "rateints", "1_ramp_fit")[::-1],
        "dark_uncal_files": [str(path) for path in sorted((finished / "darks").glob("*"))[:N]],
        "dark_jump_files": products(finished, data, "darks", "jump", "jump"),
        "dark_fitopt_files": products(finished, data, "darks", "fitopt", "fitopt"),
        "plot": False,
        "output_file": str(tmp_path / "out" / "niriss_NIS_CEN_darks_59000.0_flats_59000.0_to_60000.0_bpm.fits"),
        "author": "jwst_reffiles",
        "description": "A bad pix mask",
        "pedigree": "GROUND",
        "useafter": "2222-04-01 00:00:00",
        "history": "This file was created by JWQL",
        "quality_check": False,
    }


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder of temporary files, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_the_call_of_jwql_makes_its_mask_and_nothing_else(finished, jwql, temporary, tmp_path, monkeypatch, caplog):
    """In another folder, with an absolute output file; then an error, which is the message of the workflow."""
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    before = names(tmp_path / "working")
    with caplog.at_level(logging.INFO, logger="jwst_badpix"):
        made = bad_pixel_mask.bad_pixels(**jwql, cores=2)
    assert made == Path(jwql["output_file"])
    assert names(tmp_path / "out") == [made.name]
    assert names(tmp_path / "elsewhere") == names(temporary) == []
    assert names(tmp_path / "working") == before
    assert f"{N} darks and {N} flats used, 0 rejected" in caplog.text and "pedigree is GROUND" in caplog.text

    dq, planted = read_mask(made), read_truth(finished / "truth.fits").pixels
    for kind, flag in (("hot_saturated", "HOT"), ("dead", "DEAD"), ("rc", "RC"), ("open", "OPEN")):
        pixels = planted[planted["type"] == kind]
        assert len(pixels) and (dq[pixels["y"], pixels["x"]] & PIXEL_FLAGS[flag] != 0).all(), kind
    header = fits.getheader(made)
    text = "\n".join(header["HISTORY"])
    assert "This file was created by JWQL" in text and header["USEAFTER"] == "2222-04-01T00:00:00"
    assert "flats: jw09002001001_03101_00001_nis_1_ramp_fit.fits" in text
    assert header["BADPIX FLUX_CHECK"] == 35000

    with pytest.raises(BadPixelsError) as caught:
        bad_pixel_mask.bad_pixels(**jwql | {"dead_search_type": "sigma"})
    assert str(caught.value).startswith("the configuration has 1 problem:\n  dead_search_type: 'sigma' is not allowed")
    assert names(temporary) == []


def test_the_installed_package_runs_the_same_workflow(finished, tmp_path):
    """With nothing of the repository: a finished run has no further jobs, and a pixel is explained."""
    target = tmp_path / "site-packages"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--no-compile", "--target", str(target), str(PROJECT)], check=True, timeout=120)
    directory = copy_run(finished, tmp_path / "run")
    (directory / "further.yaml").write_text(yaml.safe_dump(FULL_RUN), encoding="utf-8")
    command = [sys.executable, str(target / "bin" / "jwst-badpix")]
    options = {"capture_output": True, "text": True, "cwd": directory, "env": os.environ | {"PYTHONPATH": str(target)}}

    done = subprocess.run([*command, "run", "config.yaml", "further.yaml", "--cores", "1", "-n"], **options)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-4000:]
    assert "detector1_dark" not in announced_jobs(output) and str(target) in output
    done = subprocess.run([*command, "explain", "0", "0"], **options)
    assert done.returncode == 0 and done.stdout.startswith("NIS: x 0, y 0"), done.stderr
