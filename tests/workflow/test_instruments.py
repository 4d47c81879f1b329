"""One run over raw exposures of several instruments: a mask of each detector, right on every one of them."""

import os
import subprocess
import sys

import pytest
import yaml
from astropy.io import fits

from badpix.score_files import read_findings, read_truth
from badpix.score_pixels import score_run
from badpix.score_tables import completeness_table, healthy_table, purity_table
from badpix.simulate.crds_cache import write_crds_cache
from badpix.simulate.detector import make_detector
from badpix.simulate.headers import make_geometry
from badpix.simulate.ramps import simulate_exposure
from badpix.simulate.truth import write_truth
from badpix.simulate.uncal import write_uncal
from workflow.conftest import make_once, write_config
from workflow.runner import PROJECT, succeed

pytestmark = pytest.mark.pipeline

PRESET = yaml.safe_load((PROJECT / "config" / "presets" / "flight.yaml").read_text(encoding="utf-8"))
# Detector -> instrument and size: MIRI without superbias and with interleaved outputs, NIRSpec read along y in a strip
# of 2048 x 32 pixels, FGS.
DETECTORS = {"MIRIMAGE": ("MIRI", 256), "NRS2": ("NIRSPEC", 256), "GUIDER1": ("FGS", 128)}
N_EXPOSURES, N_INTEGRATIONS, N_GROUPS, SEED = 3, 2, 20, 7


@pytest.fixture(scope="session")
def several(tmp_path_factory):
    """A finished run over darks and flats of all DETECTORS, which lie in the same two folders. Read only."""

    def make(directory):
        models = [make_detector(make_geometry(*DETECTORS[name], name), SEED) for name in DETECTORS]
        for model in models:
            name = model.geometry.detector
            write_truth(directory / f"{name}.fits", directory / f"{name}.csv", model, SEED)
            for kind in ("dark", "flat"):
                (directory / f"{kind}s").mkdir(exist_ok=True)
                for index in range(1, N_EXPOSURES + 1):
                    counts = simulate_exposure(model, kind, index, N_INTEGRATIONS, N_GROUPS, SEED)
                    write_uncal(directory / f"{kind}s", counts, model.geometry, kind, index)
        write_crds_cache(directory / "crds_cache", models, N_GROUPS)
        write_config(directory)
        succeed(directory, "--until", "bad_pixel_mask", config=PRESET | {"detectors": "all"})

    def make_folder(directory):
        directory.mkdir()
        make(directory)

    return make_once(tmp_path_factory, "several", make_folder)


@pytest.fixture(params=DETECTORS)
def made(request, several):
    """(detector, its Score)."""
    results = several / "results" / request.param
    findings = read_findings(results / "evidence.fits", results / "test_bpm.fits")
    return request.param, score_run(read_truth(several / f"{request.param}.fits"), findings, N_EXPOSURES)


def test_every_planted_type_is_found_as_itself(made):
    _, score = made
    table = completeness_table(score).set_index("type")
    wanted = table[table["expected"] != ""]
    assert wanted["completeness"].min() >= 0.95, wanted["completeness"]
    assert wanted["planted"].min() >= 5


def test_nothing_is_found_as_what_it_is_not(made):
    _, score = made
    table = purity_table(score).set_index("detection")
    assert table["purity"].dropna().min() >= 0.95, table
    healthy = healthy_table(score).set_index("type")
    # MIRI has no superbias: pixels whose bias lies five standard deviations off have a pedestal that does.
    assert healthy.loc["any type", "healthy_flagged"] <= 5


def test_crds_certify(made, several):
    detector, _ = made
    environment = os.environ | {
        "CRDS_PATH": str(several / "crds_cache"), "CRDS_SERVER_URL": "https://jwst-serverless.invalid",
        "CRDS_OBSERVATORY": "jwst",
    }  # fmt: skip
    mask = several / "results" / detector / "test_bpm.fits"
    command = [sys.executable, "-m", "crds.certify", "-z", str(mask)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stdout + run.stderr


def test_each_mask_is_of_its_detector_and_array(several):
    geometry = {}
    for detector in DETECTORS:
        header = fits.getheader(several / "results" / detector / "test_bpm.fits", 0)
        assert header["DETECTOR"] == detector
        geometry[detector] = [header[key] for key in ("INSTRUME", "SUBARRAY", "SUBSIZE1", "SUBSIZE2", "SUBSTRT1")]
    assert geometry == {
        "MIRIMAGE": ["MIRI", "SUB256", 256, 256, 413],
        "NRS2": ["NIRSPEC", "SUB2048", 2048, 32, 1],
        "GUIDER1": ["FGS", "128X128", 128, 128, 1921],
    }


def test_a_second_run_has_nothing_to_do(several):
    config = PRESET | {"detectors": "all"}
    assert succeed(several, "--until", "bad_pixel_mask", "--dry-run", config=config).nothing_to_do
