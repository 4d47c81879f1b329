"""Which flats decide on the flat types: those of a common optical set-up, or a finished product."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from badpix.formats.mask_file import read_mask
from workflow.conftest import NAMES
from workflow.runner import copy_run, snakemake, succeed

pytestmark = pytest.mark.pipeline

FIRST, SECOND, THIRD = (NAMES["flats"].format(number).removesuffix("_uncal.fits") for number in (2, 3, 4))


def refilter(directory, flat):
    """Give the raw file of a flat another filter in its header."""
    fits.setval(directory / "flats" / f"{flat}_uncal.fits", "PUPIL", value="F115W")


def test_new_flats_can_turn_the_majority_of_the_optical_setups(three_and_three, tmp_path):
    run = copy_run(three_and_three, tmp_path / "run")
    refilter(run, FIRST)
    reason = f"{FIRST}: PUPIL is F115W, the flats used have F150W"
    dry = succeed(run, "--dry-run")
    assert "1 of 6 exposures are rejected by their headers:" in dry.output
    assert reason in dry.output
    assert dry.jobs == {"flat_response": 1, "compare_exposures": 1, "bad_pixel_mask": 1, "plots": 1}
    assert "run before" not in dry.output

    # As the vote would have written it.
    (run / "results" / "NIS" / "rejected_exposures.csv").write_text(
        f'input,reason\n{FIRST},"{reason.split(": ")[1]}"\n', encoding="utf-8"
    )
    refilter(run, SECOND)
    dry = succeed(run, "--dry-run")
    assert f"{THIRD}: PUPIL is F150W, the flats used have F115W" in dry.output
    assert f"Warning: NIS: the flats used have another optical set-up than in the run before, in which {FIRST}" in (
        dry.output
    )


def test_evenly_split_setups_make_no_mask(three_and_three, tmp_path):
    run = copy_run(three_and_three, tmp_path / "run")
    (run / "flats" / f"{THIRD}_uncal.fits").unlink()
    refilter(run, FIRST)
    table = run / "results" / "NIS" / "rejected_exposures.csv"
    before = table.read_bytes()
    refused = snakemake(run, "--dry-run")
    assert refused.status == 1 and table.read_bytes() == before, "a dry run writes nothing"
    assert (
        "NIS: no mask, because the flats are split evenly between PUPIL F115W and PUPIL F150W (1 of each); choose"
        in (refused.output)
    )
    both = succeed(run, "--dry-run", config={"flat_setup": {"PUPIL": ["F115W", "F150W"]}})
    assert "rejected by their headers" not in both.output


def reference_flat(path, run):
    """Write the response of the flats of a run as a flat of the full frame, as CRDS has it."""
    (raw, *_) = (run / "flats").iterdir()
    header = fits.getheader(raw)
    x, y = header["SUBSTRT1"] - 1, header["SUBSTRT2"] - 1
    sci = np.ones((2048, 2048), np.float32)
    sci[y : y + 64, x : x + 64] = fits.getdata(run / "results" / "NIS" / "flat_response.fits", "RESPONSE")
    primary = fits.PrimaryHDU()
    primary.header.update(INSTRUME="NIRISS", DETECTOR="NIS", SUBARRAY="GENERIC", REFTYPE="FLAT", PEDIGREE="GROUND")
    fits.HDUList([primary, fits.ImageHDU(sci, name="SCI")]).writeto(path, overwrite=True)


def settings_in_history(results):
    """The digest of the settings of the only mask of a history that the last run compared."""
    epochs = pd.read_parquet(results / "history" / "epochs.parquet")
    (found,) = epochs.loc[epochs["compared"], "settings"].unique()
    return found


def test_a_finished_flat_in_place_of_flats(three_and_three, tmp_path):
    run = copy_run(three_and_three, tmp_path / "run")
    flat, results = run / "niriss_flat.fits", run / "results" / "NIS"
    reference_flat(flat, run)
    before = read_mask(results / "test_bpm.fits")
    config = {"flats": None, "flat_types_from": "$WORK/niriss_flat.fits", "report": True, "plot": False,
              "keep_history": True}  # fmt: skip
    options = {"config": config, "environment": {"WORK": str(run)}}
    done = succeed(run, **options)
    expected = {"compare_exposures": 1, "bad_pixel_mask": 1, "report_page": 1, "report_index": 1, "history": 1}
    assert done.jobs == expected
    assert np.array_equal(read_mask(results / "test_bpm.fits"), before), "the same response gives the same mask"
    assert "exposures: 3 darks and 0 flats used, 0 rejected\n  flat types: from niriss_flat.fits" in done.output
    assert "<dt>Flat types from</dt><dd><small>niriss_flat.fits" in (results / "report.html").read_text(
        encoding="utf-8"
    )
    assert "niriss_flat.fits" in set(pd.read_csv(results / "inputs.csv")["file"])
    assert succeed(run, "--dry-run", **options).nothing_to_do

    # Another content of the same size and time.
    settings = settings_in_history(results)
    state = flat.stat()
    with fits.open(flat, mode="update") as hdus:
        hdus["SCI"].data[-32, -32] = 0.3
    os.utime(flat, ns=(state.st_atime_ns, state.st_mtime_ns))
    changed = succeed(run, "--until", "history", **options)
    assert changed.jobs == {"bad_pixel_mask": 1, "history": 1}
    assert settings_in_history(results) != settings, "a mask by another product is not compared with this one"
    assert f"the content of {flat} is not that of the file it was made from" in changed.output

    fits.setval(flat, "REFTYPE", value="DARK")
    refused = snakemake(run, "--dry-run", **options)
    assert refused.status == 1
    assert f"flat_types_from: {flat}: REFTYPE is DARK; a file with SCI must be a FLAT" in refused.output

    of_variant = results / "variants" / "mine" / "own.fits"
    of_variant.parent.mkdir(parents=True)
    shutil.copy2(results / "test_bpm.fits", of_variant)
    variants = {"mine": {"output_file": "own.fits"}, "plain": {}}
    for path, keys in ((results / "test_bpm.fits", {}), (of_variant, {"variants": variants})):
        own = snakemake(run, "--dry-run", config=config | keys | {"flat_types_from": str(path)})
        assert own.status == 1
        assert f"is the mask {path.relative_to(run)}, which this run makes; set it to a copy" in own.output
