"""The science check as a target: exposures that did not vote, raw and as rates, against the mask before."""

import json
import shutil

import pandas as pd
import pytest

from workflow.files_page import undescribed
from workflow.key_changes import DARK, FLAT
from workflow.runner import snakemake, succeed

pytestmark = pytest.mark.pipeline

VOTERS = {
    "darks": [f"darks/{DARK.format(n)}_uncal.fits" for n in (1, 2)],
    "flats": [f"flats/{FLAT.format(n)}_uncal.fits" for n in (1, 2)],
    "min_darks": 2,
    "min_flats": 2,
}
RAW = f"darks/{DARK.format(3)}_uncal.fits"
GIVEN = {DARK: "results/NIS/darks", FLAT: "results/NIS/flats"}


def with_check(exposures, old_mask="old.fits"):
    return VOTERS | {"science_check": {"exposures": exposures, "old_mask": old_mask}}


def test_a_mask_is_checked_on_exposures_that_did_not_vote(finished_copy):
    """Rates as they are, a raw dark through detector1; a voter is left out; the verdict is at the end of the run."""
    results = finished_copy / "results" / "NIS"
    (reference,) = finished_copy.glob("crds_cache/references/jwst/niriss/*_mask_*.fits")
    shutil.copy2(reference, finished_copy / "old.fits")
    given = finished_copy / "given"
    given.mkdir()
    for name, folder in GIVEN.items():
        for number in (3, 4):
            shutil.copy2(finished_copy / folder / f"{name.format(number)}_rateints.fits", given)
    shutil.copy2(finished_copy / GIVEN[FLAT] / f"{FLAT.format(5)}_rate.fits", given)
    raw = [f"darks/{DARK.format(n)}_uncal.fits" for n in (2, 5)]
    config = with_check(["given", *raw])
    run = succeed(finished_copy, "--", "science_check", config=config)
    once = ("reference_pixel_mask", "prefetch_references", "detector1_checked_dark", "bad_pixel_mask", "apply_masks")
    assert {name: run.jobs.get(name) for name in once} == dict.fromkeys(once, 1)
    assert "detector1_checked_flat" not in run.jobs
    folder = results / "science_check"
    numbers = json.loads((folder / "science_check.json").read_text())
    assert numbers["verdict"] == "better", "the reference has few of the planted bad pixels, and healthy ones"
    assert {row["light"]: row["n_exposures"] for row in numbers["lights"]} == {"dark": 3, "lamp": 3}
    assert numbers["left_out"] == {DARK.format(2): "it votes for the mask, so that it cannot test it"}
    assert "science check (results/NIS/science_check): new mask better than old.fits" in run.output
    truth = pd.read_csv(finished_copy / "truth.csv")
    types = dict(zip(zip(truth["y"], truth["x"], strict=True), truth["type"], strict=True))
    table = pd.read_csv(folder / "differing_pixels.csv")
    gained = table[(table["finding"] == "outlier") & (table["do_not_use"] == "new")]
    assert {"hot_saturated", "rc"} <= {types.get((row.y, row.x)) for row in gained.itertuples()}
    lost = table[(table["finding"] == "good") & (table["do_not_use"] == "old")]
    assert len(lost) and {types[row.y, row.x] for row in lost.itertuples()} == {"crds_flagged_healthy"}
    assert not (folder / "darks" / f"{DARK.format(5)}_jump.fits").exists()
    assert undescribed(results) == []

    assert succeed(finished_copy, "--dry-run", "--", "science_check", config=config).nothing_to_do
    config["science_check"] |= {"sigma": 6.0, "old_mask": "crds"}
    again = succeed(finished_copy, "--dry-run", "--", "science_check", config=config)
    assert again.jobs == {"crds_mask": 1, "apply_masks": 1, "science_check": 1}
    config["science_check"]["deliver"] = True
    delivery = succeed(finished_copy, "--dry-run", "--", "deliver", config=config)
    assert delivery.jobs["apply_masks"] == delivery.jobs["deliver_mask"] == 1


def test_a_check_without_a_meaning_is_refused_before_any_job(finished):
    of_run = f"results/NIS/flats/{FLAT.format(3)}_rate.fits"
    for check, messages in (
        ({}, ["science_check.exposures is null; it must name exposures that did not vote"]),
        ({"exposures": RAW, "old_mask": "no.fits"}, ["old_mask: no such file: 'no.fits'"]),
        (
            {"exposures": [*VOTERS["darks"], of_run]},
            [
                "NIS: no science check, because no exposures are left",
                "it votes for the mask, so that it cannot test it",
                "_rate.fits is among the results of this run; give the raw file, or a copy in another folder",
            ],
        ),
    ):
        run = snakemake(finished, "--dry-run", "--", "science_check", config=VOTERS | {"science_check": check})
        assert run.status != 0 and run.jobs == {}
        assert all(message in run.output for message in messages)
