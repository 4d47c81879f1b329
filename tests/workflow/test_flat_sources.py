"""Which flats decide on the flat types: those of a common optical set-up, or a finished product."""

import pytest
from astropy.io import fits

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
    refused = snakemake(run, "--dry-run")
    assert refused.status == 1
    assert (
        "NIS: no mask, because the flats are split evenly between PUPIL F115W and PUPIL F150W (1 of each); choose"
        in (refused.output)
    )
    both = succeed(run, "--dry-run", config={"flat_setup": {"PUPIL": ["F115W", "F150W"]}})
    assert "rejected by their headers" not in both.output
