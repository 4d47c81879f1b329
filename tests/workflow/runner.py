"""Run Snakemake as a user does, and read its output."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from workflow import warm

PROJECT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 900
# The rows of the table "Job stats" that Snakemake prints before it starts.
_STATS = re.compile(r"^(\w+) +(\d+)$", re.MULTILINE)
# Test processes share directories of finished runs.
OVERRIDE = f"override_{os.getpid()}.yaml"


@dataclass
class Run:
    """How a run ended: exit status, all output, and the number of jobs by rule that Snakemake announced."""

    status: int
    output: str
    jobs: dict = field(default_factory=dict)

    @property
    def nothing_to_do(self):
        return "Nothing to be done" in self.output


def announced_jobs(output):
    """Number of jobs by rule in Snakemake's table "Job stats", without `all` and the total."""
    if "Job stats:" not in output:
        return {}
    table = output.split("Job stats:", 1)[1].split("total", 1)[0]
    return {name: int(count) for name, count in _STATS.findall(table) if name != "all"}


def command(directory, *arguments, config=None, project=PROJECT, cores=2, environment=None):
    """The arguments of subprocess.Popen that run the workflow of `project` in `directory`.

    `config` maps keys to values on top of `directory`/config.yaml; it is written to a file, as a user would do.
    """
    directory = Path(directory)
    files = [directory / "config.yaml"]
    if config:
        files.append(directory / OVERRIDE)
        files[-1].write_text(yaml.safe_dump(config), encoding="utf-8")
    words = [
        sys.executable, "-m", "snakemake", "--snakefile", str(project / "Snakefile"), "--directory", str(directory),
        "--cores", str(cores), "--keep-going", "--nocolor", "--configfile", *map(str, files), *arguments,
    ]  # fmt: skip
    return {"args": words, "cwd": project, "env": os.environ | (environment or {})}


def snakemake(directory, *arguments, **options):
    """Run the workflow in `directory` and return a Run. Arguments as of `command`."""
    words = command(directory, *arguments, **options)
    if warm.can_run(words):
        status, output = warm.run(words, TIMEOUT_S)
    else:
        done = subprocess.run(**words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S)
        status, output = done.returncode, done.stdout
    return Run(status, output, announced_jobs(output))


def succeed(directory, *arguments, **options):
    """`snakemake`, asserting that it succeeds."""
    run = snakemake(directory, *arguments, **options)
    assert run.status == 0, run.output[-8000:]
    return run


def copy_run(source, target):
    """Copy a finished run with all times of modification and Snakemake's own records, so that it is as finished.

    The copy works because all its paths are relative to its directory.
    """
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("log", "locks", "tmp*"))
    return Path(target)
