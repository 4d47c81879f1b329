"""The error of a job: in its log, and on the terminal only if the log cannot be written."""

import subprocess
import sys
from pathlib import Path

from badpix.core.logs import DONE, failure_in

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
JOB = """
import sys
sys.path.insert(0, sys.argv[1])
from badpix.core.logs import logging_to
with logging_to(sys.argv[2], "some_rule"):
    print("working")
    raise OSError(28, "No space left on device")
"""


def stderr_of_job(log, job=JOB):
    done = subprocess.run([sys.executable, "-c", job, str(SCRIPTS), str(log)], capture_output=True, text=True)
    assert done.returncode != 0
    return done.stderr


def test_the_log_gets_traceback_and_error_and_the_terminal_nothing(tmp_path):
    assert stderr_of_job(tmp_path / "a.log") == ""
    assert "Traceback" in (tmp_path / "a.log").read_text()
    assert failure_in(tmp_path / "a.log") == "some_rule: OSError: [Errno 28] No space left on device"


def test_an_error_of_this_project_has_the_same_form(tmp_path):
    job = JOB.replace("raise OSError(28,", "from badpix.core.errors import TooFewExposures\n    raise TooFewExposures(")
    stderr_of_job(tmp_path / "a.log", job)
    assert failure_in(tmp_path / "a.log") == "some_rule: TooFewExposures: No space left on device"


def test_a_job_that_succeeded_or_has_no_log_has_no_error(tmp_path):
    subprocess.run([sys.executable, "-c", JOB.split("    raise")[0], str(SCRIPTS), str(tmp_path / "a.log")], check=True)
    assert DONE in (tmp_path / "a.log").read_text()
    assert failure_in(tmp_path / "a.log") is failure_in(tmp_path / "missing.log") is None


def test_the_terminal_gets_the_line_when_the_disk_is_full():
    # A device on which every write fails.
    assert "some_rule: OSError: [Errno 28] No space left on device" in stderr_of_job("/dev/full")
