"""Variants of a finished run: several masks from its statistics, which no job measures again."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from badpix.formats.mask_file import read_mask
from workflow.products import same
from workflow.runner import snakemake, succeed

pytestmark = pytest.mark.pipeline

VARIANTS = {
    "standard": {},
    "minimal": {"dark_do_not_use": ["hot"], "description": "Minimal", "output_file": "minimal.fits"},
}


def test_variants_are_voted_from_the_cache(finished_copy):
    results = finished_copy / "results" / "NIS"
    plain = read_mask(results / "test_bpm.fits")
    kept = {path: path.stat().st_mtime_ns for path in results.glob("*/*_statistics.fits")}
    config = {"variants": VARIANTS, "keep_history": True}
    run = succeed(finished_copy, config=config)
    votes = {"bad_pixel_mask": 1, "bad_pixel_mask_minimal": 1, "history": 2}
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
