"""The end of a run: its lines come from the files of the run."""

import json
import os

import numpy as np
import pytest

from badpix.core.logs import DONE, FAILED, START
from badpix.formats.mask_file import MaskHeader, warning_entries, write_mask
from badpix.formats.mask_tables import write_rejected_exposures
from badpix.instrument.geometry import Geometry
from badpix.report.terminal import MadeMask, command_with, error_lines, failure_lines, mask_lines, success_lines

ERROR = """
Error in rule {rule}:
    message: None
    log: {log} (check log file(s) for error details)
"""
SUMMARY = """kind,name,n_pixels,fraction,n_insufficient,fraction_insufficient
type,hot,12,0.1,3,0.02
type,LOW_QE,4,0.1,0,0.0
flag,DO_NOT_USE,16,0.2,,
flag,HOT,12,0.1,,
area,not_lit,30,0.25,,
"""


@pytest.fixture
def made(tmp_path):
    folder = tmp_path / "NIS"
    folder.mkdir()
    texts = {"author": "A", "description": "B", "pedigree": "GROUND", "useafter": "2022-07-01"}
    history = ["12 warnings", "5 darks used", "darks: a", "4 flats used", *warning_entries(["ab " * 50, "second"])]
    identity = {"instrument": "NIRISS", "detector": "NIS"}
    header = MaskHeader(identity, texts, history)
    write_mask(folder / "m.fits", np.zeros((64, 64), np.uint32), Geometry("SUB64", 1, 1, 64, 64, -2, -1), header)
    (folder / "summary.csv").write_text(SUMMARY)
    write_rejected_exposures(folder / "rejected_exposures.csv", {"b": "truncated"})
    (folder / "report.html").touch()
    return MadeMask(str(tmp_path), "NIS", "m.fits", complete=True, report=True)


def test_the_lines_of_a_mask(made):
    assert mask_lines(made) == [
        "NIS",
        f"  mask: {made.folder}/m.fits",
        f"  exposures: 5 darks and 4 flats used, 1 rejected ({made.folder}/rejected_exposures.csv)",
        "    b: truncated",
        "  type    pixels  not classified",
        "  hot         12               3",
        "  LOW_QE       4               0",
        "  not illuminated in the flats: 30 pixels (25.00%)",
        "  flags: DO_NOT_USE 16, HOT 12",
        "  warnings: 2",
        f"    {' '.join(['ab'] * 50)}",
        "    second",
        "  selected by CRDS for: SUBARRAY SUB64 alone",
        "  crds certify: not run for this mask",
        f"  report: {made.folder}/report.html",
    ]


def test_the_changes_since_another_mask_are_shown_until_the_mask_is_made_again(made):
    near = {"known": 1, "unlisted": 0, "new": 0, "isolated": 2}
    numbers = {
        "before": {"file": "old.fits"}, "notes": ["old.fits has no DQ_DEF"], "bad_before": 1, "bad_after": 4,
        "science_pixels": 9, "new": 3, "recovered": 0, "reclassified": 0, "reference_changed": 0, "flags": [],
        "do_not_use": {"bad_before": 1, "bad_after": 1, "new": 0, "recovered": 0},
        "new_pixels": {"near": near, "unlisted_centres": 0, "flags": []},
    }  # fmt: skip
    (made.folder / "changes").mkdir()
    path = made.folder / "changes" / "mask_changes.json"
    path.write_text(json.dumps(numbers))
    lines = mask_lines(made)
    assert f"  changes since old.fits ({path.parent}):" in lines
    assert "    note: old.fits has no DQ_DEF" in lines
    assert any("4 direct neighbours: 2 isolated, 1 beside a pixel bad before" in line for line in lines)
    os.utime(path, (1, 1))
    assert not any("old.fits" in line for line in mask_lines(made))


def test_a_mask_of_an_earlier_run_is_named_so(made):
    lines = mask_lines(MadeMask(made.results, "NIS", "m.fits", complete=False, report=True))
    assert lines[1] == f"  mask: none from this run; {made.folder}/m.fits is older"
    assert lines[-1] == "    b: truncated" and not any("pixels" in line for line in lines)


