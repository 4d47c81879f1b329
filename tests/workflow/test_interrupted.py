"""Runs that are killed, or find the disk full: the next run finishes what they left, and nobody sees a difference.

JWST_BADPIX_KILLS=20 in the environment makes 20 kills instead of 4.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from badpix.formats.mask_file import read_mask
from badpix.formats.statistics_file import rejection_reason
from workflow.conftest import make_once
from workflow.corruptions import good, products_of
from workflow.runner import command, copy_run, snakemake, succeed

pytestmark = pytest.mark.pipeline

KILLS_IN_A_ROW = 2
ROWS = max(1, int(os.environ.get("JWST_BADPIX_KILLS", "4")) // KILLS_IN_A_ROW)
# Two exposures of a kind come processed, so that a run is short and has jobs of every rule.
CONFIG = {
    "min_darks": 3, "min_flats": 3, "dark_slope_files": "products/darks", "dark_jump_files": "products/darks",
    "dark_fitopt_files": "products/darks", "flat_slope_files": "products/flats",
}  # fmt: skip


@pytest.fixture(scope="session")
def inputs(finished, tmp_path_factory):
    """A raw dark and a raw flat, and the products of two more of each. Read only."""

    def make(directory):
        directory.mkdir()
        shutil.copytree(finished / "crds_cache", directory / "crds_cache")
        shutil.copy2(finished / "config.yaml", directory)
        for kind in ("darks", "flats"):
            (directory / kind).mkdir()
            (directory / "products" / kind).mkdir(parents=True)
            shutil.copy2(good(finished, kind)[1], directory / kind)
            for number in (2, 3):
                for path in products_of(finished, kind, number).values():
                    shutil.copy2(path, directory / "products" / kind)

    return make_once(tmp_path_factory, "inputs", make)


@pytest.fixture(scope="session")
def undisturbed(inputs, tmp_path_factory):
    """A run that nothing happens to. Read only."""

    def make(directory):
        copy_run(inputs, directory)
        start = time.monotonic()
        succeed(directory, config=CONFIG)
        (directory / "seconds").write_text(str(time.monotonic() - start))

    return make_once(tmp_path_factory, "undisturbed", make)


def files(directory):
    """All files below results and their data, except logs and benchmarks."""
    return {str(path.relative_to(directory)) for path in (directory / "results").rglob("*")}


def mask(directory):
    return read_mask(directory / "results" / "NIS" / "test_bpm.fits")


def assert_as_if_undisturbed(directory, undisturbed):
    assert mask(directory).tobytes() == mask(undisturbed).tobytes()
    assert files(directory) == files(undisturbed)
    rejected = Path("results", "NIS", "rejected_exposures.csv")
    assert (directory / rejected).read_text() == (undisturbed / rejected).read_text()
    assert succeed(directory, "--dry-run", config=CONFIG).nothing_to_do


# ---------------------------------------------------------------- killed


def descendants(pid):
    """All processes that come from `pid`, with their command lines: pid -> text."""
    children = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = {}, [pid]
    while todo:
        for child in children.get(todo.pop(), []):
            todo.append(child)
            with contextlib.suppress(OSError):
                found[child] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return found


def jobs_among(processes):
    """Those of `processes` that are the scripts of jobs."""
    return {pid: text for pid, text in processes.items() if "/.snakemake/scripts/" in text and " -c " not in text}


def kill(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def run_and_kill(directory, after_s, victim):
    """Start a run and kill after so many seconds `all` of it, its `main` process alone, or one `job`.

    Returns what was killed. The run is over when this returns, but for the jobs of a killed main process.
    """
    with (directory / "output.txt").open("ab") as output:
        run = subprocess.Popen(
            **command(directory, config=CONFIG), stdout=output, stderr=output, start_new_session=True
        )
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(after_s)
            if run.poll() is not None:
                return "nothing: the run was over"
            processes = descendants(run.pid)
            jobs = jobs_among(processes)
            if victim == "job" and jobs:
                kill(list(jobs)[:1])
                run.wait(600)
                return f"one of the jobs {sorted(name_of(text) for text in jobs.values())}"
            os.kill(run.pid, signal.SIGKILL)
            if victim != "main":
                kill(processes)
            names = sorted(name_of(text) for text in jobs.values())
            return f"{'the main process' if victim == 'main' else 'all'} with the jobs {names}"
        finally:
            if run.poll() is None:
                kill([run.pid, *descendants(run.pid)])
            run.wait()


def name_of(command_line):
    return command_line.rstrip().rpartition(".snakemake/scripts/")[2].partition(".")[2].removesuffix(".py")


@pytest.mark.parametrize("row", range(ROWS))
def test_a_killed_run_is_finished_by_the_next(row, inputs, undisturbed, tmp_path, record_property):
    directory = copy_run(inputs, tmp_path / "run")
    seconds = float((undisturbed / "seconds").read_text())
    dice = random.Random(row)
    for number in range(KILLS_IN_A_ROW):
        after_s = seconds * dice.uniform(0.1, 0.95 if number == 0 else 0.6)
        victim = ("all", "job", "main")[(row + 2 * number) % 3]
        killed = run_and_kill(directory, after_s, victim)
        print(f"row {row}: after {after_s:.1f} s of {seconds:.1f} s killed {killed}")
        record_property(f"kill{number}", killed)
        unlocked = snakemake(directory, "--unlock", config=CONFIG)
        assert unlocked.status == 0, unlocked.output
    succeed(directory, config=CONFIG)
    assert_as_if_undisturbed(directory, undisturbed)


def test_after_a_kill_snakemake_demands_to_unlock(inputs, tmp_path):
    """docs/faq.md names the command that Snakemake demands after a kill."""
    directory = copy_run(inputs, tmp_path / "run")
    run = subprocess.Popen(
        **command(directory, config=CONFIG),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not jobs_among(descendants(run.pid)) and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        processes = descendants(run.pid)
        kill([run.pid, *processes])
        run.wait()
    refused = snakemake(directory, "--dry-run", config=CONFIG)
    locked = snakemake(directory, config=CONFIG)
    assert refused.status == 0
    assert locked.status != 0 and "--unlock" in locked.output


# ---------------------------------------------------------------- disk full


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of a given size at a directory; its size can be changed. Needs root."""
    mounted = []

    def mount(directory, size_kb):
        directory.mkdir(parents=True, exist_ok=True)
        options = f"size={size_kb}k" + (",remount" if directory in mounted else "")
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"cannot mount a tmpfs for a disk to fill: {done.stderr.strip()}")
        mounted.append(directory)

    yield mount
    for directory in set(mounted):
        subprocess.run(["umount", str(directory)], check=True)


def test_a_run_on_a_full_disk_is_finished_when_there_is_room(inputs, undisturbed, small_disk, tmp_path):
    """The disk holds some products of the exposures, but not all."""
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    directory = copy_run(inputs, tmp_path / "run")
    small_disk(directory / "results", 2500)
    failed = snakemake(directory, config=CONFIG)
    assert failed.status != 0
    assert "No space left on device" in failed.output or "Not enough space on disk" in failed.output
    assert not (directory / "results" / "NIS" / "test_bpm.fits").exists()
    assert "is rejected" not in failed.output
    reasons = [rejection_reason(path) for path in (directory / "results" / "NIS").glob("*s/*.fits")]
    assert set(reasons) <= {None}

    small_disk(directory / "results", 200_000)
    succeed(directory, config=CONFIG)
    assert_as_if_undisturbed(directory, undisturbed)
