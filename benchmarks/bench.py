"""Measure what the workflow costs beyond detector1, and write the table of docs/measured/benchmarks.md.

    python benchmarks/bench.py --out bench [--size 2048 --groups 20 --page docs/measured/benchmarks.md]

Simulates exposures of NIRCam's NRCA1 and measures, each as a ratio within a run: the whole workflow against bare
detector1 calls, the bytes that an exposure writes and keeps, the vote, the flats' response against astropy, a dry run
with very many exposures. Writes OUT/bench.csv; --only keeps the rows of all parts that are not measured.
"""

import argparse
import json
from pathlib import Path

import disk
import in_process
import many
import pandas as pd
import scale
import whole
import yaml
from measure import PROJECT, machine
from page import write_table

RESPONSE_KEYS = {"flat_mean_sigma_threshold": 3.0, "flat_mean_normalization_method": "smoothed",
                 "smoothing_type": "Box2D", "smoothing_box_width": 15}  # fmt: skip
DETECTOR = "NRCA1"


def votes(folder, options):
    flight = yaml.safe_load((PROJECT / "config" / "presets" / "flight.yaml").read_text(encoding="utf-8"))
    # Votes of single flats need further files, which cost as much as flat_statistics.
    presets = {"official defaults": {}, "flight preset": flight | {"flat_vote_unit": "mean"}}
    results = folder / "results" / DETECTOR
    return in_process.votes(folder / "votes", results, DETECTOR, options.votes, presets)


def responses(folder, _options):
    return in_process.responses(folder, folder / "results" / DETECTOR, DETECTOR, RESPONSE_KEYS)


PARTS = {
    "whole": whole.measure, "small": whole.small, "disk": disk.measure, "votes": votes, "response": responses,
    "many": many.measure, "scale": scale.measure,
}  # fmt: skip


def table_of(frame, before):
    """The table in Markdown; `before` maps measured quantities to the figures of an earlier version, if any."""
    column = (" earlier version |", " ---: |") if before else ("", "")
    lines = [f"| what |{column[0]} value | target | met | made of |", f"| --- |{column[1]} ---: | --- | --- | --- |"]
    for row in frame.itertuples():
        parts = ", ".join(f"{name} {value:.4g}" for name, value in json.loads(row.made_of).items())
        met = ("yes" if row.met else "no") if row.target else ""
        earlier = (f" {before[row.what]:.4g} |" if row.what in before else " |") if before else ""
        lines.append(f"| {row.what} |{earlier} {row.value:.4g} {row.unit} | {row.target} | {met} | {parts} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=2048, help="pixels on a side (2048)")
    parser.add_argument("--groups", type=int, default=20, help="groups per integration (20)")
    parser.add_argument("--votes", type=int, nargs="+", default=[5, 25, 100], help="exposures that vote (5 25 100)")
    parser.add_argument("--many", type=int, default=10_000, help="exposures of the dry run (10000)")
    parser.add_argument("--scale", type=int, nargs=2, default=[50, 1000], help="exposures of each kind (50 1000)")
    parser.add_argument("--pairs", type=int, default=3, help="alternating pairs whose median is taken (3)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure (all)")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    parser.add_argument("--before", type=Path, help="bench.csv of an earlier version, for a column of its figures")
    options = parser.parse_args()
    folder = options.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "votes").mkdir(exist_ok=True)
    stored = folder / "bench.csv"
    columns = ["part", "what", "value", "unit", "target", "met", "made_of"]
    frame = pd.read_csv(stored, keep_default_na=False) if stored.exists() else pd.DataFrame(columns=columns)
    for part in options.only:
        frame = frame[frame["part"] != part]
        for row in PARTS[part](folder, options):
            cells = [part, row.what, row.value, row.unit, row.target, row.met, json.dumps(row.made_of)]
            frame = pd.concat([frame, pd.DataFrame([cells], columns=columns)])
            frame["order"] = frame["part"].map(list(PARTS).index)
            frame = frame.sort_values("order", kind="stable").drop(columns="order")
            frame.to_csv(stored, index=False)
    before = pd.read_csv(options.before).set_index("what")["value"].to_dict() if options.before else {}
    text = f"{machine()}; NIRCam {options.size} x {options.size}, {options.groups} groups, 1 integration.\n\n"
    text += table_of(frame, before)
    print(text)
    if options.page:
        write_table(options.page, text)


if __name__ == "__main__":
    main()
