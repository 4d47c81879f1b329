"""The targets sweep and injection_recovery, and the reliability: from what a finished run left."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table

from badpix.formats.mask_file import read_mask
from workflow.conftest import FULL_RUN
from workflow.files_page import undescribed
from workflow.key_changes import DARK, FLAT
from workflow.products import images_of
from workflow.runner import snakemake, succeed

pytestmark = pytest.mark.pipeline

SWEEP = {"max_jump_limit": [4, 12], "max_low_qe_norm_signal": [0.3]}
# One strength each, that nothing can miss, of types that need darks, flats, and both.
STRONG = {"dead": [0.0], "hot_saturated": [2.0e5], "low_pedestal": [1000.0]}
OTHERS = ("low_qe", "open", "hot", "rc", "inverse_rc", "telegraph", "noisy")
INJECTION = {"pixels_per_strength": 8, "seed": 3, "strengths": STRONG | dict.fromkeys(OTHERS, [])}


def counts(table, kind, column="n_pixels"):
    """Name -> count of the rows of a kind."""
    rows = table[table["kind"] == kind]
    return dict(zip(rows["name"], rows[column], strict=True))


def test_sweep(finished_copy):
    """Votes alone run; at the configured values they count what the mask's summary does, at others what a mask made
    with these would."""
    results = finished_copy / "results" / "NIS"
    config = FULL_RUN | {"sweep": SWEEP, "truth": "truth.fits"}
    run = succeed(finished_copy, "--", "sweep", config=config)
    assert run.jobs == {"sweep_vote": 4, "sweep_table": 1, "sweep": 1}
    table = pd.read_csv(results / "sweep" / "sweep.csv")
    assert (results / "sweep" / "sweep.png").stat().st_size > 20_000
    summary = pd.read_csv(results / "summary.csv")
    for _, point in table[table["point"] == "configured"].groupby("swept"):
        for kind in ("type", "flag"):
            assert counts(point, kind) == counts(summary, kind)

    assert undescribed(results) == []

    other = table[table["point"] == "max_jump_limit=4"]
    succeed(finished_copy, "--until", "bad_pixel_mask", config=FULL_RUN | {"max_jump_limit": 4})
    summary = pd.read_csv(results / "summary.csv")
    twelve = table[table["point"] == "max_jump_limit=12"]
    assert counts(other, "type") == counts(summary, "type") != counts(twelve, "type")
    assert counts(other, "flag") == counts(summary, "flag")

    dead = table[(table["kind"] == "planted") & (table["name"] == "dead")]
    assert (dead["completeness"] == 1).all() and (dead["planted"] == 6).all()
    assert counts(other, "type", "purity")["high_cr"] < counts(twelve, "type", "purity")["high_cr"]

    more = config | {"sweep": SWEEP | {"dark_vote_unit": ["integration"]}}
    again = succeed(finished_copy, "--dry-run", "--", "sweep", config=more)
    # The sweep belongs to the mask of the configuration, which was made with another threshold above.
    votes = {"bad_pixel_mask": 1, "sweep_vote": 1}
    assert again.jobs == votes | {"sweep_table": 1, "sweep": 1}, "points that are there stay"


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ({}, "sweep: nothing is swept; give values to try"),
        ({"max_jump_limit": [0]}, "sweep.max_jump_limit[0]: 0 is not allowed"),
        ({"early_cutoff_fraction": [0.2]}, "sweep.early_cutoff_fraction: it cannot be swept"),
    ],
)
def test_a_wrong_sweep_is_refused_before_any_job(finished, sweep, message):
    run = snakemake(finished, "--dry-run", "--", "sweep", config=FULL_RUN | {"sweep": sweep})
    assert run.status != 0 and run.jobs == {}
    assert message in run.output
    if sweep:  # errors of an input function contain the file and line of the rules
        assert "Traceback" not in run.output


def test_injection_recovery(finished_copy):
    """Planted pixels are found, nothing else changes; another threshold votes again, and plants nothing again."""
    results = finished_copy / "results" / "NIS"
    few = {
        "darks": [f"darks/{DARK.format(n)}_uncal.fits" for n in (1, 2)],
        "flats": f"flats/{FLAT.format(1)}_uncal.fits",
    }
    config = few | {"min_darks": 1, "min_flats": 1, "injection": INJECTION}
    run = succeed(finished_copy, "--", "injection_recovery", config=config)
    once = {"injection_plan": 1, "reference_pixel_mask": 1, "injection_report": 1, "injection_recovery": 1}
    assert {name: run.jobs[name] for name in once} == once
    assert (run.jobs["inject"], run.jobs["detector1_dark"], run.jobs["detector1_flat"]) == (3, 2, 1)
    table = pd.read_csv(results / "injection_recovery" / "injection_recovery.csv").set_index("type")
    assert sorted(table.index) == sorted(STRONG)
    assert (table["planted"] == 8).all() and (table["found"] == 8).all()
    changes = pd.read_csv(results / "injection_recovery" / "changes.csv").set_index("name")
    assert changes.loc["any type", "healthy"] > 3000 and changes.loc["any type", "gained"] <= 3
    # The user's own mask does not know of the planted pixels, and theirs cannot be taken for it.
    planted = Table(fits.getdata(results / "injection_recovery" / "truth.fits", "PIXELS"))
    assert (read_mask(results / "test_bpm.fits")[planted["y"], planted["x"]] == 0).all()
    assert (read_mask(results / "injection_recovery" / "test_bpm.fits")[planted["y"], planted["x"]] != 0).all()
    assert "NOT FOR USE" in str(fits.getheader(results / "injection_recovery" / "test_bpm.fits")["HISTORY"])
    assert "NOT FOR USE" not in str(fits.getheader(results / "test_bpm.fits")["HISTORY"])
    assert not list((results / "injection_recovery").glob("*/*_uncal.fits")), (
        "the copies are large and not needed again"
    )
    assert undescribed(results) == []

    assert succeed(finished_copy, "--dry-run", "--", "injection_recovery", config=config).nothing_to_do
    assert succeed(finished_copy, "--dry-run", config=config).nothing_to_do
    other = succeed(finished_copy, "--dry-run", "--", "injection_recovery", config=config | {"high_cr_fraction": 0.5})
    assert other.jobs == {"bad_pixel_mask": 2, "injection_report": 1, "injection_recovery": 1}
    other = succeed(
        finished_copy, "--dry-run", "--", "injection_recovery", config=config | {"injection": INJECTION | {"seed": 4}}
    )
    assert (other.jobs["injection_plan"], other.jobs["inject"]) == (1, 3)
    swept = succeed(
        finished_copy,
        "--",
        "results/NIS/injection_recovery/sweep/sweep.csv",
        config=config | {"sweep": {"flux_check": [1.0]}},
    )
    assert swept.jobs == {"sweep_vote": 2, "sweep_table": 1}
    table = pd.read_csv(results / "injection_recovery" / "sweep" / "sweep.csv")
    assert counts(table, "planted", "completeness")["dead"] == 1, "the truth is that of what was planted"


def test_processed_exposures_cannot_be_planted_into(finished):
    config = {"flats": None, "flat_slope_files": "results/NIS/flats"}
    run = snakemake(finished, "--dry-run", "--", "injection_recovery", config=config)
    assert run.status != 0 and run.jobs == {}
    assert (
        "injection_recovery: NIS: pixels are planted into raw files, and 5 exposures were given already processed"
        in run.output
    )


def test_reliability(finished_copy):
    """Its counts are the mask's, and a pixel that keeps its type in every vote keeps it without one of the darks."""
    results = finished_copy / "results" / "NIS"
    summary = pd.read_csv(results / "summary.csv")
    assert succeed(finished_copy, config=FULL_RUN | {"reliability": True}).jobs == {
        "leave_one_out": 1,
        "reliability": 1,
    }
    table = pd.read_csv(results / "reliability.csv")
    false = table[table["section"] == "expected_false"].pivot(index="type", columns="quantity", values="value")
    assert false["found"].to_dict() == counts(summary, "type")
    assert (false["expected"] >= 0).all() and false.loc["hot", "expected"] < 0.01
    more = table[table["section"] == "more_exposures"].set_index(["type", "quantity"])["value"]
    unclassified = counts(summary, "type", "n_insufficient")
    assert {name: more[name, "insufficient"] for name in unclassified if unclassified[name]} == {
        name: number for name, number in unclassified.items() if number
    }
    with fits.open(results / "stability.fits") as hdus:
        pixels, image = Table(hdus["PIXELS"].data).to_pandas(), hdus["STABILITY"].data
    found = images_of(results / "evidence.fits")[("evidence.fits", "FOUND")]
    assert (np.isfinite(image) == (found != 0)).all()
    assert (pixels["votes"] == 5).all() and pixels["stability"].between(0, 1).all()
    assert undescribed(results) == []

    four = {"darks": f"darks/{DARK.format('[1-4]')}_uncal.fits"}
    succeed(finished_copy, "--until", "bad_pixel_mask", config=FULL_RUN | four)
    with fits.open(results / "evidence.fits") as hdus:
        bits = {row["TYPE"]: row["BIT"] for row in hdus["TYPES"].data}
        found = hdus["FOUND"].data
    darks = pixels[pixels["kind"] == "darks"]
    held = (found[darks["y"], darks["x"]] >> darks["type"].map(bits).to_numpy()) & 1
    assert held[darks["kept"] == 5].all() and (darks["kept"] == 5).sum() > 20
