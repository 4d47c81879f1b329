"""The preset on a finished run: what it repeats, what it finds, and what it spares."""

import re

import numpy as np
import pytest
from astropy.io import fits

from badpix.formats.mask_file import read_mask
from badpix.formats.truth_file import read_truth
from badpix.instrument.dq import bits
from badpix.score.files import read_findings
from badpix.score.pixels import pool, score_run
from badpix.score.tables import completeness_table, healthy_table, intermittent_table, purity_table
from workflow.conftest import FULL_RUN, value_once
from workflow.files_page import undescribed
from workflow.runner import copy_run, succeed

pytestmark = pytest.mark.pipeline

PRESET = {"preset": "flight"}


@pytest.fixture(scope="session")
def flown(finished, tmp_path_factory):
    """The finished run, voted on again with the preset: (directory, Run). Read only."""

    def make(directory):
        copy_run(finished, directory)
        return succeed(directory, config=FULL_RUN | PRESET)

    return value_once(tmp_path_factory, "flown", make)


@pytest.fixture(scope="session")
def score(flown):
    directory, _ = flown
    results = directory / "results" / "NIS"
    findings = read_findings(results / "evidence.fits", results / "test_bpm.fits")
    return pool([score_run(read_truth(directory / "truth.fits"), findings)])


def test_no_ramp_is_read_again(flown):
    _, run = flown
    assert run.jobs == {"exposure_response": 5, "flat_response": 1, "bad_pixel_mask": 1, "quality_check": 1, "plots": 1}


def test_the_mask_records_the_preset_and_its_keys(flown):
    directory, run = flown
    header = fits.getheader(directory / "results" / "NIS" / "test_bpm.fits")
    name = header["BADPIX PRESET"]
    assert re.fullmatch(r"flight \(SHA-256 [0-9a-f]{16}\.\.\.\)", name)
    assert f"Preset {name}" in list(header["HISTORY"]) and header["BADPIX NOISY_TEST"] == "cds"
    start, _, end = run.output.partition("Summary of the run")
    assert f"Preset {name}\n" in start and f"  preset: {name}\n" in end


def test_its_files_are_those_of_the_page(flown):
    directory, _ = flown
    assert undescribed(directory / "results" / "NIS") == []


def test_a_second_run_has_nothing_to_do(flown):
    directory, _ = flown
    assert succeed(directory, "--dry-run", config=FULL_RUN | PRESET).nothing_to_do


def test_every_planted_type_is_found_as_itself(score):
    table = completeness_table(score).set_index("type")
    wanted = table[table["expected"] != ""]
    assert dict(wanted["completeness"]) == dict.fromkeys(wanted.index, 1.0)
    # The official algorithm finds no hot pixel that does not saturate.
    assert wanted.loc["hot", "planted"] >= 6


def test_nothing_is_found_as_what_it_is_not(score):
    table = purity_table(score).set_index("detection")
    found = table[table["found"] > 0]
    assert dict(found["purity"]) == dict.fromkeys(found.index, 1.0)


def test_healthy_pixels_are_spared(score):
    assert not healthy_table(score)["healthy_flagged"].any()


def test_a_minority_is_listed_and_not_flagged(score):
    table = intermittent_table(score).set_index("type").loc["(all)"]
    assert table["planted"] > 0
    assert table["permanent"] == 0
    assert table["intermittent"] == table["planted"]


def test_the_header_lists_what_was_used_and_not_what_was_replaced(flown):
    directory, _ = flown
    header = fits.getheader(directory / "results" / "NIS" / "test_bpm.fits", 0)
    text = repr(header)
    for key in ("false_flags_per_million", "hot_rate_threshold", "flat_vote_unit", "exclusive_types", "min_unlit_area",
                "dark_local_level"):  # fmt: skip
        assert key.upper() in text.upper()
    for key in ("dark_noisy_threshold", "pedestal_sigma_threshold", "max_jump_limit"):
        assert key.upper() not in text.upper()


def test_flat_types_cannot_be_used(flown):
    """With the preset DEAD, LOW_QE, OPEN and ADJ_OPEN carry DO_NOT_USE."""
    directory, _ = flown
    dq = read_mask(directory / "results" / "NIS" / "test_bpm.fits")
    flat = (dq & np.uint32(bits(("DEAD", "LOW_QE", "OPEN", "ADJ_OPEN")))) != 0
    assert flat.any() and np.all(dq[flat] & 1)
