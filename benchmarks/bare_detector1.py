"""Time the detector1 calls of a simulated run as bare Python processes, without the workflow.

    python benchmarks/bare_detector1.py DEMO --processes 2

DEMO is a folder of scripts/simulate.py with a finished run of the workflow (for its reference-pixel mask). Every
exposure goes through Detector1Pipeline with the configuration's default parameters, in a separate process, two at a
time; products go to a temporary directory. Prints the seconds of each process, their sum, and the wall time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "scripts"))

from badpix.config.check import load_schema, load_steps, validated  # noqa: E402

CALL = """
import json, sys
from jwst.pipeline import Detector1Pipeline
raw, steps, directory = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
Detector1Pipeline.call(raw, steps=steps, output_dir=directory, save_results=True)
"""


def default_steps(mask):
    """Kind -> the argument `steps` of the pipeline with the default configuration."""
    schemas = PROJECT / "config" / "schemas"
    steps = load_steps(schemas / "detector1_steps.json")
    config = validated({"darks": "d"}, load_schema(schemas / "config.schema.yaml"), steps)
    result = {}
    for kind in ("dark", "flat"):
        steps = {step: dict(values) for step, values in config[f"detector1_{kind}"].items()}
        steps.setdefault("dq_init", {})["override_mask"] = str(mask)
        if kind == "dark":
            steps.setdefault("jump", {})["save_results"] = True
            steps.setdefault("ramp_fit", {})["save_opt"] = True
        result[kind] = steps
    return result


def run_bare(raw, steps, environment):
    """Seconds of a bare process."""
    with tempfile.TemporaryDirectory(dir=raw.parent.parent) as directory:
        start = time.monotonic()
        command = [sys.executable, "-c", CALL, str(raw), json.dumps(steps), directory]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.monotonic() - start


def main(demo, processes):
    """Run all exposures of the folder `demo`, `processes` at a time."""
    (mask,) = (demo / "results").glob("*/reference_pixel_mask.fits")
    steps = default_steps(mask.resolve())
    environment = os.environ | {
        "CRDS_PATH": str((demo / "crds_cache").resolve()),
        "CRDS_SERVER_URL": "https://jwst-serverless.invalid",
        "OMP_NUM_THREADS": "1",
    }
    work = [(raw, steps[kind]) for kind in ("dark", "flat") for raw in sorted((demo / f"{kind}s").glob("*_uncal.fits"))]
    start = time.monotonic()
    with ThreadPoolExecutor(processes) as pool:
        seconds = list(pool.map(lambda item: run_bare(item[0].resolve(), item[1], environment), work))
    wall = time.monotonic() - start
    for (raw, _), value in zip(work, seconds, strict=True):
        print(f"{raw.name:50s} {value:7.1f} s")
    print(f"sum {sum(seconds):.1f} s, wall {wall:.1f} s, {processes} at a time")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("demo", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    main(arguments.demo, arguments.processes)
