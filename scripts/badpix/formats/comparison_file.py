"""The table of exposures compared with the others of their kind: a CSV with a row per exposure and measure.

Columns: kind (darks, flats), exposure, measure, integration (of the value, counted from 1), value, others (the median
of the other exposures), variation (in the unit of the measure), distance (in variations), limit, status (of the
exposure, see below) and text (measure, value and unit in words).
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from badpix.core.files import write_text

# An exposure with a distance above the limit is an outlier; only status OUTLIER may be rejected.
GOOD, OUTLIER, OUTLIER_OF_FEW, NO_MAJORITY = "good", "outlier", "outlier of few", "no majority"


@dataclass(frozen=True)
class ComparisonRow:
    """A row of the table."""

    kind: str
    exposure: str
    measure: str
    integration: int
    value: float
    others: float
    variation: float
    distance: float
    limit: float
    status: str
    text: str


def write_comparison(path: str | Path, rows: Iterable[ComparisonRow]) -> None:
    """Write the table."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([field.name for field in fields(ComparisonRow)])
    for row in rows:
        table.writerow([f"{value:.6g}" if isinstance(value, float) else value for value in astuple(row)])
    write_text(path, text.getvalue())


def read_comparison(path: str | Path | None) -> list[ComparisonRow]:
    """The rows of the table; none if `path` is None."""
    if path is None:
        return []
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [
            ComparisonRow(
                kind=row["kind"],
                exposure=row["exposure"],
                measure=row["measure"],
                integration=int(row["integration"]),
                **{name: float(row[name]) for name in ("value", "others", "variation", "distance", "limit")},
                status=row["status"],
                text=row["text"],
            )
            for row in csv.DictReader(file)
        ]


def reasons(rows: Sequence[ComparisonRow]) -> dict[str, str]:
    """Outlier (of any status) -> the measure with the largest distance in words, and the names of further measures."""
    result = {}
    for exposure in dict.fromkeys(row.exposure for row in rows if row.status != GOOD):
        beyond = sorted((r for r in rows if r.exposure == exposure and r.distance > r.limit), key=lambda r: -r.distance)
        first, more = beyond[0], ", ".join(row.measure for row in beyond[1:])
        result[exposure] = (
            f"{first.text} in integration {first.integration}, a distance of {first.distance:.3g} (outlier_limit"
            f" {first.limit:g})" + (f"; also {more}" if more else "")
        )
    return result


def rejectable(rows: Sequence[ComparisonRow]) -> dict[str, str]:
    """Exposure -> reason of the outliers that `reject_outliers` rejects."""
    status = {row.exposure: row.status for row in rows}
    return {
        name: f"outlier: {reason} (reject_outliers)"
        for name, reason in reasons(rows).items()
        if status[name] == OUTLIER
    }


def outlier_warnings(rows: Sequence[ComparisonRow], rejected: bool) -> tuple[str, ...]:
    """A line for each outlier that takes part in the vote; `rejected`: outliers of status OUTLIER do not."""
    of = {row.exposure: row for row in rows}
    lines = []
    for name, reason in reasons(rows).items():
        kind, status = of[name].kind, of[name].status
        number = len({row.exposure for row in rows if row.kind == kind})
        after = {
            OUTLIER: "; reject_outliers is false, so it takes part in the vote",
            OUTLIER_OF_FEW: f"; it takes part in the vote, since {number} {kind} are too few to reject an outlier",
            NO_MAJORITY: f"; it takes part in the vote, since half of the {number} {kind} or more are outliers",
        }[status]
        if status != OUTLIER or not rejected:
            lines.append(f"{name} is an outlier among the {kind}: {reason}{after}")
    return tuple(lines)
