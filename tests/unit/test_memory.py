"""What the process of a job does about its memory."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = str(Path(__file__).resolve().parents[2] / "scripts")

FAULTS = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from badpix.memory import keep_freed_memory
kept = sys.argv[2] == "kept" and keep_freed_memory()
np.ones(20_000_000, np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(20_000_000, np.uint8)
print(int(kept), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def said(program, *arguments):
    done = subprocess.run([sys.executable, "-c", program, SCRIPTS, *arguments], check=True, capture_output=True)
    return [int(word) for word in done.stdout.split()]


def test_freed_memory_is_used_again():
    _, plain = said(FAULTS, "plain")
    kept, few = said(FAULTS, "kept")
    if not kept:
        pytest.skip("the C library of this machine is not glibc")
    assert few < plain / 5
