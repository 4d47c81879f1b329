"""Bad exposures among good ones: each gets its own reason, and the mask stays what the good ones make it."""

import csv
import os
import shutil

import numpy as np
import pytest
from astropy.io import fits

from badpix.detector1.job import process
from badpix.detector1.pipeline import PipelineSettings
from badpix.formats.mask_file import read_mask
from badpix.formats.statistics_file import rejection_reason
from badpix.instrument.detectors import load_detectors
from badpix.statistics.dark import DarkMeasurement
from badpix.statistics.flat import FlatMeasurement
from workflow.conftest import FULL_RUN, value_once
from workflow.corruptions import given_without_values, good
from workflow.runner import PROJECT, copy_run, snakemake, succeed

pytestmark = pytest.mark.pipeline

DETECTORS = load_detectors(PROJECT / "config" / "detectors")


def some_dark(directory, number=1):
    return sorted((directory / "darks").glob("*_uncal.fits"))[number - 1]


def spoiled(directory, name, change):
    """Write a changed copy of a dark as darks/<name>_uncal.fits."""
    path = directory / "darks" / f"{name}_uncal.fits"
    with fits.open(some_dark(directory)) as source:
        hdus = fits.HDUList([hdu.copy() for hdu in source])
    change(hdus)
    hdus.writeto(path)
    return path


def truncate(path, fraction):
    os.truncate(path, int(path.stat().st_size * fraction))


def set_key(key, value):
    return lambda hdus: hdus[0].header.set(key, value)


def remove_sci(hdus):
    hdus["SCI"].name = "IMAGE"


# File name -> how it is spoiled, and words of the reason that it must get.
SPOILED = {
    "missing_extension": (remove_sci, "no SCI extension"),
    "wrong_detector": (lambda hdus: (set_key("DETECTOR", "NRCA1")(hdus), set_key("INSTRUME", "NIRCAM")(hdus),
                                     set_key("EXP_TYPE", "NRC_DARK")(hdus), set_key("FASTAXIS", -1)(hdus),
                                     set_key("SLOWAXIS", 2)(hdus)), "DETECTOR is NRCA1, not NIS"),
    "wrong_exp_type": (set_key("EXP_TYPE", "NIS_LAMP"), "EXP_TYPE is 'NIS_LAMP'; darks of NIS are NIS_DARK"),
    "wrong_readpatt": (set_key("READPATT", "NIS"), "READPATT is 'NIS', the rest have 'NISRAPID'"),
    "too_few_groups": (lambda hdus: (set_key("NGROUPS", 1)(hdus),
                                     setattr(hdus["SCI"], "data", hdus["SCI"].data[:, :1])), "NGROUPS is 1"),
    "no_group_time": (set_key("TGROUP", 0.0), "TGROUP is 0.0, not a number from 0.0001 to"),
    "wrong_shape": (set_key("NGROUPS", 29), "NGROUPS, SUBSIZE2, SUBSIZE1 are [29, 64, 64]"),
}  # fmt: skip


@pytest.fixture(scope="session")
def with_bad_darks(finished, tmp_path_factory):
    """The finished run with bad darks added, run again: (directory, Run). Read only."""

    def make(directory):
        copy_run(finished, directory)
        for name, (change, _) in SPOILED.items():
            spoiled(directory, name, change)
        truncate(spoiled(directory, "truncated", lambda hdus: None), 0.7)
        (directory / "darks" / "empty_uncal.fits").touch()
        (directory / "darks" / "text_uncal.fits").write_text("this is not FITS\n" * 400)
        return succeed(directory, config=FULL_RUN)

    return value_once(tmp_path_factory, "with_bad_darks", make)


REASONS = {name: words for name, (_, words) in SPOILED.items()} | {
    "truncated": "the file is truncated",
    "empty": "the file is empty",
    "text": "not readable as FITS",
}


@pytest.mark.parametrize("name", REASONS)
def test_each_bad_exposure_gets_its_own_reason(name, with_bad_darks):
    directory, _ = with_bad_darks
    with (directory / "results" / "NIS" / "rejected_exposures.csv").open(newline="") as table:
        reasons = {row["input"]: row["reason"] for row in csv.DictReader(table)}
    assert REASONS[name] in reasons[name]
    assert set(reasons) == set(REASONS)
    history = "".join(str(card) for card in fits.getheader(directory / "results" / "NIS" / "test_bpm.fits")["HISTORY"])
    assert f"Rejected: {name}: {reasons[name]}"[:70] in history


