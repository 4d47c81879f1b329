"""Freed images go back to the system."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from threading import Thread
import numpy as np
from badpix.core.memory import return_free_memory, return_images

def resident_mb():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

def images(kept):
    for _ in range(3):
        made = [np.ones(2**21) for _ in range(10)]
    kept.append(made[-1])

getattr(sys.modules["__main__"], sys.argv[1], lambda: None)()
before, kept = resident_mb(), []
for _ in range(2):
    thread = Thread(target=images, args=[kept])
    thread.start()
    thread.join()
if sys.argv[2] == "at the end":
    return_free_memory()
print(resident_mb() - before)
"""


def more_mb(*arguments):
    """The memory (MB) that a process with two images of 16 MB has after it freed many more."""
    scripts = Path(__file__).resolve().parents[3] / "scripts"
    words = [sys.executable, "-c", PROGRAM, *arguments]
    child = subprocess.run(words, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(scripts)})
    return float(child.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_images_go_back_to_the_system():
    assert more_mb("return_images", "never") < 100
    assert more_mb("nothing", "at the end") < 100
