"""Run a process and measure its time and memory; the rows of the benchmark table."""

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
MB = 2**20
# Bytes of a block of getrusage on Linux.
DISK_BLOCK = 512
# "serverless" in the address keeps CRDS off the network.
ENVIRONMENT = os.environ | {"CRDS_SERVER_URL": "https://jwst-serverless.invalid", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Usage:
    """Wall and processor time (s) of a process and its children, and the largest memory of a single process (MB).

    `written_mb` (10^6 bytes) are the pages that they wrote to file systems on disk, not those in memory.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    written_mb: float


@dataclass
class Row:
    """A row of the table: the measured quantity, the figure with its unit, its target, and its parts."""

    what: str
    value: float
    unit: str
    target: str
    met: bool
    made_of: dict = field(default_factory=dict)


def run(command, log, **environment):
    """Run `command` to its end with its output in the file `log`; returns a Usage, SystemExit if it fails."""
    with Path(log).open("w", encoding="utf-8") as stream:
        start = time.monotonic()
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=stream,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=ENVIRONMENT | environment,
        )
        _, status, resources = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed, see {log}")
    written = resources.ru_oublock * DISK_BLOCK / 1e6
    return Usage(wall, resources.ru_utime + resources.ru_stime, resources.ru_maxrss / 1024, written)


def snakemake(results, config, cores, *options):
    """The command that runs the workflow with the configuration file `config` into the folder `results`."""
    program = Path(sys.executable).with_name("snakemake")
    return [program, "--snakefile", PROJECT / "Snakefile", "--directory", results, "--configfile", config,
            "--cores", cores, "--nolock", *options]  # fmt: skip


def machine():
    """A line about the machine: processor, cores, memory."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"
