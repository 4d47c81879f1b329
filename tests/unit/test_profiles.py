"""The submission programs of the profiles, with a stand-in for the command of the scheduler."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROFILES = Path(__file__).resolve().parents[2] / "profiles"
JOB = '#!/bin/sh\n# properties = {"rule":"r","threads":1,"resources":{"mem_mb":1,"disk_mb":1,"runtime":1}}\n'


def submit(tmp_path, profile, folder):
    """Submit a job from a directory called `folder`: (the finished process, what the command was given or None)."""
    commands, given, place = tmp_path / "bin", tmp_path / "given", tmp_path / folder
    commands.mkdir()
    place.mkdir()
    (place / "job.sh").write_text(JOB)
    for name in ("condor_submit", "qsub"):
        (commands / name).write_text(f'#!/bin/sh\n(echo "$@"; cat) >{given}\necho "1.0 - 1.0"\n')
        (commands / name).chmod(0o755)
    run = subprocess.run(
        [sys.executable, PROFILES / profile / "submit.py", "job.sh"], cwd=place, capture_output=True, text=True,
        env={**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return run, given.read_text() if given.exists() else None


@pytest.mark.parametrize("profile", ["htcondor", "pbs"])
def test_a_plain_directory(tmp_path, profile):
    run, given = submit(tmp_path, profile, "it's plain")
    assert run.returncode == 0 and "it's plain" in given


@pytest.mark.parametrize(
    ("profile", "folder"),
    [("htcondor", "x\nexecutable = evil.sh"), ("htcondor", "x$(evil)y"), ("htcondor", "x\\"), ("htcondor", "x "),
     ("pbs", "machine:x"), ("pbs", "x\ny")],
)  # fmt: skip
def test_a_directory_that_the_scheduler_would_read_otherwise_is_refused(tmp_path, profile, folder):
    run, given = submit(tmp_path, profile, folder)
    assert run.returncode != 0 and given is None
    assert "run the workflow in a directory of another name" in run.stderr and "Traceback" not in run.stderr
