"""A simulated detector and a finished run of the workflow on it, made once and shared by all tests and processes."""

import contextlib
import os
import pickle
import shutil
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

import simulate
from badpix.simulate.simulation import Simulation
from workflow.runner import PROJECT, copy_run, succeed

# The files of the workflow.
PROJECT_PARTS = ("Snakefile", "rules", "scripts", "config", "envs", "profiles")
# Numbers of the exposures in `three_and_three`; the exposures before and after them can be added.
NUMBERS = (2, 3, 4)
NAMES = {"darks": "jw09001001001_02101_0000{}_nis_uncal.fits", "flats": "jw09002001001_03101_0000{}_nis_uncal.fits"}
# Products of the shared run beside the mask.
FULL_RUN = {"keep_intermediates": True, "quality_check": True, "plot": True}


def write_config(directory):
    """A configuration with paths relative to `directory`, so that it can be copied elsewhere."""
    text = (
        "darks: darks\nflats: flats\nresults: results\ncrds_path: crds_cache\n"
        # Most tests count the jobs of the masks; those of the history and of CRDS turn it on.
        "crds_server_url: https://jwst-serverless.invalid\nkeep_history: false\ncertify: false\n"
    )
    (directory / "config.yaml").write_text(text, encoding="utf-8")


def value_once(tmp_path_factory, name, make):
    """Call `make(directory)` in the first process; all further processes wait for it.

    Returns the directory, and in each process a copy of what the call returned.
    """
    root = tmp_path_factory.getbasetemp()
    # Each process of pytest-xdist has its own directory below the shared one.
    root = root.parent if root.name.startswith("popen-") else root
    directory, done = root / name, root / f"{name}.done"
    with FileLock(f"{directory}.lock"):
        if not done.exists():
            made = pickle.dumps(make(directory))
            done.write_bytes(made)
        return directory, pickle.loads(done.read_bytes())


def make_once(tmp_path_factory, name, make):
    """The directory alone of `value_once`."""
    return value_once(tmp_path_factory, name, make)[0]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    """A 64 x 64 detector: five darks and five flats of two integrations, truth and CRDS cache. Read only."""

    def make(directory):
        simulate.main(directory, Simulation(64))
        write_config(directory)

    return make_once(tmp_path_factory, "simulated", make)


@pytest.fixture(scope="session")
def finished(simulated, tmp_path_factory):
    """A finished run on `simulated` with all intermediates kept, quality check and plots. Read only."""

    def make(directory):
        copy_run(simulated, directory)
        succeed(directory, config=FULL_RUN)

    return make_once(tmp_path_factory, "finished", make)


@pytest.fixture(scope="session")
def three_and_three(simulated, tmp_path_factory):
    """A finished run of three darks and three flats with nothing kept that need not be. Read only."""

    def make(directory):
        copy_run(simulated, directory)
        for kind, name in NAMES.items():
            for number in {1, 5} - set(NUMBERS):
                (directory / kind / name.format(number)).unlink()
        path = directory / "config.yaml"
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        # The table of manual flags lies in the project, whose place another test changes.
        config |= {"min_darks": 2, "min_flats": 2, "plot": True, "manual_flag_file": "none"}
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        succeed(directory)

    return make_once(tmp_path_factory, "three_and_three", make)


@pytest.fixture
def finished_copy(finished, tmp_path):
    """A copy of the finished run that a test may change."""
    return copy_run(finished, tmp_path / "run")


@pytest.fixture(scope="session")
def results(finished):
    """The results of the shared run for its only detector."""
    return Path(finished) / "results" / "NIS"


def copy_compiled(target):
    """Copy the code that numba has compiled for the library of this project to its copy at `target`.

    numba knows a source file by its time of modification and its size. A source file that differs is compiled again.
    """
    for index in (PROJECT / "scripts").rglob("__pycache__/*.nbi"):
        source = index.parent.parent / f"{index.name.split('.')[0]}.py"
        copied = target / source.relative_to(PROJECT)
        if not copied.is_file() or copied.read_bytes() != source.read_bytes():
            continue
        os.utime(copied, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
        folder = target / index.parent.relative_to(PROJECT)
        folder.mkdir(exist_ok=True)
        for path in index.parent.glob(f"{index.stem}*.nb?"):
            # A further process of the tests may have compiled it again.
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(path, folder)


@pytest.fixture
def project(tmp_path):
    """A copy of the project elsewhere, whose library may be edited."""
    target = tmp_path / "project"
    target.mkdir()
    for part in PROJECT_PARTS:
        source = PROJECT / part
        if source.is_dir():
            shutil.copytree(source, target / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / part)
    copy_compiled(target)
    return target
