"""The tables of a report: counts per type and flag, exposures with their outliers, times of the jobs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from badpix.formats.evidence_file import Evidence
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.report.pixels import intermittent_bits, type_masks

# An exposure is an outlier in a measure if its distance from the median of the other exposures of its kind is more than
# OUTLIER_SIGMAS times their scatter and more than the smallest relevant difference (see Measure). Fewer than MIN_OTHERS
# other exposures give no usable scatter.
OUTLIER_SIGMAS = 6
MIN_OTHERS = 3


@dataclass(frozen=True)
class Measure:
    """A column of the table of exposures: title, unit, format, and the smallest relevant difference.

    The smallest relevant difference is the largest of: `relative` times the median of the other exposures; `absolute`,
    in the unit of the measure; half the median of the column `in_units_of`.
    """

    title: str
    unit: str
    form: str
    relative: float = 0.0
    absolute: float = 0.0
    in_units_of: str = ""


MEASURES = {
    "jumps": Measure("Jump rate", "per 1000 groups", ".2f", relative=0.25),
    "pedestal": Measure("Pedestal", "DN", ".1f", in_units_of="pedestal_std"),
    "pedestal_std": Measure("Pedestal scatter", "DN", ".1f", relative=0.1),
    "saturated": Measure("Saturated", "% of pixels", ".3%", relative=0.25, absolute=1e-3),
    "slope": Measure("Median slope", "DN/s", "digits", relative=0.05, in_units_of="slope_std"),
    "noise": Measure("Noise of differences", "DN", ".2f", relative=0.1),
    "no_slope": Measure("Without slope", "% of pixels", ".3%", relative=0.25, absolute=1e-3),
    "last_groups": Measure("Last raw groups", "DN", ",.0f", relative=0.05),
    "response_scatter": Measure("Scatter from mean response", "", ".4f", relative=0.5),
}


def outlier_exposures(values: ArrayLike, measure: Measure, units: ArrayLike | None = None) -> np.ndarray:
    """Boolean array (exposure): True for outliers among `values` (exposure; NaN: not measured).

    `units` are the values of the column `measure.in_units_of`.
    """
    values = np.asarray(values, float)
    odd = np.zeros(values.size, bool)
    for i, value in enumerate(values):
        others = np.delete(values, i)
        others = others[np.isfinite(others)]
        if others.size < MIN_OTHERS or not np.isfinite(value):
            continue
        median = np.median(others)
        scatter = 1.4826 * np.median(np.abs(others - median))
        relevant = max(measure.absolute, measure.relative * abs(median))
        if measure.in_units_of and units is not None:
            relevant = max(relevant, 0.5 * float(np.nanmedian(np.asarray(units, float))))
        odd[i] = abs(value - median) > max(OUTLIER_SIGMAS * scatter, relevant)
    return odd


def exposure_table(rows: Iterable[dict]) -> list[dict]:
    """The rows (dicts with kind, exposure and measures) with `odd`, the list of measures in which it is an outlier."""
    result = [dict(row, odd=[]) for row in rows]
    for kind in ("dark", "flat"):
        of_kind = [row for row in result if row["kind"] == kind]
        for name, measure in MEASURES.items():
            values = [row.get(name, np.nan) for row in of_kind]
            units = [row.get(measure.in_units_of, np.nan) for row in of_kind] if measure.in_units_of else None
            if units is not None and not np.isfinite(units).any():
                units = None
            for row, odd in zip(of_kind, outlier_exposures(values, measure, units), strict=True):
                if odd:
                    row["odd"].append(name)
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
