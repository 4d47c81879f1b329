"""What a job says when it cannot even write its log."""

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


def said(log):
    done = subprocess.run([sys.executable, "-c", JOB, str(SCRIPTS), str(log)], capture_output=True, text=True)
    assert done.returncode != 0
    return done.stderr


def test_the_terminal_says_in_one_line_what_the_log_says_in_full(tmp_path):
    line = "some_rule: OSError: [Errno 28] No space left on device"
    assert said(tmp_path / "a.log").startswith(line)
    assert "Traceback" in (tmp_path / "a.log").read_text() and line[11:] in (tmp_path / "a.log").read_text()


def test_the_terminal_says_it_when_the_disk_is_full():
    # A device that takes nothing.
    assert "some_rule: OSError: [Errno 28] No space left on device" in said("/dev/full")
