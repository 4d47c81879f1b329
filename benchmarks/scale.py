"""Very many small exposures from products of detector1: memory of every rule, and time per exposure.

The products of a simulated dark and flat of each detector are copied under other names, dates and noise: exposures with
the same content would be duplicates. The statistics of most exposures are made in a single process, by the scripts of
the rules and with the provenance that they write; those of SAMPLE darks and SAMPLE flats, spread over the detectors,
and everything else, are made by the workflow, beside all others.
"""

import datetime
import re
import shutil
import sys

import numpy as np
import pandas as pd
import yaml
from astropy.io import fits
from in_process import child
from many import DETECTORS
from measure import PROJECT, Row, run, snakemake

# Small arrays: the number of files matters.
SIDE, GROUPS = 64, 8
PRODUCTS = {"darks": ("jump", "rateints", "fitopt"), "flats": ("rateints",)}

KEYS = {"jump": "dark_jump_files", "fitopt": "dark_fitopt_files"}
# Exposures of each kind that the workflow measures among all others.
SAMPLE = 20
START = datetime.datetime(2023, 1, 1)
# Rules with a job per exposure; all other rules have a job per detector.
PER_EXPOSURE = ("dark_statistics", "flat_statistics")
# Growth of memory and of time per exposure that counts as none.
FLAT = 1.1
# In the last line of the log of a job.
PEAK = re.compile(r"peak memory (\d+) MB")


def templates(folder):
    """A folder with the products of a dark and a flat of each of DETECTORS, made by the workflow."""
    made, data = folder / "made", folder / "data"
    if not (made / "finished").exists():
        run([sys.executable, PROJECT / "scripts" / "simulate.py", "--out", data, "--instrument", "NIRCAM",
             "--detector", *DETECTORS, "--size", SIDE, "--groups", GROUPS, "--darks", 1, "--flats", 1,
             "--integrations", 1], folder / "simulate.log")  # fmt: skip
        settings = yaml.safe_load((data / "config.yaml").read_text(encoding="utf-8"))
        settings |= {
            "keep_intermediates": True,
            "min_darks": 1,
            "min_flats": 1,
            "detectors": "all",
            "results": str(made),
        }
        config = folder / "made.yaml"
        config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        made.mkdir(exist_ok=True)
        run(snakemake(made, config, 2, "--until", "detector1_dark", "detector1_flat"), folder / "made.log")
        (made / "finished").touch()
    return made


def copy_product(source, target, number, rng):
    """Copy a product as that of another exposure, `number` hours later; rates get noise of their variance."""
    moment = START + datetime.timedelta(hours=number)
    with fits.open(source) as hdus:
        header = hdus[0].header
        header["DATE-OBS"], header["TIME-OBS"] = moment.isoformat().split("T")
        header["EXPSTART"], header["FILENAME"] = 59945 + number / 24, target.name
        if "VAR_RNOISE" in hdus and "rateints" in source.name:
            scatter = np.sqrt(np.nan_to_num(hdus["VAR_RNOISE"].data + hdus["VAR_POISSON"].data))
            hdus["SCI"].data += rng.normal(size=scatter.shape).astype(np.float32) * scatter
        # The provenance is that of the workflow's own product, whose content this is not.
        fits.HDUList([hdu for hdu in hdus if hdu.name != "PROVENANCE"]).writeto(target, overwrite=True)


def copies(made, folder, detectors, number):
    """Write `number` darks and flats of each detector to folder/darks and folder/flats; the template of each name."""
    rng, names = np.random.default_rng(1), {}
    for order, kind in enumerate(PRODUCTS):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for detector in detectors:
            for index in range(number):
                name = f"jw{10000 * (order + 1) + index:05d}001001_02101_00001_{detector.lower()}"
                names[name] = (detector, kind)
                for product in PRODUCTS[kind]:
                    (source,) = (made / detector / kind).glob(f"*_{product}.fits")
                    copy_product(source, folder / kind / f"{name}_{product}.fits", 2 * index + order, rng)
    return names


def configuration(folder):
    """Write the configuration of the copies; its path."""
    settings = {"dark_slope_files": str(folder / "darks"), "flat_slope_files": str(folder / "flats"),
                **{key: str(folder / "darks") for key in KEYS.values()}, "detectors": "all",
                "crds_path": str(folder.parent / "data" / "crds_cache"),
                "crds_server_url": "https://jwst-serverless.invalid"}  # fmt: skip
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def without_sample(names):
    """The exposures whose statistics are made beforehand: all but SAMPLE of each kind, as many of each detector."""
    taken, left = {}, {}
    per_detector = SAMPLE // len({detector for detector, _ in names.values()})
    for name, (detector, kind) in names.items():
        taken[detector, kind] = taken.get((detector, kind), 0) + 1
        if taken[detector, kind] > per_detector:
            left[name] = (detector, kind, PRODUCTS[kind])
    return left


