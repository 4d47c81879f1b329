"""Run the workflow at some sizes, and compare used and requested resources of its jobs: memory, disk and time.

    python benchmarks/resources.py --out bench/resources [--sizes NIRISS-256-30-2 ... --page docs/howto/clusters.md]

A size is INSTRUMENT-ARRAY-GROUPS-INTEGRATIONS, the array a number of pixels on a side or the name of a subarray. Each
is simulated (two darks, two flats) and run with the official defaults and again with the flight preset; every job's log
has its peak memory and its time. Writes OUT/<size>.csv (remove it to measure again) and OUT/resources.csv.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import yaml
from astropy.io import fits
from measure import PROJECT, run, snakemake
from page import write_table

sys.path.insert(0, str(PROJECT / "scripts"))

from badpix.workflow.resources import RULES, Size, disk_mb, memory_mb, runtime_minutes

SIZES = ("NIRISS-256-30-2", "MIRI-FULL-10-2", "NIRISS-2048-20-1")
PRESETS = {"defaults": None, "flight": PROJECT / "config" / "presets" / "flight.yaml"}
# All rules run, and all files are kept.
EVERYTHING = {"min_darks": 2, "min_flats": 2, "keep_intermediates": True, "quality_check": True, "plot": True,
              "leave_one_out": True, "report": True, "keep_history": True, "compare_with": "crds",
              "max_new_fraction": 1.0, "reliability": True, "bad_reference_pixels": {"noise": 1.5},
              "cold_rate_threshold_e_per_s": 0.004, "sweep": {"max_jump_limit": [5, 10]},
              "pixel_table": True, "known_bad": {"pixels": "epochs"}}  # fmt: skip
DONE = re.compile(r"badpix: (\w+): done in ([\d.]+) s, peak memory (\d+) MB")
MB = 1e6
# Files that a job of a rule leaves, below the folder of the detector; {exposure} is each exposure's name.
FILES = {
    "reference_pixel_mask": ["reference_pixel_mask.fits"],
    "detector1_dark": [
        f"darks/{{exposure}}_{name}.fits" for name in ("jump", "fitopt", "rate", "rateints", "dark_statistics")
    ],
    "detector1_flat": [f"flats/{{exposure}}_{name}.fits" for name in ("rate", "rateints", "flat_statistics")],
    "dark_statistics": ["darks/{exposure}_dark_statistics.fits"],
    "reference_statistics": ["darks/{exposure}_reference_statistics.fits"],
    "flat_statistics": ["flats/{exposure}_flat_statistics.fits"],
    "exposure_response": ["flats/{exposure}_exposure_response.fits"],
    "flat_response": ["flat_response.fits"],
    "gain_reference": ["gain.fits"],
    "bad_pixel_mask": ["test_bpm.fits", "evidence.fits"],
    "plots": ["plots.png"],
    "bad_pixel_table": ["bad_pixels.parquet", "bad_pixels.csv"],
}


STATISTICS = ("dark_statistics", "flat_statistics")
PRODUCT_KEYS = (
    ("dark_slope_files", "darks", "rateints"), ("dark_jump_files", "darks", "jump"),
    ("dark_fitopt_files", "darks", "fitopt"), ("flat_slope_files", "flats", "rateints"),
)  # fmt: skip


def simulate(folder, instrument, array, groups, integrations):
    """Two raw darks and two flats in `folder`/data; returns the path of a dark. Parameters as of `measure`."""
    data = folder / "data"
    if not (data / "config.yaml").exists():
        which = ["--size", array] if array.isdigit() else ["--subarray", array]
        run([sys.executable, PROJECT / "scripts" / "simulate.py", "--out", data, "--instrument", instrument, *which,
             "--groups", groups, "--integrations", integrations, "--darks", 2, "--flats", 2],
            folder / "simulate.log")  # fmt: skip
    return min((data / "darks").glob("*_uncal.fits"))


def measured(results):
    """Rule -> list of (seconds, peak MB) of its jobs, from the logs below a detector's results."""
    found = {}
    for path in sorted([*results.rglob("logs/**/*.log"), *results.parent.glob("logs/*.log")]):
        for rule, seconds, peak in DONE.findall(path.read_text(encoding="utf-8")):
            found.setdefault(rule, []).append((float(seconds), int(peak)))
    return found


def written(results, rule):
    """Largest output (MB) of the rule for an exposure; None for rules without entry in FILES."""
    if rule not in FILES:
        return None
    names = {re.sub("_(dark|flat)_statistics.fits", "", path.name) for path in results.glob("*s/*_statistics.fits")}
    paths = [[results / pattern.format(exposure=name) for pattern in FILES[rule]] for name in names]
    return max(sum(path.stat().st_size for path in group if path.exists()) for group in paths) / MB


