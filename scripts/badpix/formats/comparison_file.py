"""The table of exposures compared with the others of their kind: a CSV with a row per exposure and measure.

Columns: kind (darks, flats), exposure, measure, integration (of the value, counted from 1), value, others (the median
of the other exposures), variation (in the unit of the measure), distance (in variations), limit, status (of the
exposure, see below) and text (measure, value and unit in words).
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from badpix.core.csv_table import TableError, defused, restored
from badpix.core.files import write_text
from badpix.core.plain_input import read_text

# An exposure with a distance above the limit is an outlier; only status OUTLIER may be rejected.
GOOD, OUTLIER, OUTLIER_OF_FEW, NO_MAJORITY = "good", "outlier", "outlier of few", "no majority"
STATUSES = (GOOD, OUTLIER, OUTLIER_OF_FEW, NO_MAJORITY)


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
        table.writerow([f"{value:.6g}" if isinstance(value, float) else defused(value) for value in astuple(row)])
    write_text(path, text.getvalue())


def read_comparison(path: str | Path | None) -> list[ComparisonRow]:
    """The rows of the table; none if `path` is None. TableError if it is damaged."""
    if path is None:
        return []
    try:
        return [_row(cells) for cells in csv.DictReader(io.StringIO(read_text(path)), strict=True)]
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise TableError(f"{path} is no table of this workflow: {error}; remove it") from error


def _row(cells: Mapping[str, str]) -> ComparisonRow:
    """The row with these cells (column -> text)."""
    if None in cells or None in cells.values():
        raise ValueError("a line has too few or too many cells")
    row = ComparisonRow(
        kind=restored(cells["kind"]),
        exposure=restored(cells["exposure"]),
        measure=restored(cells["measure"]),
        integration=int(cells["integration"]),
        value=float(cells["value"]),
        others=float(cells["others"]),
        variation=float(cells["variation"]),
        distance=float(cells["distance"]),
        limit=float(cells["limit"]),
        status=restored(cells["status"]),
        text=restored(cells["text"]),
    )
    if row.status not in STATUSES:
        raise ValueError(f"the status {row.status!r} is unknown")
    return row


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