def test_the_rest_of_the_run_completes_and_the_mask_is_the_same(with_bad_darks, finished):
    directory, run = with_bad_darks
    assert set(run.jobs) == {"bad_pixel_mask", "plots", "quality_check"}
    before, after = (read_mask(where / "results" / "NIS" / "test_bpm.fits") for where in (finished, directory))
    assert np.array_equal(before, after)


def test_on_bad_exposure_fail_stops_before_any_job(finished_copy):
    truncate(spoiled(finished_copy, "truncated", lambda hdus: None), 0.5)
    run = snakemake(finished_copy, config=FULL_RUN | {"on_bad_exposure": "fail"})
    assert run.status != 0
    assert "truncated: uncal file: the file is truncated" in run.output
    assert "Traceback" not in run.output
    assert not run.jobs


def test_too_few_darks_remain(simulated, tmp_path):
    directory = tmp_path / "run"
    shutil.copytree(simulated, directory)
    cut = sorted((directory / "darks").glob("*"))[:3]
    for path in cut:
        truncate(path, 0.5)
    run = snakemake(directory)
    assert run.status != 0
    assert "NIS: no mask, because 2 usable darks remain and min_darks is 3" in run.output
    assert ", ".join(path.name.removesuffix("_uncal.fits") for path in cut) + ": uncal file: the file is " in run.output
    assert "Traceback" not in run.output


def test_what_only_the_pipeline_notices_is_rejected_with_its_reason(simulated, results, tmp_path):
    """A group time of zero passes every step up to the ramp fit; the products then contain the reason."""
    shutil.copytree(simulated / "darks", tmp_path / "darks")
    raw = spoiled(tmp_path, "late", set_key("TGROUP", 0.0))
    outputs = {product: tmp_path / f"late_{product}.fits" for product in ("statistics", "rateints", "rate", "jump")}
    crds = {
        "path": str(simulated / "crds_cache"),
        "server_url": "https://jwst-serverless.invalid",
        "context": None,
    }
    inputs = {"uncal": raw, "reference_pixel_mask": results / "reference_pixel_mask.fits"}
    settings = PipelineSettings("dark", {"dark_current": {"skip": True}}, crds)
    process(inputs, outputs, "late", settings, DarkMeasurement(DETECTORS["NIS"], 0.25))
    for path in outputs.values():
        assert rejection_reason(path).startswith("calwebb_detector1 failed: ZeroDivisionError")
    assert not list(tmp_path.glob(".detector1-*")), "the scratch directory is left behind"


def test_a_flat_that_fails_in_statistics_does_not_stop_the_vote(finished_copy):
    """Rates without values: the exposure is left out, the others vote."""
    given_without_values(finished_copy, 1)
    run = succeed(finished_copy, config=FULL_RUN | {"flats": None, "flat_slope_files": "given"})
    assert run.jobs["flat_statistics"] == 5
    text = (finished_copy / "results" / "NIS" / "rejected_exposures.csv").read_text()
    assert "has no valid value in any of" in text


def test_a_raw_exposure_without_a_measurement_keeps_its_rates(finished, tmp_path):
    """The pipeline succeeds, and the file for the flux check has another shape: only the statistics are rejected."""
    name, raw = good(finished, "flats")
    with fits.open(raw) as hdus:
        hdus["SCI"].data = hdus["SCI"].data[:1]
        hdus.writeto(tmp_path / "other_uncal.fits")
    outputs = {product: tmp_path / f"{name}_{product}.fits" for product in ("statistics", "rate")}
    crds = {"path": str(finished / "crds_cache"), "server_url": "https://jwst-serverless.invalid", "context": None}
    inputs = {
        "uncal": raw,
        "reference_pixel_mask": finished / "results" / "NIS" / "reference_pixel_mask.fits",
        "flux_check": tmp_path / "other_uncal.fits",
    }
    process(inputs, outputs, name, PipelineSettings("flat", {}, crds), FlatMeasurement())
    assert rejection_reason(outputs["rate"]) is None
    assert "shapes differ" in rejection_reason(outputs["statistics"])
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"other_uncal.fits", *(path.name for path in outputs.values())}
