"""Variants of a finished run: several masks from its statistics, which no job measures again."""

import hashlib
import shutil

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from badpix.formats.mask_file import read_mask, read_warnings
from badpix.formats.provenance import read_provenance
from badpix.instrument.dq import PIXEL_FLAGS
from workflow.files_page import undescribed
from workflow.key_changes import DARK
from workflow.products import same
from workflow.runner import snakemake, succeed

pytestmark = pytest.mark.pipeline

HOT, UNRELIABLE_SLOPE = PIXEL_FLAGS["HOT"], PIXEL_FLAGS["UNRELIABLE_SLOPE"]
VARIANTS = {
    "standard": {},
    "electrons": {
        "hot_rate_threshold_e_per_s": {"NIS": 400}, "warm_rate_threshold_e_per_s": 200,
        "cold_rate_threshold_e_per_s": 0.004, "flag_values": {"hot": ["HOT", "UNRELIABLE_SLOPE"]},
    },
    "numbers": {"hot_rate_threshold_e_per_s": 400, "gain_e_per_dn": 1.6, "cold_rate_threshold": -50},
    "minimal": {"dark_do_not_use": ["hot"], "description": "Minimal", "output_file": "minimal.fits"},
}  # fmt: skip


def check_electrons(directory, folder):
    """The limits in e-/s follow the gain of CRDS, which HISTORY and inputs.csv name."""
    (reference,) = (directory / "crds_cache").rglob("*_gain_*.fits")
    history = " ".join(fits.getheader(folder / "test_bpm.fits")["HISTORY"])
    assert f"Gain: {reference.name} (jwst_0001.pmap), median " in history
    inputs = pd.read_csv(folder / "inputs.csv")
    (row,) = inputs[inputs["kind"] == "reference"].to_dict("records")
    assert row["file"] == reference.name and row["sha256"] == hashlib.sha256(reference.read_bytes()).hexdigest()
    found = read_mask(folder / "test_bpm.fits")
    assert ((found & HOT != 0) == (found & UNRELIABLE_SLOPE != 0)).all()
    assert (found & HOT != 0).sum() > (read_mask(directory / "results" / "NIS" / "test_bpm.fits") & HOT != 0).sum()
    counts = pd.read_csv(folder / "summary.csv").set_index("name")["n_insufficient"]
    assert counts["cold"] > 3000 and counts["warm"] < 100, "0.004 e-/s is within the noise of these darks, 200 is not"
    assert any("because noise does not separate the limit" in text for text in read_warnings(folder / "test_bpm.fits"))


def check_gain_settings(directory, config):
    """The gain is that of the latest dark, though the flats are later, and for rates as the darks have them."""
    settings = read_provenance(directory / "results" / "NIS" / "gain.fits").settings
    assert settings["exposure"] == DARK.format(5) and settings["rates_are_scaled"] is True
    assert settings["geometry"]["n_columns"] == 64
    # Without Snakemake's records the settings in the file decide.
    (directory / ".snakemake").rename(directory / "records")
    skipped = config | {"detector1_dark": {"gain_scale": {"skip": True}}}
    for given, jobs in ((config, {}), (skipped, {"gain_reference": 1})):
        run = snakemake(directory, "--dry-run", "--until", "gain_reference", config=given)
        assert run.jobs == jobs, run.output
    shutil.rmtree(directory / ".snakemake")
    (directory / "records").rename(directory / ".snakemake")


def test_variants_are_voted_from_the_cache(finished_copy):
    results = finished_copy / "results" / "NIS"
    plain = read_mask(results / "test_bpm.fits")
    kept = {path: path.stat().st_mtime_ns for path in results.glob("*/*_statistics.fits")}
    config = {"variants": VARIANTS, "keep_history": True}
    run = succeed(finished_copy, config=config)
    votes = {"bad_pixel_mask": 3, "bad_pixel_mask_minimal": 1, "history": 4, "gain_reference": 1}
    assert run.jobs == votes, "no exposure is measured or compared again, and no flat stacked"
    assert "NIS/variants/minimal\n  mask: results/NIS/variants/minimal/minimal.fits\n" in run.output
    standard, minimal = results / "variants" / "standard", results / "variants" / "minimal"
    assert np.array_equal(read_mask(standard / "test_bpm.fits"), plain)
    assert same(*(fits.getdata(folder / "evidence.fits", "FOUND") for folder in (standard, results)))
    flags, header = read_mask(minimal / "minimal.fits"), fits.getheader(minimal / "minimal.fits")
    assert np.array_equal(flags | 1, plain | 1) and 0 < (flags & 1).sum() < (plain & 1).sum()
    assert header["DESCRIP"] == "Minimal" and "Variant minimal: all exposures" in list(header["HISTORY"])
    for folder in (standard, minimal):
        assert len(pd.read_parquet(folder / "history" / "epochs.parquet")["entry"].unique()) == 1
    assert {path: path.stat().st_mtime_ns for path in results.glob("*/*_statistics.fits")} == kept
    assert snakemake(finished_copy, config=config).nothing_to_do

    check_electrons(finished_copy, results / "variants" / "electrons")
    check_gain_settings(finished_copy, config)
    header = fits.getheader(results / "variants" / "numbers" / "test_bpm.fits")
    assert (header["BADPIX GAIN_E_PER_DN"], header["BADPIX COLD_RATE_THRESHOLD"]) == (1.6, -50)

    assert undescribed(results) == []

    # A further variant, and a variant with a selection: their own votes alone.
    more = VARIANTS | {"strict": {"max_jump_limit": 5}, "long": {"select_darks": {"NGROUPS": {"min": 30}}}}
    run = snakemake(finished_copy, "--dry-run", config=config | {"variants": more})
    assert run.jobs == {
        "bad_pixel_mask": 2, "compare_exposures": 1, "flat_response": 1, "history": 2
    }  # fmt: skip
    few = {"variants": {"short": {"select_darks": {"NGROUPS": {"max": 29}}}}}
    failed = snakemake(finished_copy, "--dry-run", config=few)
    assert failed.status != 0
    assert "NIS/variants/short: no mask, because 0 usable darks remain and min_darks is 3." in failed.output
    assert "no variant selects READPATT NISRAPID, NGROUPS 30" in failed.output
