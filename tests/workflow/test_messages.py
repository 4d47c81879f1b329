"""What a run shows on the terminal: rejected exposures at its start and end, and at its end masks and errors."""

import csv
import html
import shutil

import pytest
from astropy.io import fits

from badpix.formats.mask_file import read_warnings
from workflow.conftest import FULL_RUN
from workflow.corruptions import given_without_values
from workflow.runner import snakemake, succeed

pytestmark = pytest.mark.pipeline

NRCA1 = {"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "EXP_TYPE": "NRC_LED", "FASTAXIS": -1, "SLOWAXIS": 2}
NOT_NIS = "NRCA1_1, NRCA1_2: DETECTOR is NRCA1, not NIS"


def add_nrca1_flats(directory):
    for number, path in enumerate(sorted((directory / "flats").glob("*_uncal.fits"))[:2], 1):
        with fits.open(shutil.copy2(path, directory / "flats" / f"NRCA1_{number}_uncal.fits"), mode="update") as hdus:
            hdus[0].header.update(NRCA1)


def end_of(run):
    """The part of the output from the summary on."""
    return run.output.split("Summary of the run", 1)[1]


def rejected(directory):
    with (directory / "results" / "NIS" / "rejected_exposures.csv").open(newline="") as table:
        return {row["input"]: row["reason"] for row in csv.DictReader(table)}


def test_flats_of_another_detector_are_named_at_start_and_end(finished_copy):
    add_nrca1_flats(finished_copy)
    dry = succeed(finished_copy, "--dry-run", config=FULL_RUN)
    start, _, end = dry.output.partition("Job stats:")
    assert "Jobs by rule and reason" in end and "\nJob 1: " not in end and "\n  1 bad_pixel_mask " in end
    for part in (start, end):
        assert f"2 of 12 exposures are rejected by their headers:\n  {NOT_NIS}\n" in part
        assert "Warning: NIS: pedigree is GROUND, but the exposures are of 2024-06-01 to 2024-07-01, in flight" in part
    run = succeed(finished_copy, config=FULL_RUN)
    assert NOT_NIS in run.output.split("Job stats:")[0]
    assert "exposures: 5 darks and 5 flats used, 2 rejected (results/NIS/rejected_exposures.csv)" in end_of(run)
    assert f"    {NOT_NIS}\n" in end_of(run) and "mask: results/NIS/test_bpm.fits" in end_of(run)
    with (finished_copy / "results" / "NIS" / "summary.csv").open(newline="") as table:
        counts = {row["name"]: row for row in csv.DictReader(table) if row["kind"] == "type"}
    shown = [line.split() for line in end_of(run).splitlines()]
    for name, row in counts.items():
        assert [name, row["n_pixels"], row["n_insufficient"]] in shown
    again = succeed(finished_copy, config=FULL_RUN)
    assert again.nothing_to_do and end_of(again).splitlines()[:5] == end_of(run).splitlines()[:5]


def test_warnings_are_in_summary_history_and_page(finished_copy):
    run = succeed(finished_copy, config=FULL_RUN | {"report": True, "dead_sigma_threshold": 4})
    mask = finished_copy / "results" / "NIS" / "test_bpm.fits"
    warnings = read_warnings(mask)
    assert any(warning.startswith("DEAD: ") and "flight.yaml" in warning for warning in warnings)
    assert any(warning.startswith("pedigree is GROUND") for warning in warnings)
    page = html.unescape((mask.parent / "report.html").read_text(encoding="utf-8"))
    log = (mask.parent / "logs" / "bad_pixel_mask.log").read_text()
    for warning in warnings:
        assert f"    {warning}\n" in end_of(run) and f"<li>{warning}</li>" in page and warning in log


def test_a_key_given_twice_is_refused_with_its_lines(finished_copy):
    path = finished_copy / "config.yaml"
    run = snakemake(finished_copy, "--dry-run", "--configfile", str(path))
    assert run.status != 0 and "--configfile is given 2 times, and Snakemake would drop all files but" in run.output
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, "min_darks: 3", "min_darks: 1"]))
    first = len(lines) + 1
    run = snakemake(finished_copy, "--dry-run")
    assert run.status != 0
    assert f"config.yaml, line {first + 1}: the key min_darks is there already, in line {first}" in run.output


def test_another_snakemake_is_told_to_activate_the_environment(finished_copy, tmp_path):
    hidden = "lambda name, path=None, target=None: None if name == 'astropy' else found(name, path, target)"
    (tmp_path / "sitecustomize.py").write_text(
        f"from importlib.machinery import PathFinder\nfound = PathFinder.find_spec\nPathFinder.find_spec = {hidden}\n"
    )
    run = snakemake(finished_copy, "--dry-run", environment={"PYTHONPATH": str(tmp_path)})
    assert run.status != 0 and "lacks the package astropy; activate the environment" in run.output


def test_too_few_flats_in_the_vote_leave_table_and_reasons(finished_copy):
    add_nrca1_flats(finished_copy)
    given_without_values(finished_copy, 3)
    run = snakemake(finished_copy, config=FULL_RUN | {"flat_slope_files": "given"})
    assert run.status != 0 and "Traceback" not in run.output
    sentence = "NIS: no mask, because 2 usable flats remain and min_flats is 3. Rejected:\n"
    assert run.output.count(sentence) == 1 and "has no valid value in any of" in end_of(run).split(sentence)[1]
    assert "mask: none from this run\n" in end_of(run)
    reasons = rejected(finished_copy)
    assert len(reasons) == 5 and reasons["NRCA1_1"] == "DETECTOR is NRCA1, not NIS"
    assert sum("has no valid value in any of" in reason for reason in reasons.values()) == 3


def test_without_references_the_reason_appears_once(simulated, tmp_path):
    directory = tmp_path / "run"
    shutil.copytree(simulated, directory, ignore=shutil.ignore_patterns("crds_cache"))
    run = snakemake(directory)
    assert run.status != 0 and "Traceback" not in run.output
    assert run.output.count("CRDS cannot provide the reference files: no server and no cache can be reached") == 1
    assert end_of(run).count("for a machine without network see docs/howto/offline_crds.md") == 1
    assert "darks.log (and 1 more job)" in end_of(run) or "flats.log (and 1 more job)" in end_of(run)
    assert "-m snakemake" not in end_of(run) and "\n  snakemake --snakefile" in end_of(run)
    assert len(run.output.splitlines()) < 120
