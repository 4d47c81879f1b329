"""The workflow as a module of another workflow, whose Snakefile is in another folder."""

import re
import shutil
import subprocess
import sys

import pytest
import yaml

from workflow.conftest import FULL_RUN
from workflow.runner import PROJECT, Run, announced_jobs, copy_run, snakemake

pytestmark = pytest.mark.pipeline


def run_module(directory, text, *arguments):
    """Run the outer Snakefile `text` in `directory`; its modules have {project} as the folder of the workflow."""
    outer = directory / "outer" / "Snakefile"
    outer.parent.mkdir(exist_ok=True)
    outer.write_text(text.format(project=PROJECT), encoding="utf-8")
    words = [sys.executable, "-m", "snakemake", "--snakefile", str(outer), "--directory", str(directory), "--cores=2"]
    done = subprocess.run(
        [*words, "--nocolor", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )
    return Run(done.returncode, done.stdout, announced_jobs(done.stdout))


ONE = """
configfile: "module.yaml"
module badpix:
    snakefile: "{project}/Snakefile"
    config: config["badpix"]
use rule * from badpix as badpix_*
rule everything:
    input: rules.badpix_all.input
    default_target: True
"""


def test_a_module_continues_a_run_of_the_workflow(finished_copy):
    config = yaml.safe_load((finished_copy / "config.yaml").read_text()) | FULL_RUN | {"max_jump_limit": 8}
    own = snakemake(finished_copy, "--dry-run", config=FULL_RUN | {"max_jump_limit": 8}).jobs
    (finished_copy / "module.yaml").write_text(yaml.safe_dump({"badpix": config}))
    results = finished_copy / "results" / "NIS"
    shutil.copy2(results / "test_bpm.fits", results / "older.fits")
    run = run_module(finished_copy, ONE)
    assert run.status == 0, run.output[-4000:]
    assert "older.fits" in (results / "NOT_OF_LAST_RUN.txt").read_text(), "handlers of modules do not run"
    jobs = {name.removeprefix("badpix_"): count for name, count in run.jobs.items() if name != "everything"}
    assert jobs == own and jobs["bad_pixel_mask"] == 1 and "detector1_dark" not in jobs
    assert run_module(finished_copy, ONE, "--dry-run").nothing_to_do
    assert "exposures measured" in run_module(finished_copy, ONE, "--forcerun", "badpix_detector1_dark", "-n").output


TWO = """
module one:
    snakefile: "{project}/Snakefile"
    config: dict(darks="darks", flats="flats")
use rule * from one as one_*
module two:
    snakefile: "{project}/Snakefile"
    config: dict(darks="darks", results="second", author="Second")
use rule * from two as *_two
rule everything:
    input: rules.one_all.input, rules.all_two.input
    default_target: True
"""


def test_two_modules_have_their_own_configuration(simulated, tmp_path):
    directory = copy_run(simulated, tmp_path / "run")
    run = run_module(directory, TWO, "--dry-run")
    assert run.status == 0, run.output[-4000:]
    assert run.jobs["one_detector1_dark"] == run.jobs["detector1_dark_two"] == 5
    assert run.jobs["one_detector1_flat"] == 5 and "detector1_flat_two" not in run.jobs
    assert "second/NIS/test_bpm.fits" in run.output and "results/NIS/test_bpm.fits" in run.output


PREFIXES = """
module one:
    snakefile: "{project}/Snakefile"
    config: dict(darks="darks", flats="flats", crds_path="crds_cache", crds_server_url="https://jwst-serverless.invalid")
    prefix: "a/b"
use rule * from one as one_*
module two:
    snakefile: "{project}/Snakefile"
    config: dict(darks="darks", flats="flats", preset="flight", history_directory="old/masks")
    replace_prefix: {{"results/": "c/", "old/": "d/"}}
use rule * from two as two_*
rule everything:
    input: rules.one_all.input, rules.two_all.input
    default_target: True
print(two.config["history_directory"])
"""


def test_a_prefix_moves_what_a_module_writes(simulated, tmp_path):
    """Inputs stay where the configuration has them; a finished part is recognised below the prefix."""
    directory = copy_run(simulated, tmp_path / "run")
    run = run_module(directory, PREFIXES, "--dry-run", "--printshellcmds")
    assert run.status == 0, run.output[-4000:]
    assert run.jobs["one_detector1_dark"] == run.jobs["two_detector1_dark"] == 5
    assert run.jobs["two_exposure_response"] == 5 and "one_exposure_response" not in run.jobs
    made = set(re.findall(r"[\w./-]+\.(?:fits|png)", run.output))
    assert {"a/b/results/NIS/test_bpm.fits", "c/NIS/test_bpm.fits"} <= made and "\nd/masks\n" in run.output
    assert {path.split("/")[0] for path in made} == {"a", "c"}
    target = "a/b/results/NIS/reference_pixel_mask.fits"
    assert run_module(directory, PREFIXES, target).status == 0 and (directory / target).is_file()
    assert "one_reference_pixel_mask" not in run_module(directory, PREFIXES, "--dry-run").jobs
    assert not (directory / "results").exists()
