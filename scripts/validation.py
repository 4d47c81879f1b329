"""Simulate detectors whose bad pixels are known, run the workflow on them, and score the masks.

For every scenario and seed: simulate a detector, make the mask with the official defaults and with
config/presets/flight.yaml (with --ablations also with the preset minus each option), in some scenarios also with fewer
exposures or with a bad dark among them, and keep truth, masks and evidence below --out. Then pool the seeds, check the
targets, and write tables, figures and, with --page, the page of docs/measured/validation.md; with --readme also the
table of the exposures that each type needs. Existing results are kept: a run that was interrupted goes on where it
stopped, and scenarios can be run one by one (--scenarios NAME without --page).
"""

import argparse
import json
import resource
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
from badpix.validation.depth import depth_table, needed_rows, pooled_depths, replace_block
from badpix.validation.page import Validation, markdown, write_page
from badpix.validation.plan import ABLATIONS, FLIGHT, GROUPS, N_ABLATED, OFFICIAL, SCENARIOS, Plan, Run, runs_of
from badpix.validation.targets import check_targets

PROJECT = Path(__file__).resolve().parents[1]
PRESET = PROJECT / "config" / "presets" / "flight.yaml"
KEPT = (EVIDENCE, "test_bpm.fits", "summary.csv", "rejected_exposures.csv")
SECONDS, VERSION = "seconds.json", "version.txt"


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
    (target / VERSION).write_text(code_version(), encoding="utf-8")


def code_version():
    """The commit of this workflow, with "-dirty" if files differ from it; "unknown" outside of git."""
    command = ["git", "-C", PROJECT, "describe", "--always", "--dirty", "--exclude", "*"]
    found = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    return found.stdout.strip() or "unknown"


def wanted_runs(scenario, ablations):
    """Label -> Run, and label -> keys on top of the official defaults, without the exposures."""
    preset = yaml.safe_load(PRESET.read_text(encoding="utf-8"))
    runs = {run.label: run for run in runs_of(scenario)}
    keys = {label: preset if run.preset else {} for label, run in runs.items()}
    for title, removed in ABLATIONS.items() if ablations else ():
        label = f"without {title}"
        runs[label] = Run(label, scenario.exposures, scenario.exposures)
        keys[label] = {key: value for key, value in preset.items() if key not in removed}
    return runs, keys


def exposures_of(folder, run, n_good):
    """The keys darks and flats of a Run: the first of the good exposures; the bad dark has the number `n_good` + 1."""
    darks, flats = (sorted(path.name for path in (folder / kind).glob("*_uncal.fits")) for kind in ("darks", "flats"))
    chosen = darks[: run.darks] + (darks[n_good : n_good + 1] if run.bad_dark else [])
    return {"darks": [f"darks/{name}" for name in chosen], "flats": [f"flats/{name}" for name in flats[: run.flats]]}


def simulate_detector(folder, scenario, seed):
    """Simulate the exposures of a Scenario into `folder`, and the bad dark if it has one."""
    base = [sys.executable, simulate.__file__, "--out", ".", "--seed", scenario.simulation_seed(seed)]
    base += scenario.simulation
    effects = ["--effects", *scenario.effects] if scenario.effects else []
    commands = [[*base, "--darks", scenario.exposures, "--flats", scenario.exposures, *effects]]
    if scenario.bad_dark:
        more = ["--darks", 1, "--first-dark", scenario.exposures + 1, "--flats", 0]
        commands.append([*base, *more, "--effects", *scenario.effects, *scenario.bad_dark])
    with (folder / "simulate.log").open("a", encoding="utf-8") as log:
        for command in commands:
            words = [str(part) for part in command]
            if subprocess.run(words, cwd=folder, stdout=log, stderr=subprocess.STDOUT).returncode:
                raise SystemExit(f"validation.py: the simulation failed, see {folder / 'simulate.log'}")


