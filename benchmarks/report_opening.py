"""Measure the time until a report page is open in a browser.

    python benchmarks/report_opening.py --page results/NRCA1/report.html

Opens the page several times, each time in a new headless Chromium, and waits until the page is ready. Prints the wall
time, the CPU time of all processes of the browser, and its JavaScript memory.
"""

import argparse
import sys
import time
from pathlib import Path

import psutil
from measure import PROJECT, machine

sys.path[:0] = [str(PROJECT / "tests")]

from workflow.browser import opened  # noqa: E402


def browser_cpu_s():
    """CPU time (s) of all running browser processes of this process."""
    children = psutil.Process().children(recursive=True)
    return sum(sum(child.cpu_times()[:2]) for child in children if "chrom" in child.name())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", required=True, type=Path, help="report.html of a detector")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"{machine()}: {options.page}, {options.page.stat().st_size / 1e6:.1f} MB")
    for _ in range(options.repeats):
        start = time.perf_counter()
        with opened(options.page) as seen:
            seconds = time.perf_counter() - start
            heap_mb = seen.page.evaluate("performance.memory.usedJSHeapSize") / 2**20
            listed = seen.page.evaluate("badpix.page.n_listed")
            print(f"{seconds:.2f} s, {browser_cpu_s():.2f} s of CPU, {listed} pixels listed, {heap_mb:.0f} MB")


if __name__ == "__main__":
    main()
