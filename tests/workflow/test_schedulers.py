"""Submission with the profiles of the schedulers that cannot be started here.

A stand-in records the requests of the profile to the scheduler, and runs the job itself.
"""

import json
import os
import sys
from pathlib import Path

import pytest

from badpix.workflow.resources import Size, disk_mb, memory_mb, runtime_minutes
from workflow import stand_in
from workflow.runner import PROJECT, snakemake

pytestmark = pytest.mark.pipeline


@pytest.fixture
def environment(tmp_path):
    """An environment with the stand-in under all its names in the PATH."""
    folder = tmp_path / "stand_in"
    folder.mkdir()
    text = (PROJECT / "tests" / "workflow" / "stand_in.py").read_text(encoding="utf-8").split("\n", 1)[1]
    for name in stand_in.COMMANDS:
        command = folder / name
        command.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
        command.chmod(0o755)
    return {"STAND_IN": str(folder), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def calls_of(environment, name):
    """The calls of the command `name`: its words and its standard input."""
    with Path(environment["STAND_IN"], "calls.jsonl").open(encoding="utf-8") as lines:
        return [call[1:] for call in map(json.loads, lines) if call[0] == name]


def pbs(environment, memory, disk, minutes):
    """For each submission to PBS: True if it requests the expected resources."""
    wanted = {f"select=1:ncpus=1:mem={memory}mb", f"walltime={60 * minutes}"}
    return [wanted <= set(words) for *words, _ in calls_of(environment, "qsub")]


def lsf(environment, memory, disk, minutes):
    wanted = [f"-W {minutes} ", "-n 1 ", f"-R rusage[mem={float(memory)}] "]
    return [all(text in " ".join(words) for text in wanted) for *words, _ in calls_of(environment, "bsub")]


def htcondor(environment, memory, disk, minutes):
    wanted = {"request_cpus = 1", f"request_memory = {memory}", f"request_disk = {1000 * disk}",
              f"allowed_execute_duration = {60 * minutes}"}  # fmt: skip
    return [wanted <= set(text.splitlines()) for *_, text in calls_of(environment, "condor_submit")]


@pytest.mark.parametrize("requests_of", [pbs, lsf, htcondor], ids=lambda function: function.__name__)
def test_jobs_are_submitted_with_what_they_need(requests_of, environment, simulated, tmp_path):
    """A job that succeeds and a job that fails, since its CRDS cache is empty; the run notices both."""
    (tmp_path / "empty").mkdir()
    keys = {"darks": str(simulated / "darks"), "crds_path": "empty", "crds_server_url": "https://a-serverless.invalid"}
    (tmp_path / "config.yaml").write_text(json.dumps(keys), encoding="utf-8")
    words = ["--profile", str(PROJECT / "profiles" / requests_of.__name__), "--retries", "0", "--latency-wait", "5"]
    words += ["--until", "reference_pixel_mask", "prefetch_references", "--seconds-between-status-checks", "1"]
    run = snakemake(tmp_path, *words, environment=environment)
    print(run.output)
    assert run.status != 0
    assert (tmp_path / "results" / "NIS" / "reference_pixel_mask.fits").exists()
    assert "Error in rule prefetch_references" in run.output
    assert "Error in rule reference_pixel_mask" not in run.output
    assert run.output.count("no server and no cache can be reached") == 1

    size = Size(64 * 64, 30, 2, exposures=5)
    needs = [
        (memory_mb(rule, size), disk_mb(rule, size), runtime_minutes(rule, size))
        for rule in ("reference_pixel_mask", "prefetch_references")
    ]
    found = [requests_of(environment, *need) for need in needs]
    assert sorted(map(tuple, found)) == [(False, True), (True, False)], "each submission is one of the two"


def test_a_raw_and_a_given_exposure_share_a_submission(environment, simulated, finished, tmp_path):
    """Only the raw exposure has temporary files; Snakemake wants a text, such as their directory, equal in a group."""
    raw, *_ = sorted((simulated / "flats").glob("*_uncal.fits"))
    given = sorted((finished / "results" / "NIS" / "flats").glob("*_rateints.fits"))[1]
    (tmp_path / "scratch").mkdir()
    (tmp_path / "run").mkdir()
    keys = {"flats": str(raw), "flat_slope_files": str(given), "min_flats": 2, "scratch": str(tmp_path / "scratch"),
            "crds_path": str(simulated / "crds_cache"), "crds_server_url": "https://a-serverless.invalid"}  # fmt: skip
    (tmp_path / "run" / "config.yaml").write_text(json.dumps(keys), encoding="utf-8")
    words = ["--profile", str(PROJECT / "profiles" / "pbs"), "--group-components", "exposure=2", "--latency-wait", "5"]
    words += ["--until", "detector1_flat", "flat_statistics", "--seconds-between-status-checks", "1"]
    run = snakemake(tmp_path / "run", *words, environment=environment)
    assert run.status == 0, run.output
    assert len(list((tmp_path / "run" / "results" / "NIS" / "flats").glob("*_flat_statistics.fits"))) == 2
    rules = ["reference_pixel_mask", "prefetch_references", "both exposures"]
    assert len(calls_of(environment, "qsub")) == len(rules)