def one_case(made, folder, detectors, number):
    """The figures of `number` darks and flats of each of `detectors`: a mapping, and a frame of the rules."""
    shutil.rmtree(folder, ignore_errors=True)
    names = copies(made, folder, detectors, number)
    config = configuration(folder)
    child("measure_many", folder, "before", folder=str(folder), exposures=without_sample(names))
    whole = run(snakemake(folder, config, 2), folder / "run.log")
    dry = run(snakemake(folder, config, 2, "--dry-run"), folder / "nothing_to_do.log")
    frame = rules_of(folder / "results")
    shutil.rmtree(folder / "darks")
    shutil.rmtree(folder / "flats")
    return {"wall s": whole.wall_s, "cpu s": whole.cpu_s, "peak MB": whole.peak_mb, "dry s": dry.wall_s}, frame


def rules_of(results):
    """Rule -> largest memory (MB) and median time (s) of its jobs, from their logs and benchmark files in `results`."""
    rows = []
    for path in results.rglob("benchmarks/**/*.tsv"):
        below = path.relative_to(results).parts
        rule = below[below.index("benchmarks") + 1].removesuffix(".tsv")
        log = results / str(path.relative_to(results).with_suffix(".log")).replace("benchmarks", "logs", 1)
        # The benchmark file has the memory at some moments only.
        peak_mb = int(PEAK.findall(log.read_text(encoding="utf-8"))[-1])
        entry = pd.read_csv(path, sep="\t", na_values="-").iloc[-1]
        rows.append((rule, peak_mb, entry["s"], entry["cpu_time"]))
    frame = pd.DataFrame(rows, columns=["rule", "peak_mb", "seconds", "cpu_s"])
    return frame.groupby("rule").agg({"peak_mb": "max", "seconds": "median", "cpu_s": "median"})


def measure(folder, options):
    """Rows for one detector with the numbers options.scale, and for ten side by side with a tenth of the larger."""
    folder = folder / "scale"
    folder.mkdir(parents=True, exist_ok=True)
    made = templates(folder)
    few, many = options.scale
    for detectors, numbers in ((DETECTORS[:1], (few, many)), (DETECTORS, (few, many // 10))):
        cases = [one_case(made, folder / f"{len(detectors)}_{number}", detectors, number) for number in numbers]
        yield from rows_of(cases, len(detectors), numbers)


def rows_of(cases, n_detectors, numbers):
    """The rows of two cases of `one_case` with these numbers of darks, and of flats, of each detector."""
    (small, rules), (large, rules_large) = cases
    few, many = (f"{number:,} + {number:,}" for number in numbers)
    title = f"{n_detectors} x ({many}) small exposures / {n_detectors} x ({few})"
    growth = (rules_large["peak_mb"] / rules["peak_mb"]).sort_values(ascending=False)
    peaks = {f"{rule} MB": int(rules_large["peak_mb"][rule]) for rule in growth.index}
    yield Row(f"{title}: memory of the rule that grows most, {growth.index[0]}", growth.iloc[0], "", f"<= {FLAT}",
              growth.iloc[0] <= FLAT, peaks)  # fmt: skip
    for rule in PER_EXPOSURE:
        times = rules["cpu_s"][rule], rules_large["cpu_s"][rule]
        yield Row(f"{title}: CPU time of {rule}", times[1] / times[0], "", f"<= {FLAT}", times[1] <= FLAT * times[0],
                  {"few s": times[0], "many s": times[1]})  # fmt: skip
    of_all = [frame.drop(list(PER_EXPOSURE))["cpu_s"].sum() / (2 * number) for frame, number in
              zip((rules, rules_large), numbers, strict=True)]  # fmt: skip
    yield Row(f"{title}: CPU time per exposure of all other rules", of_all[1] / of_all[0], "", f"<= {FLAT}",
              of_all[1] <= FLAT * of_all[0], {"few s": of_all[0], "many s": of_all[1]})  # fmt: skip
    yield Row(f"{title}: Snakemake, memory", large["peak MB"], "MB", "", True, {"few MB": small["peak MB"]})
    yield Row(f"{title}: dry run with nothing to do", large["dry s"], "s", "", True, {"few s": small["dry s"]})
