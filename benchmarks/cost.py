"""Growth of the cost: a model of each rule's time, memory and disk, fitted to the results of benchmarks/resources.py.

    python benchmarks/cost.py bench/resources/resources.csv [--page docs/measured/figures.md]

Each figure is the sum of non-negative parts: a constant, a part per pixel (of all integrations, for rules with the
images of an exposure), and for rules with ramps a part per pixel, integration and group (sample). The time of jobs of
all exposures also grows with their number. Prints the model, and its prediction for larger runs of full frames with a
single integration, half of them darks.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from page import write_table
from scipy.optimize import nnls

MEASURED_EXPOSURES = 4
OF_ALL = ("flat_response", "bad_pixel_mask")
# Optional jobs of all exposures.
ON_REQUEST = ("leave_one_out", "reliability", "sweep_vote")
RAMPS = ("prefetch_references", "detector1_dark", "detector1_flat", "dark_statistics", "quality_check", "crds_mask",
         "inject")  # fmt: skip
PER_EXPOSURE = ("detector1_dark", "detector1_flat")
FULL_FRAME = 2048**2
# Detectors, exposures of each, groups: predicted, not measured.
CASES = ((1, 10, 20), (1, 100, 20), (1, 1000, 20), (10, 100, 20), (10, 1000, 20), (10, 1000, 150))
# Start of a job (s) on a single core, before its measured time: Python and Snakemake.
START_S = 3


@dataclass(frozen=True)
class Size:
    """The size of a job: pixels of an image, groups and integrations of an exposure, exposures."""

    pixels: int
    groups: int
    integrations: int
    exposures: int


@dataclass(frozen=True)
class Models:
    """The models, of `fit`, of the time (s), the memory (MB) and the disk (MB) of the rules."""

    seconds: dict
    memory: dict
    disk: dict


def terms(rule, column, size):
    """The terms of a figure (column) of a rule at a Size: 1, millions of pixels, millions of samples."""
    area = size.pixels / 1e6
    if rule in RAMPS or rule == "flat_statistics":
        area *= size.integrations
    if column == "seconds" and rule in (*OF_ALL, *ON_REQUEST):
        area *= size.exposures
    return np.array([1, area, area * size.groups if rule in RAMPS else 0])


def fit(frame, column):
    """Rule -> coefficients of its `terms` in the column of the measured frame, each row weighted by its value."""
    models = {}
    for rule, rows in frame.dropna(subset=[column]).groupby("rule", sort=False):
        rows = rows[rows[column] > 0]
        if len(rows):
            sizes = [Size(*row, MEASURED_EXPOSURES) for row in rows[["pixels", "groups", "integrations"]].to_numpy()]
            design = np.array([terms(rule, column, size) for size in sizes])
            weights = 1 / rows[column].to_numpy()
            models[rule] = nnls(design * weights[:, None], np.ones(len(rows)))[0]
    return {"column": column, "rules": models}


def value(model, rule, groups, exposures):
    """Prediction of the model for a rule at full frame and a single integration; 0 without measurements."""
    coefficients = model["rules"].get(rule, np.zeros(3))
    return float(coefficients @ terms(rule, model["column"], Size(FULL_FRAME, groups, 1, exposures)))


def model_table(models):
    """The Models in Markdown, a row per rule."""
    lines = ["| rule | time (s) | memory (MB) | disk (MB) |", "| --- | --- | --- | --- |"]
    for rule in models.seconds["rules"]:
        cells = []
        for model in (models.seconds, models.memory, models.disk):
            fixed, planes, samples = model["rules"].get(rule, np.zeros(3))
            parts = {f"{fixed:.3g}": fixed, f"{planes:.3g} P": planes, f"{samples:.3g} S": samples}
            cells.append(" + ".join(text for text, part in parts.items() if part > 1e-6) or "0")
        lines.append(f"| {rule} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def totals(detectors, exposures, groups, models):
    """CPU hours, largest memory of a job (MB), disk kept, disk of one dark's intermediates (both in MB)."""
    seconds, memory, disk = models.seconds, models.memory, models.disk
    half = exposures / 2
    per_exposure = half * sum(value(seconds, rule, groups, exposures) + START_S for rule in PER_EXPOSURE)
    of_all = sum(value(seconds, rule, groups, exposures) + START_S for rule in OF_ALL)
    peak = max(value(memory, rule, groups, 1) for rule in (*PER_EXPOSURE, *OF_ALL))
    # The jobs were measured with all products; of a single integration, rateints and rate are the same.
    dark, flat = (value(disk, f"{kind}_statistics", groups, 1) for kind in ("dark", "flat"))
    rates = value(disk, "detector1_flat", groups, 1) - flat
    kept = half * (rates + dark + flat)
    intermediates = value(disk, "detector1_dark", groups, 1) - rates - dark
    return detectors * (per_exposure + of_all) / 3600, peak, detectors * kept, intermediates


def case_table(models):
    """Predictions of the Models for CASES, in Markdown."""
    lines = [
        "| detectors x exposures x groups | CPU (hours) | largest job (MB) | kept on disk (GB) | jump, fitopt (GB) |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]  # fmt: skip
    for case in CASES:
        hours, peak, kept, intermediates = totals(*case, models)
        name = " x ".join(f"{number:,}" for number in case)
        lines.append(f"| {name} | {hours:,.1f} | {peak:,.0f} | {kept / 1000:,.1f} | {intermediates / 1000:.1f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measured", type=Path, help="resources.csv of benchmarks/resources.py")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    options = parser.parse_args()
    frame = pd.read_csv(options.measured)
    largest = frame.groupby(["rule", "size"], sort=False).max(numeric_only=True).reset_index()
    models = Models(*(fit(largest, column) for column in ("seconds", "peak_mb", "disk_mb")))
    text = "\n".join([model_table(models), case_table(models)])
    print(text)
    if options.page:
        write_table(options.page, text)


if __name__ == "__main__":
    main()
