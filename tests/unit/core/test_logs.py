"""The line on the terminal, also of a job that cannot write its log."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
JOB = """
import sys
sys.path.insert(0, sys.argv[1])
from badpix.core.logs import logging_to
with logging_to(sys.argv[2], "some_rule"):
    print("working")
    raise OSError(28, "No space left on device")
"""


def stderr_of_job(log):
    done = subprocess.run([sys.executable, "-c", JOB, str(SCRIPTS), str(log)], capture_output=True, text=True)
    assert done.returncode != 0
    return done.stderr


def test_the_terminal_gets_one_line_and_the_log_the_traceback(tmp_path):
    line = "some_rule: OSError: [Errno 28] No space left on device"
    assert stderr_of_job(tmp_path / "a.log").startswith(line)
    assert "Traceback" in (tmp_path / "a.log").read_text() and line[11:] in (tmp_path / "a.log").read_text()


def test_the_terminal_gets_the_line_when_the_disk_is_full():
    # A device on which every write fails.
    assert "some_rule: OSError: [Errno 28] No space left on device" in stderr_of_job("/dev/full")