def measure(folder, instrument, array, groups, integrations):
    """Run the workflow with each of PRESETS; the second preset repeats the votes only.

    Parameters
    ----------
    folder : Path
        Folder to write.
    instrument : str
        Name of the instrument.
    array : str
        Pixels on a side, or the name of a subarray.
    groups, integrations : int
        Of each exposure.

    Yields
    ------
    dict
        A row of the table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    raw = simulate(folder, instrument, array, groups, integrations)
    header = fits.getheader(raw, 0)
    given = yaml.safe_load((folder / "data" / "config.yaml").read_text(encoding="utf-8"))
    given |= EVERYTHING | {"results": str(folder / "results")}
    shutil.rmtree(folder / "results", ignore_errors=True)
    for preset, keys in PRESETS.items():
        config = folder / f"{preset}.yaml"
        preset_keys = yaml.safe_load(keys.read_text(encoding="utf-8")) if keys else {}
        config.write_text(yaml.safe_dump(preset_keys | given), encoding="utf-8")
        planted = folder / "results" / header["DETECTOR"] / "injection_recovery" / "darks" / raw.name
        run(snakemake(folder, config, 1, "all", "sweep", planted), folder / f"{preset}.log")
        detector = folder / "results" / header["DETECTOR"]
        found = [(rule, jobs, detector) for rule, jobs in measured(detector).items()]
        if keys is None:
            found += given_products(folder, given, detector)
        for rule, jobs, results in found:
            yield {
                "size": folder.name, "pixels": header["SUBSIZE1"] * header["SUBSIZE2"],
                "groups": groups, "integrations": integrations,
                "preset": preset, "rule": rule, "jobs": len(jobs), "peak_mb": max(peak for _, peak in jobs),
                "disk_mb": written(results, rule), "seconds": max(seconds for seconds, _ in jobs),
            }  # fmt: skip


def given_products(folder, given, detector):
    """Run the rules of given products on those that the run into `detector` kept; yields (rule, jobs, folder).

    `given` is the configuration of that run.
    """
    keys = {"darks": None, "flats": None, "dark_uncal_files": given["darks"]}
    keys["results"] = str(folder / "from_products")
    for key, kind, product in PRODUCT_KEYS:
        keys[key] = sorted(str(path) for path in (detector / kind).glob(f"*_{product}.fits"))
    config = folder / "from_products.yaml"
    config.write_text(yaml.safe_dump(given | keys | {"bad_reference_pixels": None}), encoding="utf-8")
    shutil.rmtree(folder / "from_products", ignore_errors=True)
    run(snakemake(folder, config, 1, "--until", *STATISTICS), folder / "from_products.log")
    results = folder / "from_products" / detector.name
    for rule, jobs in measured(results).items():
        yield rule, jobs, results


def with_asked(frame):
    """The rows with the requests of the present models: columns asked_mb, asked_disk_mb, asked_minutes."""
    sizes = [
        Size(row.pixels, row.groups, row.integrations, 4, si_as=row.size.startswith("MIRI"))
        for row in frame.itertuples()
    ]
    asked = {"asked_mb": memory_mb, "asked_disk_mb": disk_mb, "asked_minutes": runtime_minutes}
    return frame.assign(
        **{
            name: [function(rule, size) for rule, size in zip(frame["rule"], sizes, strict=True)]
            for name, function in asked.items()
        }
    )


def table_of(frame):
    """The table in Markdown: per rule and size the largest of the presets."""
    largest = frame.groupby(["rule", "size"], sort=False).max(numeric_only=True).reset_index()
    lines = [
        "| rule | size | peak memory (MB) | requested | requested / peak | written (MB) | requested | time (s) "
        "| requested (min) |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for rule in RULES:
        for row in largest[largest["rule"] == rule].itertuples():
            disk = "" if pd.isna(row.disk_mb) else f"{row.disk_mb:.0f}"
            lines.append(
                f"| {rule} | {row.size} | {row.peak_mb:.0f} | {row.asked_mb:.0f} | {row.asked_mb / row.peak_mb:.2f} "
                f"| {disk} | {row.asked_disk_mb:.0f} | {row.seconds:.0f} | {row.asked_minutes:.0f} |"
            )
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    options = parser.parse_args()
    folder = options.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    frames = []
    for text in options.sizes:
        stored = folder / f"{text}.csv"
        if not stored.exists():
            instrument, array, groups, integrations = text.split("-")
            rows = measure(folder / text, instrument, array, int(groups), int(integrations))
            pd.DataFrame(rows).to_csv(stored, index=False)
        frames.append(with_asked(pd.read_csv(stored)))
        pd.concat(frames).to_csv(folder / "resources.csv", index=False)
    table = table_of(pd.concat(frames))
    print(table)
    if options.page:
        write_table(options.page, table)


if __name__ == "__main__":
    main()
