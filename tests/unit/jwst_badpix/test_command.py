"""The command line: the programs that the commands start, and the messages of a run."""

import os
import subprocess
import sys

import pytest

from jwst_badpix import command
from jwst_badpix.place import workflow_folder
from jwst_badpix.run import error_of, summary_of

SNAKEMAKE = [sys.executable, "-m", "snakemake", "--snakefile", str(workflow_folder() / "Snakefile")]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).touch()


def words(*arguments):
    return command.words_of(command.parsed(arguments))


@pytest.mark.parametrize("given, expected", [
    ("run a.yaml --cores 8", "--configfile a.yaml --cores 8"),
    ("run --cores 8 a.yaml", "--cores 8 --configfile a.yaml"),
    ("run a.yaml b.yaml -n", "--configfile a.yaml b.yaml -n"),
    ("run a.yaml --cores 8 -- sweep x", "--configfile a.yaml --cores 8 -- sweep x"),
    ("run a.yaml -- sweep", "--configfile a.yaml -- sweep"),
    ("run a.yaml sweep", "--configfile a.yaml -- sweep"),
    ("run a.yaml sweep b.yaml --cores 8 -- x", "--configfile a.yaml b.yaml --cores 8 -- sweep x"),
    ("run a.yaml --config x=1 --version", "--configfile a.yaml --config x=1 --version"),
    ("fetch a.yaml", "--cores 1 --configfile a.yaml -- fetch"),
    ("fetch --list a.yaml --quiet", "--cores 1 --configfile a.yaml --quiet -- fetch_list"),
])  # fmt: skip
def test_run_and_fetch_start_snakemake(here, given, expected):
    assert words(*given.split()) == SNAKEMAKE + expected.split()


@pytest.mark.parametrize("given, message", [
    ("run c.yaml", "no such configuration file: 'c.yaml'"),
    ("run a.yaml c.yaml", "no such configuration file: 'c.yaml'"),
    ("fetch a.yaml sweep", "no such configuration file: 'sweep'"),
    ("run a.yaml --configfile b.yaml", "--configfile is not allowed"),
    ("run a.yaml --configfiles=b.yaml", "--configfiles=b.yaml is not allowed"),
])  # fmt: skip
def test_a_mistaken_file_is_named(here, given, message, capsys):
    assert command.main(given.split()) == 2
    assert message in capsys.readouterr().err


def test_the_demo_has_its_numbers(tmp_path):
    script = str(workflow_folder() / "scripts" / "demo.sh")
    assert words("demo")[:2] == ["bash", script] and words("demo")[3:] == ["demo", "256", "1", "2", "jwst-badpix"]
    assert words("demo", "x", "--size", "64", "--seed", "7", "--cores", "3")[3:-1] == ["x", "64", "7", "3"]


def test_the_module_is_the_command(tmp_path):
    """Without a traceback for a run that is not there."""
    options = {"capture_output": True, "text": True, "cwd": tmp_path}
    environment = os.environ | {"PYTHONPATH": str(workflow_folder() / "scripts")}
    run = [sys.executable, "-m", "jwst_badpix", "explain", "1", "2"]
    done = subprocess.run(run, env=environment, **options)
    assert done.returncode == 1 and done.stderr == (
        "jwst-badpix explain: results: a folder with a mask and its evidence.fits is needed; there is none\n"
    )


FAILED = """Warning: NIS: x

Summary of the run
NIS
  mask: none from this run
Errors:
bad_pixel_mask: too few darks
  a second line
  log: results/NIS/logs/bad_pixel_mask.log
Next, after the correction (finished jobs are kept):
  snakemake
"""


def test_the_error_of_a_run_is_that_of_its_jobs_or_all_it_wrote():
    assert error_of(FAILED) == (
        "bad_pixel_mask: too few darks\n  a second line\n  log: results/NIS/logs/bad_pixel_mask.log"
    )
    refused = "the configuration has 1 problem:\n  flux_check: 'x' is not allowed"
    assert error_of(refused) == refused
    assert error_of(f"Warning: NIS: something\n{refused}") == refused, "a warning is no error"
    assert error_of("Warning: NIS: something\n") == "Warning: NIS: something\n"
    assert (
        summary_of("Warning\n\nSummary of the run\nNIS\n  mask: x\nNext, report pages:\n  snakemake")
        == "NIS\n  mask: x"
    )
