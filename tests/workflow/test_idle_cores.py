"""What one exposure of a finished run needs again: on idle cores, in a scratch directory, without asking CRDS."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading

import pytest

from badpix.core.scratch import own_directory
from workflow.products import images_of, same
from workflow.runner import PROJECT, snakemake, succeed

pytestmark = pytest.mark.pipeline

DARK = "jw09001001001_02101_00001_nis"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def data_of(path):
    """The images and tables of a file, without the metadata, which have the time and all parameters."""
    return {name: image for name, image in images_of(path).items() if name[1] != "ASDF"}


def without(directory, exposure):
    """Take away all that has been made of a dark, and the mask; returns the dark's images as they were."""
    paths = sorted((directory / "results" / "NIS" / "darks").glob(f"{exposure}_*.fits"))
    images = {name: image for path in paths for name, image in data_of(path).items()}
    for path in [*paths, directory / "results" / "NIS" / "test_bpm.fits"]:
        path.unlink()
    return images


def test_one_exposure_uses_two_cores_and_scratch(finished_copy, tmp_path):
    """The products are those of one core each, bit for bit; nothing is left in scratch, nor what a killed job left."""
    scratch, darks = tmp_path / "scratch", finished_copy / "results" / "NIS" / "darks"
    scratch.mkdir()
    before = without(finished_copy, DARK)
    killed = own_directory(scratch, darks) / f".detector1-{DARK}-abcdefgh"
    killed.mkdir()
    config = {"scratch": str(scratch), "detector1_use_idle_cores": True}
    run = succeed(finished_copy, "--until", "detector1_dark", config=config)
    assert run.jobs == {"detector1_dark": 1}
    log = (finished_copy / "results" / "NIS" / "logs" / "detector1_dark" / f"{DARK}.log").read_text()
    for step in ("Creating 2 processes for jump detection", "Number of multiprocessing slices: 2"):
        assert log.count(step) == 1, "jump and ramp_fit, and every line of the log once"
    assert not list(scratch.glob("*/*")) and not list(darks.glob(f"{DARK}_jump.fits"))

    # Neither another number of threads nor other scratch, nor none of both, makes it run again.
    for words, other in ((["--set-threads", "detector1_dark=1"], config), ([], {})):
        assert "detector1_dark" not in snakemake(finished_copy, "--dry-run", *words, config=other).jobs
    for path in darks.glob(f"{DARK}_*.fits"):
        assert all(same(image, before[name]) for name, image in data_of(path).items()), path.name


def test_scratch_among_the_results_is_refused(finished_copy):
    run = snakemake(finished_copy, "--dry-run", config={"scratch": str(finished_copy / "results")})
    assert run.status != 0 and "scratch: " in run.output and "outside of the results" in run.output
    assert "Traceback" not in run.output


def test_libraries_of_a_job_are_held_to_its_threads(finished_copy, project):
    """Their variables are set before numpy is imported: on shared nodes a job must not take all cores."""
    script = project / "scripts" / "reference_pixel_mask.py"
    first = f"import os, sys\nassert 'numpy' not in sys.modules\nseen = [os.environ.get(name) for name in {THREADS}]\n"
    text = script.read_text(encoding="utf-8").replace('"""\n\n', f'"""\n\n{first}', 1)
    script.write_text(
        text.replace("with logging_to(", "open('threads.txt', 'w').write(str(seen))\n    with logging_to(")
    )
    (finished_copy / "results" / "NIS" / "reference_pixel_mask.fits").unlink()
    words = ("--until", "reference_pixel_mask", "--forcerun", "reference_pixel_mask", "--cores", "2")
    succeed(finished_copy, *words, project=project, environment=dict.fromkeys(THREADS, "64"))
    assert (finished_copy / "threads.txt").read_text() == str(["1"] * len(THREADS))


@contextlib.contextmanager
def listener():
    """A server that counts who connects, and hangs up: its address, and the list of connections."""
    seen = []
    with socket.create_server(("localhost", 0)) as server:

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    connection, address = server.accept()
                    seen.append(address)
                    connection.close()

        threading.Thread(target=answer, daemon=True).start()
        yield f"https://localhost:{server.getsockname()[1]}", seen
        server.shutdown(socket.SHUT_RDWR)


CALL = """
import sys
sys.path.insert(0, "scripts")
from badpix.detector1.job import process
from badpix.detector1.pipeline import PipelineSettings
from badpix.statistics.flat import FlatMeasurement
uncal, mask, out, cache, server, references = sys.argv[1:]
inputs = {"uncal": uncal, "reference_pixel_mask": mask, "references": references}
settings = PipelineSettings("flat", {}, {"path": cache, "server_url": server, "context": None})
outputs = {product: f"{out}/a_{product}.fits" for product in ("statistics", "rate")}
process(inputs, outputs, "a", settings, FlatMeasurement())
"""


@pytest.mark.parametrize("whole", [True, False], ids=["whole cache", "a reference is missing"])
def test_a_job_asks_crds_only_for_what_the_cache_lacks(whole, finished, tmp_path):
    shutil.copytree(finished / "crds_cache", tmp_path / "cache")
    if not whole:
        next((tmp_path / "cache").glob("references/jwst/niriss/*_linearity_*.fits")).unlink()
    results = finished / "results" / "NIS"
    with listener() as (address, seen):
        words = [next((finished / "flats").iterdir()), results / "reference_pixel_mask.fits", tmp_path,
                 tmp_path / "cache", address, results / "flats" / "references.json"]  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", CALL, *words], cwd=PROJECT, env=os.environ, capture_output=True, text=True
        )
    assert (done.returncode == 0) == whole, done.stderr[-3000:]
    assert (tmp_path / "a_statistics.fits").exists() == whole
    assert (len(seen) == 0) == whole
