"""The tables of a report: counts per type and flag, exposures with their outliers, times of the jobs."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from badpix.formats.comparison_file import ComparisonRow
from badpix.formats.evidence_file import Evidence
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.report.pixels import intermittent_bits, type_masks


@dataclass(frozen=True)
class Measure:
    """A column of the table of exposures: title, unit and format.

    Format `digits`: three significant digits of the largest value of the column, and the same decimals in all rows.
    """

    title: str
    unit: str
    form: str


MEASURES = {
    "jumps": Measure("Jump rate", "per 1000 groups", ".2f"),
    "pedestal": Measure("Pedestal", "DN", ".1f"),
    "pedestal_std": Measure("Pedestal scatter", "DN", ".1f"),
    "saturated": Measure("Saturated", "% of pixels", ".3%"),
    "slope": Measure("Median slope", "DN/s", "digits"),
    "noise": Measure("Noise of differences", "DN", ".2f"),
    "no_slope": Measure("Without slope", "% of pixels", ".3%"),
    "last_groups": Measure("Last raw groups", "DN", ",.0f"),
    "response_scatter": Measure("Scatter from mean response", "", ".4f"),
}


def column_forms(rows: Iterable[dict]) -> dict[str, dict[str, str]]:
    """Kind (dark, flat) -> measure -> format of its column; `rows` are the rows of the table of exposures."""
    forms: dict[str, dict[str, str]] = {"dark": {}, "flat": {}}
    rows = list(rows)
    for kind, (key, measure) in itertools.product(forms, MEASURES.items()):
        values = np.array([row.get(key, np.nan) for row in rows if row["kind"] == kind], float)
        largest = float(np.max(np.abs(values[np.isfinite(values)]), initial=0))
        decimals = max(0, 2 - math.floor(math.log10(largest))) if largest > 0 else 0
        forms[kind][key] = f",.{decimals}f" if measure.form == "digits" else measure.form
    return forms


def exposure_table(rows: Iterable[dict], compared: Sequence[ComparisonRow]) -> list[dict]:
    """The rows (dicts with kind, exposure and measures) with their largest `distance` from the other exposures.

    `odd` lists the measures of the comparison in which the exposure is an outlier; `distance` is None without a
    comparison.
    """
    result = []
    for row in rows:
        own = [of for of in compared if of.exposure == row["exposure"]]
        odd = [of.measure for of in own if of.distance > of.limit]
        result.append(dict(row, odd=odd, distance=max((of.distance for of in own), default=None)))
    return result


def type_table(evidence: Evidence, n_science: int) -> list[dict]:
    """A dict per type: name, n, fraction (of the science pixels), insufficient, intermittent."""
    images = (evidence.found, evidence.insufficient, intermittent_bits(evidence))
    counts = [{k: int(m.sum()) for k, m in type_masks(image, evidence.bit_of).items()} for image in images]
    return [
        {
            "name": name,
            "n": counts[0][name],
            "fraction": counts[0][name] / max(1, n_science),
            "insufficient": counts[1][name],
            "intermittent": counts[2][name],
        }
        for name in evidence.bit_of
    ]


def flag_table(dq: np.ndarray, before: np.ndarray | None = None) -> list[dict]:
    """A dict per DQ flag of `dq` (uint32 image), with the changes from the mask `before` if it is given.

    Keys: name, n, fraction (of all pixels), before (None without a mask `before`), and with it added, removed.
    """
    rows = []
    for name, bit in PIXEL_FLAGS.items():
        now = (dq & np.uint32(bit)) != 0
        then = None if before is None else (before & np.uint32(bit)) != 0
        if not now.any() and (then is None or not then.any()):
            continue
        row = {"name": name, "n": int(now.sum()), "fraction": float(now.mean()), "before": None}
        if then is not None:
            row |= {
                "before": int(then.sum()),
                "added": int((now & ~then).sum()),
                "removed": int((then & ~now).sum()),
            }
        rows.append(row)
    return rows


def job_times(folders: Iterable[str | Path]) -> list[dict]:
    """A dict per rule with benchmark files below `folders`: rule, jobs, total, median and longest (s), peak (MB)."""
    rows: dict[str, list[tuple[float, float, str]]] = {}
    found = [(path, root) for root in map(Path, folders) for path in sorted(root.rglob("*.tsv"))]
    for path, folder in found:
        table = pd.read_csv(path, sep="\t")
        if table.empty:
            continue
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        seconds, memory = (pd.to_numeric(table[name], errors="coerce").iloc[-1] for name in ("s", "max_rss"))
        rows.setdefault(rule, []).append((float(seconds), float(memory), path.stem))
    result = []
    for rule, jobs in rows.items():
        times = [job[0] for job in jobs]
        longest = max(jobs)
        result.append(
            {
                "rule": rule,
                "jobs": len(jobs),
                "total": sum(times),
                "median": float(np.median(times)),
                "longest": longest[0],
                "longest_job": longest[2],
                # Snakemake measures no memory for a very short job.
                "peak_mb": float(np.nanmax([job[1] for job in jobs] + [0.0])),
            }
        )
    return sorted(result, key=lambda row: -row["total"])