def test_the_next_command_repeats_the_arguments(made):
    arguments = ["--cores", "2", "--configfile", "my config.yaml"]
    options = "--cores 2 --configfile 'my config.yaml'"
    expected = f"  snakemake {options}"
    for of_run in (arguments, ["sweep", *arguments], [*arguments, "--", "sweep"]):
        assert success_lines([made], of_run)[-1] == f"  snakemake injection_recovery {options}"
    without = MadeMask(made.results, "NIS", "m.fits", complete=True, report=False)
    assert success_lines([without], arguments)[-1] == expected + " --config report=True"
    assert success_lines([without], [*arguments, "--", "deliver"])[-1] == expected + " --config report=True"
    assert success_lines([without], ["deliver", *arguments])[-1] == expected + " --config report=True"
    assert "  report: none (report is false)" in success_lines([without], arguments)
    assert command_with(["--config", "a=1", "--", "sweep"], setting="report=True") == (
        "snakemake --config report=True a=1 -- sweep"
    )
    assert command_with(["-c1", "--", "sweep"], setting="report=True") == "snakemake -c1 --config report=True -- sweep"
    assert command_with(["-c1", "--", "sweep"], target="injection_recovery") == "snakemake injection_recovery -c1"


def test_each_error_appears_once_with_a_log_and_the_number_of_jobs(tmp_path, made):
    text = ""
    ends = {
        "a": f"\n{FAILED}no server\n", "b": f"\n{FAILED}no server\n", "c": "working\n", "d": f"x{DONE}3 s\n",
        "e": f"\n{FAILED}interrupted\n", "f": f"Traceback\n{FAILED}too few:\n  b: truncated\n",
    }  # fmt: skip
    for name, end in ends.items():
        (tmp_path / name).write_text(f"rule{START}{end}")
        text += ERROR.format(rule=name, log=tmp_path / name)
    lines = [
        "no server",
        f"  log: {tmp_path}/a (and 1 more job)",
        "a job was ended from outside, for example for its memory or time limit",
        f"  log: {tmp_path}/c",
        "too few:",
        "  b: truncated",
        f"  log: {tmp_path}/f",
    ]
    assert failure_lines(text + text) == lines
    (tmp_path / "snakemake.log").write_text(text)
    written = error_lines([made], ["--cores", "1"], [str(tmp_path / "snakemake.log")])
    assert written[-1] == "  snakemake --cores 1" and written[-len(lines) - 2 : -2] == lines


def test_a_job_without_a_log_is_named_unless_its_group_did_not_come_to_it(tmp_path):
    text = ERROR.format(rule="a", log=tmp_path / "absent")
    assert failure_lines(text) == [
        "a job ended before it wrote to its log; its output is above, or in the files of the scheduler",
        f"  log: {tmp_path}/absent",
    ]
    assert failure_lines(text.replace("    log", "            log")) == []


def test_the_log_of_the_rule_stands_before_the_logs_of_the_scheduler(tmp_path):
    log = tmp_path / "a, b.log"
    log.write_text(f"rule{START}\n{FAILED}no server\n")
    (tmp_path / "job.out").write_text("Traceback\n")
    lines = ["no server", f"  log: {log}"]
    assert failure_lines(ERROR.format(rule="a", log=f"{log}, {tmp_path}/job.out")) == lines
    # In an error of a group the log of the scheduler has a line of its own.
    assert failure_lines(ERROR.format(rule="a", log=tmp_path / "job.out") + ERROR.format(rule="a", log=log)) == lines


def test_an_interrupted_run_shows_how_to_continue(tmp_path, made):
    log = tmp_path / "snakemake.log"
    log.write_text("Terminating processes on user request, this might take some time.\n")
    assert error_lines([made], [], [str(log)])[-2:] == [
        "The run was interrupted. To continue (finished jobs are kept):",
        "  snakemake",
    ]


@pytest.mark.parametrize("name", ["m.fits", "summary.csv", "rejected_exposures.csv"])
def test_a_damaged_file_of_a_run_is_named_in_its_summary(made, name):
    (made.folder / name).write_bytes(b"SIMPLE\xff,\n1,2,3\n")
    heading, line = mask_lines(made)
    assert heading == "NIS" and line.startswith(f"  the files of {made.folder} cannot be read: ")
