"""The whole workflow on a simulated detector, through the real calwebb_detector1."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from stdatamodels.jwst.datamodels import MaskModel

from badpix.formats.mask_file import read_mask
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.score.pixels import Findings, score_run
from badpix.score.tables import completeness_table
from score import read_truth
from workflow.planes import bits_by_type, plane_of_types

pytestmark = pytest.mark.pipeline

OWN_TYPE = {
    "dead": "DEAD",
    "hot_saturated": "hot",
    "low_pedestal": "low_pedestal",
    "telegraph": "high_cr",
    "rc": "rc",
    "noisy": "noisy",
    "low_qe": "LOW_QE",
    "open": "OPEN",
}


@pytest.fixture(scope="session")
def pixels(simulated):
    return Table.read(simulated / "truth.fits", hdu="PIXELS")


@pytest.fixture(scope="session")
def found(results):
    return plane_of_types(results / "evidence.fits", "FOUND")


def planted(pixels, name):
    chosen = pixels[[str(kind).strip() == name for kind in pixels["type"]]]
    assert len(chosen) > 0, f"nothing planted as {name}"
    return np.asarray(chosen["y"]), np.asarray(chosen["x"])


@pytest.mark.parametrize("name", OWN_TYPE)
def test_planted_pixels_are_found_in_their_own_type(name, pixels, found):
    assert found[OWN_TYPE[name]][planted(pixels, name)].mean() >= 0.98


@pytest.mark.parametrize(
    "name", ["minority_hot_saturated", "minority_telegraph", "minority_low_pedestal", "minority_rc"]
)
def test_no_vote_flags_what_is_bad_in_a_minority(name, pixels, found):
    where = planted(pixels, name)
    assert not any(found[kind][where].any() for kind in ("hot", "rc", "low_pedestal", "high_cr"))


def test_score_agrees_with_the_planes(simulated, results, found, pixels):
    with fits.open(results / "evidence.fits") as hdus:
        image, bits = np.array(hdus["FOUND"].data), bits_by_type(hdus)
    findings = Findings(image, bits, read_mask(results / "test_bpm.fits"))
    table = completeness_table(score_run(read_truth(simulated / "truth.fits"), findings))
    row = table.set_index("type").loc["telegraph"]
    assert row["found"] == found["high_cr"][planted(pixels, "telegraph")].sum()


class TestTraps:
    """What the mask that CRDS selects and the dark reference would hide (see docs/explanation/algorithm.md)."""

    def test_flagged_in_the_crds_mask_but_healthy_comes_out_unflagged(self, simulated, results, pixels):
        where = planted(pixels, "crds_flagged_healthy")
        (crds_mask,) = (simulated / "crds_cache").rglob("*mask*.fits")
        assert (read_mask(crds_mask)[where] & PIXEL_FLAGS["DO_NOT_USE"]).all(), "the trap is not set"
        assert not read_mask(results / "test_bpm.fits")[where].any()

    def test_dead_and_flagged_in_the_crds_mask_comes_out_dead(self, results, pixels):
        where = planted(pixels, "crds_flagged_dead")
        assert (read_mask(results / "test_bpm.fits")[where] & PIXEL_FLAGS["DEAD"]).all()

    def test_hot_pixels_keep_their_signal(self, simulated, results, pixels):
        """The dark reference knows the hot pixels; subtracted, it would take their slopes to zero."""
        where = planted(pixels, "hot")
        (dark,) = (simulated / "crds_cache").rglob("*dark*.fits")
        known = np.diff(fits.getdata(dark, "SCI"), axis=-3)
        known = known.reshape(-1, *known.shape[-2:])[0][where]
        with fits.open(next((results / "darks").glob("*_dark_statistics.fits"))) as hdus:
            per_group = hdus["SLOPE"].data[0][where] * hdus[0].header["TGROUP"]
        assert (known > 10).all(), "the trap is not set"
        assert np.median(per_group / known) == pytest.approx(1, abs=0.1)

    def test_the_products_say_which_mask_was_used(self, results):
        for path in [*(results / "darks").glob("*_rateints.fits"), *(results / "flats").glob("*_rateints.fits")]:
            assert fits.getheader(path)["R_MASK"].endswith("reference_pixel_mask.fits")


class TestMask:
    """The reference file itself."""

    def test_opens_with_its_keywords(self, results):
        with MaskModel(results / "test_bpm.fits", strict_validation=True) as model:
            meta = model.meta
            assert model.dq.shape == (64, 64)
            assert model.dq.dtype == np.uint32
            assert (meta.reftype, meta.telescope, meta.instrument.name, meta.instrument.detector) == (
                "MASK", "JWST", "NIRISS", "NIS",
            )  # fmt: skip
            assert (meta.author, meta.description, meta.pedigree) == ("jwst_reffiles", "A bad pix mask", "GROUND")
            assert meta.useafter == "2019-04-01T00:00:00"
            assert (meta.subarray.xsize, meta.subarray.ysize) == (64, 64)
            names = {row["NAME"] for row in model.dq_def}
            assert {"DO_NOT_USE", "DEAD", "HOT", "RC", "TELEGRAPH", "REFERENCE_PIXEL"} <= names

    def test_geometry_is_that_of_the_data(self, results, simulated):
        raw = fits.getheader(next((simulated / "darks").glob("*.fits")))
        mask = fits.getheader(results / "test_bpm.fits")
        for key in ("SUBARRAY", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2", "FASTAXIS", "SLOWAXIS"):
            assert mask[key] == raw[key]

    def test_history_names_inputs_versions_and_context(self, results, simulated):
        history = "".join(str(card) for card in fits.getheader(results / "test_bpm.fits")["HISTORY"])
        for path in [*(simulated / "darks").glob("*.fits"), *(simulated / "flats").glob("*.fits")]:
            assert path.name in history
        for word in ("jwst 3", "numpy", "CRDS context: jwst_"):
            assert word in history

    def test_parameters_in_the_header_are_those_used(self, results):
        header = fits.getheader(results / "test_bpm.fits")
        assert header["BADPIX DARK_NOISY_THRESHOLD"] == 5
        assert header["BADPIX DEAD_SIGMA_THRESHOLD"] == 5.0
        assert header["BADPIX FLAG_VALUES.HOT"] == "HOT"
        assert "BADPIX FLUX_CHECK" not in header, "the flux check was not run"

    def test_crds_certify(self, results, simulated):
        environment = os.environ | {
            "CRDS_PATH": str(simulated / "crds_cache"),
            "CRDS_SERVER_URL": "https://jwst-serverless.invalid",
            "CRDS_OBSERVATORY": "jwst",
        }
        done = subprocess.run(
            [sys.executable, "-m", "crds.certify", "-z", str(results / "test_bpm.fits")],
            capture_output=True,
            text=True,
            env=environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "0 errors" in done.stdout + done.stderr

    def test_quality_check_reports_the_flags(self, results):
        report = json.loads((results / "quality_check.json").read_text())
        dq = read_mask(results / "test_bpm.fits")
        assert report["passed"] is True
        assert report["pixels_per_flag"]["DEAD"] == np.count_nonzero(dq & PIXEL_FLAGS["DEAD"])

    def test_summary_counts_what_the_mask_holds(self, results, found):
        summary = pd.read_csv(results / "summary.csv").set_index(["kind", "name"])
        dq = read_mask(results / "test_bpm.fits")
        for name, image in found.items():
            assert summary.loc[("type", name), "n_pixels"] == image.sum()
        for name, bit in PIXEL_FLAGS.items():
            count = np.count_nonzero(dq & np.uint32(bit))
            assert summary["n_pixels"].get(("flag", name), 0) == count

    def test_evidence_votes(self, results):
        with fits.open(results / "evidence.fits") as hdus:
            k, n = hdus["SATURATED_K"].data, hdus["SATURATED_N"].data
            assert n.max() == 10
            assert (k <= n).all()
            assert ((2 * k >= n) & (k > 0) == plane_of_types(results / "evidence.fits", "FOUND")["hot"]).all()


def test_plots_are_an_image(results):
    from matplotlib.image import imread

    assert imread(results / "plots.png").shape[0] > 500
