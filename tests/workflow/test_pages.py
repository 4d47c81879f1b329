"""README and tutorial, command by command, in a fresh clone. The commands are those of the pages (workflow.pages)."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy.io import fits

from badpix.formats.mask_file import read_mask
from workflow.conftest import copy_compiled
from workflow.pages import Substitution, missing_lines, run_page, substituted, without_exceptions
from workflow.runner import PROJECT

pytestmark = pytest.mark.pipeline

ENVIRONMENT = Path(sys.prefix)
TUTORIAL = "docs/tutorial/mast_to_delivery.md"

# All that differs from the pages.
SMALL_DEMO = Substitution("make demo", "make -o .venv/.run-ready demo SIZE=64", "takes a minute with 256 pixels")
FINISHED_ENVIRONMENT = Substitution(
    "envs/create_venv.sh .venv envs/requirements.txt python3", "test -x .venv/bin/python", "needs the network"
)
NO_CRDS = Substitution("https://jwst-crds.stsci.edu", "https://jwst-serverless.invalid", "needs the network")
TWO_CORES = Substitution("--cores 8", "--cores 2", "machines of tests have few cores")
# First line of a block that is not run -> reason.
NOT_RUN: dict[str, dict[str, str]] = {"README.md": {}, TUTORIAL: {}}


def git(*words, cwd=PROJECT):
    return subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clone(tmp_path):
    """A clone of this repository with its uncommitted changes, and the environment of the tests as .venv."""
    if not (PROJECT / ".git").exists():
        pytest.skip("this copy of the project is not a repository")
    target = tmp_path / "jwst-badpix"
    git("clone", "--quiet", str(PROJECT), str(target))
    for name in git("ls-files", "--modified", "--others", "--exclude-standard", "-z").split("\0")[:-1]:
        (target / name).unlink(missing_ok=True)
        if (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target / name)
    (target / ".venv").symlink_to(ENVIRONMENT)
    copy_compiled(target)
    return target


def environment(home, *first_on_path):
    """The variables of a new user, whose environment is not activated, with a home and nothing of the tests."""
    path = [*first_on_path, *(part for part in os.environ["PATH"].split(os.pathsep) if part != f"{ENVIRONMENT}/bin")]
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return kept | {"HOME": str(home), "PATH": os.pathsep.join(map(str, path))}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def test_the_readme_makes_the_mask_that_it_recommends(clone, simulated, tmp_path):
    """Demo and the first mask of the exposures in the folders of the example, which are those of the demo."""
    home = tmp_path / "home"
    shutil.copytree(simulated / "crds_cache", home / "crds_cache")
    (clone / "data").mkdir()
    for kind in ("darks", "flats"):
        (clone / "data" / kind).symlink_to(simulated / kind)
    page = clone / "README.md"
    blocks = without_exceptions(page, NOT_RUN["README.md"])
    blocks = substituted(blocks, [SMALL_DEMO, FINISHED_ENVIRONMENT, NO_CRDS, TWO_CORES])
    outputs = run_page("README.md", blocks, clone, tmp_path / "out", environment(home))
    assert not missing_lines(blocks, outputs)

    mask = clone / "results" / "NIS" / "niriss_bpm.fits"
    header = fits.getheader(mask)
    assert header["BADPIX PRESET"].startswith("flight") and header["AUTHOR"] == "Your Name"
    demo = outputs[blocks[0].line]
    of_flight = next(line.split()[-1] for line in demo.splitlines() if line.startswith("mask of the preset flight"))
    assert np.array_equal(read_mask(mask), read_mask(clone / of_flight))
    assert (clone / "results" / "NIS" / "report.html").is_file()

    # The end of the demo: files that exist, and the example of the README.
    lines = demo.splitlines()
    named = [line.split()[-1] for line in lines if line.startswith(("mask of", "report,", "completeness and"))]
    assert len(named) == 4 and all((clone / name).is_file() for name in named), demo
    assert max(map(len, lines)) <= 100, demo
    # Both runs of the demo show all their steps as done.
    assert sum(line.endswith(" steps (100%) done") for line in lines) == 2, demo
    example = next(block for block in blocks if block.language == "yaml").text.splitlines()[1:]
    assert (clone / "config" / "example.yaml").read_text(encoding="utf-8").splitlines() == example


def test_the_tutorial_from_mast_to_a_delivery(clone, tmp_path):
    page = clone / TUTORIAL
    port = Substitution("8040", free_port(), "tests run at the same time")
    command = Substitution("demo_archive &", f"demo_archive --port {port.new} &", port.reason)
    blocks = substituted(without_exceptions(page, NOT_RUN[TUTORIAL]), [command, port])
    variables = environment(tmp_path, clone / ".venv" / "bin")
    outputs = run_page(TUTORIAL, blocks, clone, tmp_path / "out", variables)
    assert not missing_lines(blocks, outputs)
    delivery = clone / "results" / "NIS" / "delivery"
    assert list(delivery.glob("*.fits"))
    config = yaml.safe_load((clone / "my_config.yaml").read_text(encoding="utf-8"))
    form = yaml.safe_load((delivery / "delivery_form.yaml").read_text(encoding="utf-8"))
    assert form["deliverer"] == config["author"]
