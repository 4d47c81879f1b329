"""Simulate detectors whose bad pixels are known, run the workflow on them, and score the masks.

For every scenario and seed: simulate the population `survey`, make the mask with the official defaults and with
config/presets/flight.yaml (with --ablations also with the preset minus each option), and keep truth, masks and evidence
below --out. Then pool the seeds and write tables, figures and, with --page, the page of docs/validation.md. Existing
results are kept.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

import simulate
from badpix.core.csv_table import write_csv
from badpix.formats.evidence_file import FILE_NAME as EVIDENCE
from badpix.formats.truth_file import read_truth
from badpix.score.files import mask_of, read_findings
from badpix.score.pixels import pool, score_run
from badpix.score.plots import plot_curves
from badpix.score.report_tables import score_tables
from badpix.score.tables import ACCEPTED
from badpix.validation.page import Validation, write_page
from badpix.validation.plan import ABLATIONS, N_ABLATED, SCENARIOS, Plan

PROJECT = Path(__file__).resolve().parents[1]
PRESET = PROJECT / "config" / "presets" / "flight.yaml"
KEPT = (EVIDENCE, "test_bpm.fits", "summary.csv", "rejected_exposures.csv")


def run_workflow(folder, config, cores):
    """Run the workflow in `folder` up to the mask, with the keys of `config` on top of its config.yaml."""
    override = folder / "override.yaml"
    override.write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", PROJECT / "Snakefile", "--cores", str(cores),
        "--directory", folder, "--until", "bad_pixel_mask", "--configfile", folder / "config.yaml", override,
    ]  # fmt: skip
    with (folder / "workflow.log").open("a", encoding="utf-8") as log:
        status = subprocess.run([str(part) for part in command], stdout=log, stderr=subprocess.STDOUT).returncode
    if status:
        raise SystemExit(f"validation.py: the workflow failed, see {folder / 'workflow.log'}")


def keep_run(folder, detector, label):
    """Copy mask, evidence and benchmarks of the last run to runs/<label>."""
    target = folder / "runs" / label
    target.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        shutil.copy2(folder / "results" / detector / name, target / name)
    shutil.copytree(folder / "results" / detector / "benchmarks", target / "benchmarks", dirs_exist_ok=True)


def wanted_runs(ablations):
    """Label of each run -> configuration on top of the official defaults."""
    preset = yaml.safe_load(PRESET.read_text(encoding="utf-8"))
    runs = {"official": {}, "flight": preset}
    for title, keys in ABLATIONS.items() if ablations else ():
        runs[f"without {title}"] = {key: value for key, value in preset.items() if key not in keys}
    return runs


def make_runs(folder, scenario, seed, ablations, cores):
    """Simulate a detector and make its missing runs; then remove the exposures and their products.

    Parameters
    ----------
    folder : Path
        Folder of the detector.
    scenario : Scenario
        Instrument, detector and exposures.
    seed : int
        Seed of the detector within the scenario.
    ablations : bool
        Also run the preset minus each option.
    cores : int
        Cores for Snakemake.
    """
    runs = wanted_runs(ablations)
    missing = [label for label in runs if not (folder / "runs" / label / "rejected_exposures.csv").exists()]
    if not missing:
        return
    start = time.monotonic()
    print(f"{scenario.name}, seed {seed}: {', '.join(missing)}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "simulate.log").open("a", encoding="utf-8") as log:
        command = [
            sys.executable, simulate.__file__, "--out", ".", "--population", "survey",
            "--seed", scenario.simulation_seed(seed),
            "--instrument", scenario.instrument, "--detector", scenario.detector, "--size", scenario.size,
            "--darks", scenario.exposures, "--flats", scenario.exposures,
            "--integrations", scenario.integrations, "--groups", scenario.groups,
        ]  # fmt: skip
        subprocess.run([str(part) for part in command], cwd=folder, stdout=log, stderr=subprocess.STDOUT, check=True)
    for label in missing:
        run_workflow(folder, runs[label], cores)
        keep_run(folder, scenario.detector, label)
    for name in ("darks", "flats", "results", "crds_cache", ".snakemake"):
        shutil.rmtree(folder / name)
    print(f"{scenario.name}, seed {seed}: {time.monotonic() - start:.0f} s", flush=True)


def score_scenario(folders, scenario, labels):
    """The `badpix.score.report_tables.score_tables` of the runs `labels`, pooled over the `folders` of the seeds."""
    scores = {}
    for label in labels:
        parts = []
        for folder in folders:
            run = folder / "runs" / label
            findings = read_findings(run / EVIDENCE, mask_of(run))
            parts.append(score_run(read_truth(folder / "truth.fits"), findings, scenario.exposures))
        scores[label] = pool(parts)
    known = {name for score in scores.values() for name in score.detections}
    accepted = {name: set(types) & known for name, types in ACCEPTED.items()}
    return score_tables(scores, accepted, scenario.limits)


def main(out, plan, cores=2, page=None):
    """Make all runs of the Plan below the folder `out` on `cores`, and write their scores and the `page`."""
    out = Path(out).resolve()
    validations, without = [], None
    for name in plan.scenarios:
        scenario, seeds = SCENARIOS[name], plan.seeds_of(SCENARIOS[name])
        folders = [out / name / f"seed{seed}" for seed in seeds]
        # Ablations run for the first detectors of the first scenario only.
        ablated = folders[:N_ABLATED] if plan.ablations and name == plan.scenarios[0] else []
        for seed, folder in zip(seeds, folders, strict=True):
            make_runs(folder, scenario, seed, folder in ablated, cores)
        tables = score_scenario(folders, scenario, wanted_runs(ablations=False))
        for kind, table in tables.items():
            write_csv(out / name / f"{kind}.csv", table)
        curves = out / name / "curves.png"
        plot_curves(curves, tables["curves"], tables["thresholds"], scenario.limits)
        validations.append(Validation(scenario, seeds, tables, curves))
        if ablated:
            without = score_scenario(ablated, scenario, wanted_runs(ablations=True))
    if page:
        write_page(Path(page), validations, without)
        print(page)


def parse_arguments(arguments=None):
    """Command line of this script as the arguments of `main`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="validation", help="folder for simulations and scores (validation)")
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), help="(all)")
    parser.add_argument("--seeds", nargs="+", type=int, help="(those of each scenario)")
    parser.add_argument("--ablations", action="store_true", help="the first scenario also without each option")
    parser.add_argument("--cores", type=int, default=2, help="for Snakemake (2)")
    parser.add_argument("--page", help="write this Markdown page, its figures beside it")
    given = parser.parse_args(arguments)
    plan = Plan(given.scenarios, given.seeds, given.ablations)
    return {"out": given.out, "plan": plan, "cores": given.cores, "page": given.page}


if __name__ == "__main__":
    main(**parse_arguments())