def renew_simulation(folder, scenario, seed):
    """Simulate the detector, again if earlier runs are kept; these must be of the same detector."""
    truth = folder / "truth.fits"
    before = read_truth(truth) if truth.exists() else None
    if not (folder / "crds_cache").exists():
        truth.unlink(missing_ok=True)
    simulate_detector(folder, scenario, seed)
    if before is not None and (before.codes != read_truth(truth).codes).any():
        raise SystemExit(f"validation.py: {folder} has runs of another version of the simulator; remove it")


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
    runs, keys = wanted_runs(scenario, ablations)
    missing = [label for label in runs if not (folder / "runs" / label / "rejected_exposures.csv").exists()]
    if not missing:
        return
    start = time.monotonic(), cpu_seconds()
    print(f"{scenario.name}, seed {seed}: {', '.join(missing)}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    renew_simulation(folder, scenario, seed)
    for label in missing:
        run_workflow(folder, keys[label] | exposures_of(folder, runs[label], scenario.exposures), cores)
        keep_run(folder, scenario.detector, label)
    for name in ("darks", "flats", "results", "crds_cache", ".snakemake"):
        shutil.rmtree(folder / name)
    seconds = {"wall": round(time.monotonic() - start[0]), "cpu": round(cpu_seconds() - start[1])}
    (folder / SECONDS).write_text(json.dumps(seconds), encoding="utf-8")
    print(f"{scenario.name}, seed {seed}: {seconds['wall']} s, {seconds['cpu']} s of CPU", flush=True)


def cpu_seconds():
    """CPU time of all finished child processes: beside other programs the wall time is longer."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read_seconds(folders):
    """Sum of wall and CPU time of the runs in the folders of the seeds, as far as they are known."""
    times = [json.loads((folder / SECONDS).read_text()) for folder in folders if (folder / SECONDS).exists()]
    return {key: sum(one[key] for one in times) for key in ("wall", "cpu")}


def score_scenario(folders, runs):
    """The scores of the `runs` (label -> Run), pooled over the `folders` of the seeds: label -> Score."""
    scores = {}
    for label, run in runs.items():
        parts = []
        for folder in folders:
            kept = folder / "runs" / label
            findings = read_findings(kept / EVIDENCE, mask_of(kept))
            parts.append(score_run(read_truth(folder / "truth.fits"), findings, run.darks))
        scores[label] = pool(parts)
    return scores


def versions_of(folders):
    """The versions of the workflow that made the kept runs, sorted; runs of several versions are mixed if resumed."""
    return sorted({path.read_text(encoding="utf-8") for folder in folders for path in folder.glob(f"runs/*/{VERSION}")})


def accepted_of(scores):
    """Planted type -> detection types that count as found, as far as planted and as a run has them."""
    known = {name for score in scores.values() for name in score.detections}
    planted = {name for score in scores.values() for name in score.types.index}
    return {name: set(types) & known for name, types in ACCEPTED.items() if name in planted}


def main(out, plan, cores=2, page=None, readme=None):
    """Make all runs of the Plan below the folder `out` on `cores`; write scores, `page` and the table of `readme`."""
    out = Path(out).resolve()
    validations, depths, without = [], [], None
    for name in plan.scenarios:
        scenario, seeds = SCENARIOS[name], plan.seeds_of(SCENARIOS[name])
        folders = [out / name / f"seed{seed}" for seed in seeds]
        # Ablations run for the first detectors of the first scenario only.
        ablated = folders[:N_ABLATED] if plan.ablations and name == plan.scenarios[0] else []
        for seed, folder in zip(seeds, folders, strict=True):
            make_runs(folder, scenario, seed, folder in ablated, cores)
        scores = score_scenario(folders, wanted_runs(scenario, ablations=False)[0])
        accepted = accepted_of(scores)
        pair = {label: scores[label] for label in (OFFICIAL, FLIGHT)}
        tables = score_tables(pair, accepted, scenario.limits)
        for kind, table in tables.items():
            write_csv(out / name / f"{kind}.csv", table)
        curves = out / name / "curves.png"
        plot_curves(curves, tables["curves"], tables["thresholds"], scenario.limits)
        results = check_targets(scores, accepted, scenario.limits)
        for result in results:
            print(f"{name}: {result.target}: {result.measured}: {'met' if result.met else 'MISSED: ' + result.reason}")
        validations.append(
            Validation(scenario, seeds, tables, curves, results, read_seconds(folders), versions_of(folders))
        )
        depths.append(depth_table(scenario, scores, accepted))
        if ablated:
            runs = wanted_runs(scenario, ablations=True)[0]
            without = score_tables(score_scenario(ablated, runs), accepted, scenario.limits)
    depth = pooled_depths(depths)
    if page:
        write_page(Path(page), validations, depth, without)
        print(page)
    if readme and len(depth):
        replace_block(Path(readme), markdown(needed_rows(depth)))


def parse_arguments(arguments=None):
    """Command line of this script as the arguments of `main`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="validation", help="folder for simulations and scores (validation)")
    parser.add_argument(
        "--scenarios", nargs="+", choices=[*GROUPS, *SCENARIOS], default=["flight"], metavar="NAME",
        help=f"names, or groups of them: {'; '.join(f'{part}: ' + ', '.join(names) for part, names in GROUPS.items())}"
        " (flight)",
    )  # fmt: skip
    parser.add_argument(
        "--n-seeds", type=int, choices=range(1, 6), default=2, help="detectors per scenario, up to 5 (%(default)s)"
    )
    parser.add_argument("--seeds", nargs="+", type=int, help="in place of the first --n-seeds")
    parser.add_argument("--ablations", action="store_true", help="the first scenario also without each option")
    parser.add_argument("--cores", type=int, default=2, help="for Snakemake (2)")
    parser.add_argument("--page", help="write this Markdown page, its figures beside it")
    parser.add_argument("--readme", help="write the table of exposures needed into this Markdown file")
    given = parser.parse_args(arguments)
    names = [name for given_name in given.scenarios for name in GROUPS.get(given_name, (given_name,))]
    plan = Plan(list(dict.fromkeys(names)), given.n_seeds, given.seeds, given.ablations)
    return {"out": given.out, "plan": plan, "cores": given.cores, "page": given.page, "readme": given.readme}


if __name__ == "__main__":
    main(**parse_arguments())
