"""A dry run with very many exposures, and the cost of each job process that reads the workflow."""

import datetime
import statistics
import sys
from pathlib import Path

import numpy as np
import yaml
from astropy.io import fits
from measure import PROJECT, Row, run, snakemake

DETECTORS = ("NRCA1", "NRCA2", "NRCA3", "NRCA4", "NRCALONG", "NRCB1", "NRCB2", "NRCB3", "NRCB4", "NRCBLONG")
# Small arrays: only the headers matter.
SIDE, GROUPS = 64, 5


def make_exposures(folder, number):
    """Write `number` raw darks, spread over the detectors, from a simulated file of each detector."""
    pattern = folder / "one"
    run([sys.executable, PROJECT / "scripts" / "simulate.py", "--out", pattern, "--instrument", "NIRCAM", "--detector",
         *DETECTORS, "--size", SIDE, "--groups", GROUPS, "--darks", 1, "--flats", 0, "--integrations", 1],
        folder / "simulate.log")  # fmt: skip
    darks = folder / "darks"
    darks.mkdir(exist_ok=True)
    start = datetime.datetime(2023, 1, 1)
    for path in sorted((pattern / "darks").glob("*_uncal.fits")):
        with fits.open(path) as hdus:
            primary, science = hdus[0].copy(), fits.ImageHDU(np.array(hdus["SCI"].data), hdus["SCI"].header)
        for index in range(number // len(DETECTORS)):
            moment = start + datetime.timedelta(hours=index)
            primary.header["DATE-OBS"], primary.header["TIME-OBS"] = moment.isoformat().split("T")
            primary.header["EXPSTART"] = 59945 + index / 24
            name = f"jw{90000 + index:05d}001001_02101_00001_{primary.header['DETECTOR'].lower()}_uncal.fits"
            fits.HDUList([primary, science]).writeto(darks / name, overwrite=True)
    return darks


def medians(steps, pairs):
    """Name -> median of the Usage.cpu_s of each step (name -> function that returns a Usage), run in turn; largest MB.

    A dry run is a single process on a single core; other programs disturb its processor time less than its duration.
    """
    usages = {name: [] for name in steps}
    for _ in range(pairs):
        for name, step in steps.items():
            usages[name].append(step())
    seconds = {name: statistics.median(usage.cpu_s for usage in found) for name, found in usages.items()}
    return seconds, {name: max(usage.peak_mb for usage in found) for name, found in usages.items()}


def measure(folder, options):
    """Rows: dry runs with headers read and remembered, each over a bare workflow, and the time of a cluster job."""
    folder = folder / "many"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "config.yaml").exists():
        darks = make_exposures(folder, options.many)
        settings = {"darks": str(darks), "detectors": "all", "crds_path": str(folder / "one" / "crds_cache"),
                    "crds_server_url": "https://jwst-serverless.invalid"}  # fmt: skip
        (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    results = folder / "results"
    results.mkdir(exist_ok=True)
    config, program = folder / "config.yaml", Path(sys.executable).with_name("snakemake")
    dry = ("--dry-run", "--quiet", "all")

    def first():
        (results / "results" / ".inventory.json").unlink(missing_ok=True)
        return run(snakemake(results, config, 2, *dry), folder / "first.log")

    def bare(snakefile, *settings):
        (folder / "bare").mkdir(exist_ok=True)
        return run([program, "--snakefile", snakefile, "--directory", folder / "bare", "--cores", 2, "--nolock", *dry,
                    *settings], folder / "bare.log")  # fmt: skip

    # As a job of a cluster: read the workflow and check a single target.
    target = f"results/{DETECTORS[0]}/reference_pixel_mask.fits"
    options_of_job = (*dry, "--allowed-rules", "reference_pixel_mask", "--force")
    (folder / "Snakefile").write_text(
        "rule all:\n    output: 'nothing'\n    shell: 'touch {output}'\n", encoding="utf-8"
    )
    steps = {
        "bare": lambda: bare(PROJECT / "benchmarks" / "bare.smk", "--config", f"darks={folder / 'darks'}"),
        "read": first,
        "remembered": lambda: run(snakemake(results, config, 2, *dry), folder / "again.log"),
        "job": lambda: run(snakemake(results, config, 1, *options_of_job, target), folder / "job.log"),
        "empty": lambda: bare(folder / "Snakefile"),
    }
    seconds, peak_mb = medians(steps, options.pairs)
    title = f"dry run with {options.many:,} exposures of {len(DETECTORS)} detectors / a bare workflow of as many jobs"
    for what, name, limit in ((f"{title}, headers read", "read", 1.5), (f"{title}, remembered", "remembered", 1.25)):
        ratio = seconds[name] / seconds["bare"]
        yield Row(what, ratio, "", f"<= {limit}", ratio <= limit,
                  {"CPU s": seconds[name], "bare s": seconds["bare"], "peak MB": peak_mb[name]})  # fmt: skip
    parsing = seconds["job"] - seconds["empty"]
    yield Row("reading the workflow in a job at that size, beyond an empty one", parsing, "s", "<= 1.5", parsing <= 1.5,
              {"job s": seconds["job"], "empty workflow s": seconds["empty"]})  # fmt: skip
