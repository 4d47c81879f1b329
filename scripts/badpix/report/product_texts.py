"""The results of the products of a mask in a few words, read from their files."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from badpix.formats.certificate_file import NOT_RUN, REFUSED, certificate_of
from badpix.formats.comparison_file import read_comparison
from badpix.history.text import NUMBERS, numbers_lines
from badpix.pixels.known_gate import known_lines
from badpix.report.certification import delivery_lines
from badpix.science_check.text import short_lines
from badpix.science_check.words import MIXED, WORSE

# The text, and whether it says that something is wrong.
Result = tuple[str, bool]


class Files(Protocol):
    """A mask and its folder."""

    @property
    def mask(self) -> Path:
        """The file of the mask."""

    @property
    def folder(self) -> Path:
        """The folder of the mask."""


def rows_of(path: Path) -> Iterator[Mapping[str, str]]:
    """The rows of a CSV, with comments (#) at its start."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


def number_of_rows(path: Path) -> int:
    """The number of rows of a CSV whose cells have no line breaks, without comments (#) at its start."""
    with path.open("rb") as file:
        return sum(1 for line in file if not line.startswith(b"#")) - 1


def nothing(_files: Files, _path: Path) -> Result:
    """No result: the figures are the product."""
    return "", False


def quality(_files: Files, path: Path) -> Result:
    """The quality check."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return f"passed: all flags arrive in PIXELDQ of {found['ramp']}", False


def certificate(files: Files, _path: Path) -> Result:
    """The result of crds certify."""
    found = certificate_of(files.mask, files.folder)
    assert found is not None  # only current certificates are read
    if found.status == NOT_RUN:
        return f"not run: {found.reason}", True
    numbers = f"{found.context}, {len(found.errors)} errors, {len(found.warnings)} warnings"
    word = "refused; do not deliver this mask" if found.status == REFUSED else found.status
    return f"{word} ({numbers})", found.status == REFUSED


def known_bad(files: Files, _path: Path) -> Result:
    """Known bad pixels found again, and the verdict."""
    lines = [line.strip() for line in known_lines(files.mask, files.folder)]
    verdicts = [line for line in lines[1:2] if line.startswith(("REFUSED", "WARNING"))]
    return "; ".join([lines[0].removeprefix("known bad pixels: "), *verdicts]), bool(verdicts)


def changes(_files: Files, path: Path) -> Result:
    """Changes since another mask."""
    found = json.loads(path.read_text(encoding="utf-8"))
    counts = ", ".join(f"{found[what]:,} {what}" for what in ("new", "recovered", "reclassified"))
    return f"{counts} pixels since {found['before']['file']}", False


def science_check(_files: Files, path: Path) -> Result:
    """The verdict of the science check."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return short_lines(found)[0], found["verdict"] in (WORSE, MIXED)


def reliability(_files: Files, path: Path) -> Result:
    """False flags to expect."""
    rows = [row for row in rows_of(path) if row["quantity"] == "expected"]
    expected = {row["type"]: float(row["value"]) for row in rows if row["value"]}
    unknown = [row["type"] for row in rows if not row["value"]]
    text = f"{sum(expected.values()):.2g} false flags to expect from noise in {len(expected)} types"
    if expected and (most := max(expected, key=lambda name: expected[name])) and expected[most] > 0:
        text += f" (most: {most} {expected[most]:.2g})"
    return text + (f"; not known for {', '.join(unknown)}" if unknown else ""), False


def leave_one_out(_files: Files, path: Path) -> Result:
    """The exposure that changes most pixels when it is left out."""
    most = max(rows_of(path), key=lambda row: int(row["n_changed"]))
    if not int(most["n_changed"]):
        return "no flag changes without any of the exposures", False
    return f"at most {int(most['n_changed']):,} pixels change, without {most['exposure']}", False


def comparison(_files: Files, path: Path) -> Result:
    """The outliers among the exposures."""
    rows = read_comparison(path)
    odd = list(dict.fromkeys(row.exposure for row in rows if row.distance > row.limit))
    number = len({row.exposure for row in rows})
    return f"{len(odd)} outliers among {number} exposures" + (f": {', '.join(odd[:3])}" if odd else ""), bool(odd)


def history(_files: Files, path: Path) -> Result:
    """The masks that were compared and left out, and the intermittent pixels of the history."""
    if (numbers := path.parent / NUMBERS).exists():
        return "; ".join(numbers_lines(json.loads(numbers.read_text(encoding="utf-8")))), False
    listed = path.parent / "intermittent_pixels.csv"
    return f"{number_of_rows(listed):,} pixels flagged in some masks but not in all", False


def pixel_table(_files: Files, path: Path) -> Result:
    """The number of rows of the table of the bad pixels."""
    return f"{number_of_rows(path):,} flagged pixels", False


def injection(_files: Files, path: Path) -> Result:
    """The found share of the planted pixels."""
    rows = list(rows_of(path))
    planted, found, flagged = (sum(int(row[name]) for row in rows) for name in ("planted", "found", "flagged"))
    return f"{found:,} of {planted:,} planted pixels found as their type, {flagged:,} with any flag", False


def sweep(_files: Files, path: Path) -> Result:
    """The keys of the sweep and their number of values."""
    points = {row["point"]: row["swept"] for row in rows_of(path)}
    keys = dict.fromkeys(name for name in points.values() if name)
    return f"{len(points)} points of {', '.join(keys)}", False


def delivery(files: Files, _path: Path) -> Result:
    """The state of the delivery."""
    lines = [line.strip() for line in delivery_lines(files.mask, files.folder)]
    text = lines[0].removeprefix("delivery: ") + "".join(f"; {line}" for line in lines[1:])
    return text, "do not use it" in text
