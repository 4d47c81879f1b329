"""The profiles of the schedulers that cannot be started here, as far as submission goes.

A stand-in records what the profile asks the scheduler for, and runs the job itself.
"""

import json
import os
import sys

import pytest

from badpix.workflow.resources import Size, disk_mb, memory_mb, runtime_minutes
from workflow import stand_in
from workflow.runner import PROJECT, snakemake

pytestmark = pytest.mark.pipeline


@pytest.fixture
def environment(tmp_path):
    """The environment in which the stand-in is found under all its names."""
    folder = tmp_path / "stand_in"
    folder.mkdir()
    text = (PROJECT / "tests" / "workflow" / "stand_in.py").read_text(encoding="utf-8").split("\n", 1)[1]
    for name in stand_in.COMMANDS:
        command = folder / name
        command.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
        command.chmod(0o755)
    return {"STAND_IN": str(folder), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def calls_of(environment, name):
    """The calls of the command `name`: its words, and what came on standard input."""
    with open(os.path.join(environment["STAND_IN"], "calls.jsonl"), encoding="utf-8") as lines:
        return [call[1:] for call in map(json.loads, lines) if call[0] == name]


def pbs(environment, memory, disk, minutes):
    """What PBS is asked for, per submission: whether it is as it should be."""
    wanted = {f"select=1:ncpus=1:mem={memory}mb", f"walltime={60 * minutes}"}
    return [wanted <= set(words) for *words, _ in calls_of(environment, "qsub")]


def lsf(environment, memory, disk, minutes):
    wanted = [f"-W {minutes} ", "-n 1 ", f"-R rusage[mem={float(memory)}] "]
    return [all(text in " ".join(words) for text in wanted) for *words, _ in calls_of(environment, "bsub")]


def htcondor(environment, memory, disk, minutes):
    wanted = {"request_cpus = 1", f"request_memory = {memory}", f"request_disk = {1000 * disk}",
              f"allowed_execute_duration = {60 * minutes}"}  # fmt: skip
    return [wanted <= set(text.splitlines()) for *_, text in calls_of(environment, "condor_submit")]


@pytest.mark.parametrize("asked", [pbs, lsf, htcondor], ids=lambda function: function.__name__)
def test_jobs_are_submitted_with_what_they_need(asked, environment, simulated, tmp_path):
    """One job that succeeds and one that fails, since its CRDS cache is empty; both are noticed."""
    (tmp_path / "empty").mkdir()
    keys = {"darks": str(simulated / "darks"), "crds_path": "empty", "crds_server_url": "https://a-serverless.invalid"}
    (tmp_path / "config.yaml").write_text(json.dumps(keys), encoding="utf-8")
    words = ["--profile", str(PROJECT / "profiles" / asked.__name__), "--retries", "0", "--latency-wait", "5"]
    words += ["--until", "reference_pixel_mask", "prefetch_references", "--seconds-between-status-checks", "1"]
    run = snakemake(tmp_path, *words, environment=environment)
    print(run.output)
    assert run.status != 0
    assert (tmp_path / "results" / "NIS" / "reference_pixel_mask.fits").exists()
    assert "Error in rule prefetch_references" in run.output
    assert "Error in rule reference_pixel_mask" not in run.output

    size = Size(64 * 64, 30, 2, exposures=5)
    needs = [
        (memory_mb(rule, size), disk_mb(rule, size), runtime_minutes(rule, size))
        for rule in ("reference_pixel_mask", "prefetch_references")
    ]
    found = [asked(environment, *need) for need in needs]
    assert sorted(map(tuple, found)) == [(False, True), (True, False)], "each submission is one of the two"
