"""The table of the bad pixels, and known bad pixels that a new vote must find, through the whole workflow."""

import json

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from badpix.formats.evidence_file import read_evidence
from badpix.formats.mask_file import read_mask
from badpix.formats.pixel_table_file import read_csv, read_parquet
from workflow.files_page import undescribed
from workflow.runner import snakemake, succeed

pytestmark = pytest.mark.pipeline

# The array of 64 x 64 pixels lies in the far corner of the detector.
ORIGIN = 2048 - 64
HISTORY = {"keep_history": True}


@pytest.fixture(scope="session")
def planted(finished):
    """x, y on the array, and type, of the hot and dead pixels that the mask of the finished run has."""
    mask = finished / "results" / "NIS" / "test_bpm.fits"
    dq, evidence = read_mask(mask), read_evidence(mask.parent / "evidence.fits")
    return {name: np.argwhere(evidence.is_found(name) & (dq != 0))[:, ::-1] for name in ("hot", "DEAD")}


def known_list(directory, planted, *lost):
    """Write the list of known pixels: planted pixels and the `lost` ones, (x, y, type) on the array."""
    rows = [(x, y, name) for name, pixels in planted.items() for x, y in pixels]
    text = "".join(f"{x + ORIGIN} {y + ORIGIN} {name}\n" for x, y, name in (*rows, *lost))
    (directory / "known.txt").write_text(text)
    return len(rows)


def test_the_table_has_the_pixels_of_the_mask_and_known_pixels_are_found_again(finished_copy, planted):
    n_known, folder = known_list(finished_copy, planted), finished_copy / "results" / "NIS"
    config = HISTORY | {"known_bad": {"pixels": "known.txt"}, "pixel_table": True}
    run = succeed(finished_copy, config=config)
    assert run.jobs == {"bad_pixel_table": 1, "known_bad_pixels": 1, "known_bad_gate": 1, "history": 1}
    table, about = read_parquet(folder / "bad_pixels.parquet")
    pd.testing.assert_frame_equal(read_csv(folder / "bad_pixels.csv", table), table)
    flagged = np.argwhere(read_mask(folder / "test_bpm.fits") & ~np.uint32(1 << 31)) + ORIGIN
    np.testing.assert_array_equal(table[["y", "x"]].to_numpy(), flagged)
    assert fits.getval(folder / "test_bpm.fits", "SUBSTRT1") == ORIGIN + 1
    assert (about["detector"], about["mask"], about["earlier_masks"]) == ("NIS", "test_bpm.fits", 0)
    hot = table[table["types"].str.contains("hot")]
    assert len(hot) and ((hot["slope_dn_per_s"] > 5) | (hot["saturated_at_group"] >= 0)).all()
    assert f"known bad pixels: known.txt: {n_known} of {n_known} found again (recall 1), 0 lost;" in run.output
    assert json.loads((folder / "known_bad" / "known_bad_gate.json").read_text())["passed"] is True

    assert undescribed(folder) == []

    # A healthy pixel on the list, and a limit that it does not pass.
    y, x = np.argwhere(read_mask(folder / "test_bpm.fits")[20:, 20:] == 0)[0] + 20
    known_list(finished_copy, planted, (x, y, "hot"))
    config["known_bad"]["min_recall"] = 1.0
    more = {"certify": True, "history_directory": "kept"}
    run = snakemake(finished_copy, "--", "all", "deliver", config=config | more)
    assert run.status != 0 and run.jobs["known_bad_pixels"] == run.jobs["known_bad_gate"] == run.jobs["deliver_mask"]
    lost = f"lost: ({x + ORIGIN}, {y + ORIGIN}), known as hot: slope "
    assert f"REFUSED; do not deliver this mask: the recall is below min_recall 1\n    {lost}" in run.output
    assert "KnownPixelsLost: results/NIS/test_bpm.fits: the recall is below min_recall 1" in run.output
    assert (folder / "test_bpm.fits").exists() and run.jobs["history"] == 1 and not (finished_copy / "kept").exists()
    assert not (folder / "known_bad" / "known_bad_gate.json").exists() and not (folder / "delivery").exists()

    config["known_bad"]["on_failure"] = "warn"
    run = succeed(finished_copy, config=config | more)
    assert run.jobs == {"known_bad_gate": 1, "history": 1} and (finished_copy / "kept").exists()
    assert "    WARNING: the recall is below min_recall 1" in run.output


def test_a_list_is_refused_before_the_run(finished_copy):
    (finished_copy / "known.txt").write_text("5 5 hto\n5000 5\n")
    run = snakemake(finished_copy, "--dry-run", config={"known_bad": {"pixels": "known.txt"}})
    assert run.status != 0 and not run.jobs
    assert "known.txt, line 1: 'hto' is neither a type nor a flag of a mask; did you mean HOT?" in run.output
    assert "known.txt, line 2: x = 5000 is outside the detector's 0:2047 (0-based)" in run.output


def test_a_list_that_the_run_makes_is_refused_and_a_detector_without_a_list_is_named(finished_copy):
    run = snakemake(finished_copy, "--dry-run", config={"known_bad": {"pixels": "results/NIS/summary.csv"}})
    assert run.status != 0 and not run.jobs
    assert "'results/NIS/summary.csv' is among the results of this run, which change with the mask" in run.output
    run = succeed(finished_copy, "--dry-run", config={"known_bad": {"pixels": {"NRCA1": "known.txt"}}})
    assert "Warning: NIS: known_bad.pixels does not name NIS; no check of this mask" in run.output
