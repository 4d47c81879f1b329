"""A dry run with very many exposures, and the cost of each job process that reads the workflow."""

import datetime
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


def measure(folder, options):
    """Rows: the first dry run, a dry run with cached headers, and the time of a cluster job for the workflow."""
    folder = folder / "many"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "config.yaml").exists():
        darks = make_exposures(folder, options.many)
        settings = {"darks": str(darks), "detectors": "all", "crds_path": str(folder / "one" / "crds_cache"),
                    "crds_server_url": "https://jwst-serverless.invalid"}  # fmt: skip
        (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    results = folder / "results"
    results.mkdir(exist_ok=True)
    (results / "results" / ".inventory.json").unlink(missing_ok=True)
    config = folder / "config.yaml"
    first = run(snakemake(results, config, 2, "--dry-run", "--quiet", "all"), folder / "first.log")
    again = run(snakemake(results, config, 2, "--dry-run", "--quiet", "all"), folder / "again.log")
    # As a job of a cluster: read the workflow and check a single target.
    target = f"results/{DETECTORS[0]}/reference_pixel_mask.fits"
    options_of_job = ("--dry-run", "--quiet", "all", "--allowed-rules", "reference_pixel_mask", "--force")
    job = run(snakemake(results, config, 1, *options_of_job, target), folder / "job.log")
    (folder / "Snakefile").write_text(
        "rule all:\n    output: 'nothing'\n    shell: 'touch {output}'\n", encoding="utf-8"
    )
    program = Path(sys.executable).with_name("snakemake")
    empty = run([program, "--snakefile", folder / "Snakefile", "--directory", results, "--cores", 1, "--dry-run",
                 "--quiet", "all", "--nolock"], folder / "empty.log")  # fmt: skip
    parsing = job.wall_s - empty.wall_s
    return [
        Row(f"dry run with {options.many:,} exposures of {len(DETECTORS)} detectors, headers read", first.wall_s, "s",
            "<= 60", first.wall_s <= 60, {"peak MB": first.peak_mb}),
        Row("the same, headers remembered", again.wall_s, "s", "<= 60", again.wall_s <= 60, {"peak MB": again.peak_mb}),
        Row("reading the workflow in a job at that size, beyond an empty one", parsing, "s", "<= 1.5", parsing <= 1.5,
            {"job s": job.wall_s, "empty workflow s": empty.wall_s}),
    ]  # fmt: skip
