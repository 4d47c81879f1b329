"""Run every instrument from every starting point, and write the table of docs/reference/instruments.md.

    python benchmarks/instruments.py --out DIR [--page docs/reference/instruments.md]

Simulates the cases of tests/workflow/instruments.py and some full frames into DIR, runs the workflow on each with the
flight preset from raw files, from processed files, and from a mixture, checks that the three masks are the same, and
scores them. Cases with rows in DIR/instruments.json are not run again.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "scripts"), str(PROJECT / "tests")]

import numpy as np  # noqa: E402
from page import write_table  # noqa: E402

from badpix.formats.mask_file import read_mask  # noqa: E402
from badpix.score.tables import completeness_table, healthy_table, purity_table  # noqa: E402
from workflow.instruments import CASES, USUAL, Case, mask_path, run_case, score_case, simulate_case  # noqa: E402

STARTS = ("raw", "products", "mixture")
TEST = "test_instruments[{}]"
NIRISS = Case(replace(USUAL, instrument="NIRISS", size=64), {"NIS": ()})
MIRI_FULL = Case(replace(USUAL, instrument="MIRI", subarray="FULL", integrations=1), {"MIRIMAGE": ()})
IRS2_FULL = Case(replace(CASES["IRS2"].simulation, flats=3, groups=20), {"NRS1": ()})
ALL_DETECTORS = {
    "NIRCAM": [f"NRC{module}{channel}" for module in "AB" for channel in ("1", "2", "3", "4", "LONG")],
    "MIRI": ["MIRIMAGE", "MIRIFULONG", "MIRIFUSHORT"],
    "NIRSPEC": ["NRS1", "NRS2"],
    "FGS": ["GUIDER1", "GUIDER2"],
}


def with_all_detectors(name):
    """The case `name` of the tests, with every detector of its instrument."""
    detectors = ALL_DETECTORS[name]
    return Case(replace(CASES[name].simulation, detectors=detectors), dict.fromkeys(detectors))


# Name -> the case, and the test that runs it, or a smaller case.
RUNS = {
    "NIRISS": (NIRISS, "test_end_to_end, test_starting_points"),
    "NIRCAM": (with_all_detectors("NIRCAM"), TEST.format("NIRCAM") + " (NRCBLONG)"),
    "MIRI": (with_all_detectors("MIRI"), TEST.format("MIRI") + " (MIRIMAGE, MIRIFUSHORT)"),
    "MIRI full frame": (MIRI_FULL, TEST.format("MIRI") + " (subarray)"),
    "NIRSPEC": (with_all_detectors("NIRSPEC"), TEST.format("NIRSPEC") + " (NRS2)"),
    "NIRSPEC IRS2": (IRS2_FULL, TEST.format("IRS2") + " (5 groups, no flats)"),
    "FGS": (with_all_detectors("FGS"), TEST.format("FGS") + " (GUIDER2)"),
}  # fmt: skip
TYPES = ("dead", "low_qe", "open", "hot_saturated", "hot", "rc", "telegraph", "noisy", "low_pedestal")


def rows_of(name, directory):
    """Simulate and run a case; yields a row of the table for each detector and starting point."""
    case, test = RUNS[name]
    if not (directory / "config.yaml").exists():
        simulate_case(directory, case)
    for start in STARTS:
        seconds, _ = run_case(directory, case, start, "flight", made="raw_flight")
        for detector in case.headers:
            masks = [read_mask(mask_path(directory, begin, "flight", detector)) for begin in ("raw", start)]
            if not np.array_equal(*masks):
                raise SystemExit(f"{name} {detector}: the mask from {start} differs from the mask from raw files")
            score = score_case(directory, start, "flight", detector)
            complete = completeness_table(score).set_index("type")
            pure = purity_table(score).set_index("detection")["purity"]
            healthy = healthy_table(score).set_index("type")["healthy_flagged"]
            row = {"case": name, "detector": detector, "start": start, "seconds": round(seconds), "test": test}
            for kind in TYPES:
                row[kind] = complete["completeness"][kind], pure.get(complete["expected"][kind], np.nan)
            yield row | {"healthy": int(healthy["DO_NOT_USE in the mask"])}


def table_of(rows):
    """The table in Markdown; completeness / purity per planted type."""
    titles = ["instrument and mode", "detector", "starts from", "test", "s", "healthy flagged", *TYPES]
    lines = [titles, ["---"] * len(titles)]
    for row in rows:
        shares = ("–" if np.isnan(row[kind][0]) else "{:.2f} / {:.2f}".format(*row[kind]) for kind in TYPES)
        lines.append([*(row[key] for key in ("case", "detector", "start", "test", "seconds", "healthy")), *shares])
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS))
    arguments = parser.parse_args()
    stored = arguments.out / "instruments.json"
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else []
    for name in arguments.only:
        if name not in {row["case"] for row in rows}:
            rows += rows_of(name, arguments.out / name.replace(" ", "_"))
            stored.write_text(json.dumps(rows), encoding="utf-8")
    print(table_of(rows))
    if arguments.page:
        write_table(arguments.page, table_of(rows))


if __name__ == "__main__":
    main()
