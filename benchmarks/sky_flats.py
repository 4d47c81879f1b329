"""Flats of the sky: planted types found, healthy pixels flagged, and pixels that could not be classified.

    python benchmarks/sky_flats.py --out sky_flats --page docs/measured/sky_flats.md

Five flats of two integrations, 256 x 256 pixels, dithered by up to 40 pixels, through the unmodified calwebb_detector1
and the workflow, with the official defaults and with the preset flight. The flats of the lamp have the same bad pixels.
Existing simulations and products are kept.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "scripts"))

import simulate  # noqa: E402
from badpix.formats.evidence_file import read_evidence  # noqa: E402
from badpix.formats.truth_file import read_truth  # noqa: E402
from badpix.simulate.simulation import Simulation  # noqa: E402
from badpix.simulate.sky import Sky  # noqa: E402

SEED, N_FLATS = 21, 5
# Name of a field -> its sky; None: flats of the lamp.
FIELDS = {
    "lamp": None,
    "60 stars": Sky("NIS_IMAGE"),
    "2000 stars (crowded)": Sky("NIS_IMAGE", n_stars=2000),
    "60 stars, faint sky": Sky("NIS_IMAGE", signal_dn=120.0),
    "60 stars, very faint sky": Sky("NIS_IMAGE", signal_dn=30.0),
    "60 stars, not dithered": Sky("NIS_IMAGE", dither_px=0.0),
}
TYPES = {"dead": "DEAD", "low_qe": "LOW_QE", "open": "OPEN"}
FLAT_TYPES = ("DEAD", "LOW_QE", "OPEN", "ADJ_OPEN")
START, END = "<!-- table -->", "<!-- end of table -->"
HEAD = (
    "| flats | settings | dead found | low_qe found | open found | missed without a word | healthy flagged |"
    " INSUFFICIENT for DEAD, LOW_QE, OPEN | sources cover, in all flats | flats rejected |"
)


def run(folder, preset):
    """Run the workflow on the simulation in `folder`."""
    files = [PROJECT / "config" / "presets" / "flight.yaml"] if preset == "flight" else []
    extra = folder / "extra.yaml"
    extra.write_text("darks: null\nkeep_history: false\nuseafter: 2024-06-30\npedigree: INFLIGHT\n")
    command = [sys.executable, "-m", "snakemake", "--snakefile", PROJECT / "Snakefile", "--cores", "2", "--configfile"]
    command += [*files, folder / "config.yaml", extra]
    subprocess.run([str(word) for word in command], check=True, capture_output=True, cwd=PROJECT)


def row(folder, field, preset):
    """A row of the table, from the evidence of a run and the truth."""
    results = folder / "results" / "NIS"
    evidence, truth = read_evidence(results / "evidence.fits"), read_truth(folder / "truth.fits")
    found = {name: evidence.is_found(name) for name in FLAT_TYPES}
    insufficient = {name: evidence.is_insufficient(name) for name in FLAT_TYPES}
    flagged = np.logical_or.reduce(list(found.values()))
    unknown = np.logical_or.reduce([insufficient[name] for name in FLAT_TYPES[:3]])
    cells, lost = [], 0
    for planted, expected in TYPES.items():
        where = np.isin(truth.codes, truth.types.loc[truth.types["NAME"] == planted, "CODE"])
        cells.append(f"{found[expected][where].sum()} of {where.sum()}")
        lost += int((where & ~flagged & ~unknown).sum())
    numbers = ", ".join(str(int(insufficient[name].sum())) for name in FLAT_TYPES[:3])
    n_covered = evidence.measured.get("NCOVERED", np.zeros(truth.codes.shape, int))
    science = truth.codes >= 0
    covered = f"{n_covered[science].mean() / N_FLATS:.1%}, {(n_covered[science] == N_FLATS).sum()}"
    rejected = len((results / "rejected_exposures.csv").read_text(encoding="utf-8").splitlines()) - 1
    healthy = (truth.codes == 0) & (truth.adjacent_to_open == 0) & (truth.charge_reached == 0)
    return [field, preset, *cells, lost, int((flagged & healthy).sum()), numbers, covered, rejected]


def main(out, page, fields):
    """Simulate, run and write the table."""
    rows = []
    for field in fields:
        folder = Path(out).resolve() / field.replace(" ", "_").replace(",", "")
        if not (folder / "truth.fits").exists():
            simulate.main(folder, Simulation(256, darks=0, flats=N_FLATS, groups=20, seed=SEED, sky=FIELDS[field]))
        for preset in ("official", "flight"):
            run(folder, preset)
            rows.append(row(folder, field, preset))
            print(rows[-1], flush=True)
    lines = [HEAD, "|---" * len(rows[0]) + "|", *("| " + " | ".join(map(str, cells)) + " |" for cells in rows)]
    table = "\n".join(lines)
    print(table)
    if page:
        text = Path(page).read_text(encoding="utf-8")
        before, after = text.split(START)[0], text.split(END)[1]
        Path(page).write_text(f"{before}{START}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="folder of simulations and results")
    parser.add_argument("--page", help="page whose table is replaced")
    parser.add_argument("--fields", nargs="+", default=list(FIELDS), choices=list(FIELDS), help="(all)")
    arguments = parser.parse_args()
    main(arguments.out, arguments.page, arguments.fields)
