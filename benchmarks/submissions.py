"""Submissions and requests that a run through Slurm costs, counted by a real Slurm on this machine.

    python benchmarks/submissions.py --out bench/submissions [--exposures 10]

Simulates as many darks and flats of 64 x 64 pixels, runs the workflow with profiles/slurm on a slurmctld with two
slurmd (tests/workflow/slurm.py), and prints the submissions by rule or group, the requests that slurmctld counted
(sdiag), and its processor time.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from measure import PROJECT, run

sys.path.insert(0, str(PROJECT / "tests"))

from workflow.slurm import Slurm

# There is no accounting here; the state of jobs is asked for as often as by default.
OPTIONS = (
    "--profile", PROJECT / "profiles" / "slurm", "--slurm-status-command", "squeue", "--slurm-no-account",
    "--latency-wait", "10",
)  # fmt: skip
_REQUEST = re.compile(r"^\s*(REQUEST_\w+|MESSAGE_\w+)\s+\(\s*\d+\)\s+count:(\d+)", re.MULTILINE)


def cpu_seconds(process):
    """User and system time (s) of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--exposures", type=int, default=10, help="darks, and as many flats (10)")
    options = parser.parse_args()
    folder = options.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    number = options.exposures
    run([sys.executable, PROJECT / "scripts" / "simulate.py", "--out", folder / "data", "--instrument", "NIRISS",
         "--size", 64, "--groups", 8, "--integrations", 1, "--darks", number, "--flats", number],
        folder / "simulate.log")  # fmt: skip
    with Slurm(nodes=2, cpus=2) as slurm:
        (controller,) = map(int, subprocess.check_output(["pgrep", "-f", "-n", "slurmctld -D"], text=True).split())
        idle = slurm.client("sdiag")
        begin, before = time.monotonic(), cpu_seconds(controller)
        run([Path(sys.executable).with_name("snakemake"), "--snakefile", PROJECT / "Snakefile", "--directory", folder,
             "--configfile", folder / "data" / "config.yaml", *OPTIONS],
            folder / "run.log", **slurm.environment)  # fmt: skip
        seconds, cpu = time.monotonic() - begin, cpu_seconds(controller) - before
        requests = Counter({name: int(count) for name, count in _REQUEST.findall(slurm.client("sdiag"))})
        requests -= Counter({name: int(count) for name, count in _REQUEST.findall(idle)})
        jobs = Counter(job["Comment"] for job in slurm.jobs().values())
    print(f"{number} darks, {number} flats: {jobs.total()} submissions, {seconds:.0f} s, {cpu:.1f} s CPU of slurmctld")
    for what, found in (("submissions", jobs), ("requests", requests)):
        for name, count in found.most_common():
            print(f"| {what} | {name} | {count} |")


if __name__ == "__main__":
    main()
