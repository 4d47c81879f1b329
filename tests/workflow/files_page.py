"""The page docs/reference/files.md, read as data, and its differences from the files of a run.

A section of the page has a heading with the path of a file, further paths in its text ("also `path`", "`path` has the
..."), and tables. The first cell of a table's heading is HDU, column, key, or `column of` an HDU. `<...>` in a name
matches any text. A row whose content begins with "Only" describes what some runs lack.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "files.md"
OF_PIPELINE = re.compile(r"_(uncal|rateints|rate|jump|fitopt)\.fits$")
# Files with planted pixels are in the format of the raw files and the simulator.
WITHOUT_PROVENANCE = re.compile(r"(truth|changed_pixels|_uncal)\.fits$")
MASK = "test_bpm.fits"
PROVENANCE = "column of PROVENANCE"
OF_RAW_FILE = ("of the raw file",)
# Folders whose files are copies, output of programs, or those of a run of its own.
ELSEWHERE = ("logs", "benchmarks", "delivery", "score")


@dataclass(frozen=True)
class Row:
    """A row of the page: what matches `name` has one of `types` with `unit`; not `required` if it begins with Only."""

    name: str
    types: tuple[str, ...]
    unit: str
    required: bool

    def matches(self, name):
        return re.fullmatch(as_pattern(self.name), name) is not None


@dataclass
class Section:
    """The description of the files whose relative path matches one of `paths`: table heading -> Rows."""

    paths: list
    tables: dict = field(default_factory=dict)
    columns_of: str = ""

    def matches(self, path):
        return any(re.fullmatch(as_pattern(known), path) for known in self.paths)


def as_pattern(name):
    return ".+".join(re.escape(part) for part in re.split(r"<[^>]+>", name))


def rows_of(line, heading):
    """The Rows of a line of a table with these cells of its heading."""
    cells = dict(zip(heading, (cell.strip() for cell in line.strip("|").split(" |")), strict=True))
    names = [name.strip("` ") for name in cells[heading[0]].split(", ")]
    types = tuple(re.split(r" or ", cells.get("type", "").split(" (")[0]))
    axes = re.search(r"\((.*)\)", cells.get("type", ""))
    types = tuple(f"{kind} {len(axes[1].split(','))}" for kind in types) if axes else types
    return [Row(name, types, cells.get("unit", ""), not cells["content"].startswith("Only")) for name in names]


@cache
def page():
    """The Sections of the page; the first has the table PROVENANCE and no path."""
    sections = []
    for text in re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.M):
        prose = " ".join(line for line in text.splitlines() if not line.startswith("|"))
        first = [re.match(r"`([^`]+)`", text)[1]] if sections else []
        more = re.findall(r"[Aa]lso `([^`]+)`", prose) + re.findall(r"`([^` ]+)` has the ", prose)
        columns_of = re.search(r"with the columns of `([^`]+)`", prose)
        section = Section([*first, *more], columns_of=columns_of[1] if columns_of else "")
        heading = None
        for line in text.splitlines():
            if not line.startswith("|"):
                heading = None
            elif heading is None:
                heading = [cell.strip() for cell in line.strip("|").split("|")]
            elif not line.startswith("|---"):
                section.tables.setdefault(heading[0], []).extend(rows_of(line, heading))
        sections.append(section)
    return sections


def section_of(path):
    """The Section that describes the file with this `path` relative to the folder of the detector, or None."""
    of_mask = re.sub(r"(epochs|variants)/[^/]+/", "", path)
    # Both targets process exposures of their own, with the same files.
    wanted = (of_mask, re.sub(r"^(injection_recovery|science_check)/", "", of_mask))
    return next((section for name in wanted for section in page() if section.matches(name)), None)


def table_type(column):
    """The type of a column of a FITS table, in the words of the page."""
    code = column.format.lstrip("0123456789")
    if column.bzero:
        return {"I": "uint16", "J": "uint32"}[code]
    return {"K": "int64", "J": "int32", "I": "int16", "B": "uint8", "D": "float64", "E": "float32", "A": "text"}[code]


def differences(where, described, found, with_types=True):
    """How the things `found` (name -> (type, unit or None)) differ from the Rows `described`."""
    problems = [
        f"{where}: {row.name} is described, and the file lacks it"
        for row in described
        if row.required and not any(row.matches(name) for name in found)
    ]
    for name, (kind, unit) in found.items():
        rows = [row for row in described if row.matches(name)]
        if not rows:
            problems.append(f"{where}: {name} ({kind}) is not described")
        elif with_types and rows[0].types != OF_RAW_FILE and kind not in rows[0].types:
            problems.append(f"{where}: {name} is {kind}, described as {' or '.join(rows[0].types)}")
        elif unit is not None and unit != rows[0].unit:
            problems.append(f"{where}: {name} has the unit {unit!r}, described as {rows[0].unit!r}")
    return problems


def fits_problems(path, name, section):
    """How a FITS file differs from its Section."""
    with fits.open(path) as hdus:
        rows = section.tables["HDU"]
        if not WITHOUT_PROVENANCE.search(name) and hdus[0].header.get("REFTYPE") != "MASK":
            rows = [*rows, Row("PROVENANCE", ("table",), "", True)]
        found, problems = {}, []
        of_pipeline = OF_PIPELINE.search(name)
        for hdu in hdus[1:]:
            if isinstance(hdu, fits.ImageHDU):
                kind = np.dtype(hdu.data.dtype).name
                found[hdu.name] = (f"{kind} {hdu.data.ndim}", None if of_pipeline else hdu.header.get("BUNIT", ""))
                continue
            ours = not of_pipeline or hdu.name == "PROVENANCE"
            found[hdu.name] = ("table" if ours else "table of the pipeline", None)
            if ours:
                key = f"column of {hdu.name}"
                described = page()[0].tables[key] if key == PROVENANCE else section.tables.get(key, [])
                columns = {column.name: (table_type(column), None) for column in hdu.columns}
                problems += differences(f"{name}, {hdu.name}", described, columns)
        return differences(name, rows, found) + problems


def arrow_type(kind):
    """The type of a column of a Parquet file, in the words of the page."""
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    return "time" if pa.types.is_timestamp(kind) else {"double": "float64"}.get(str(kind), str(kind))


def table_problems(path, name, section):
    """How a table or a JSON file differs from its Section."""
    if path.suffix == ".json":
        keys = dict.fromkeys(json.loads(path.read_text(encoding="utf-8")), ("", None))
        return differences(name, section.tables["key"], keys, with_types=False)
    # A CSV beside a FITS file has the columns of its only table.
    described = section.tables.get("column") or next(rows for key, rows in section.tables.items() if key != "HDU")
    if section.columns_of:
        described = described + section_of(section.columns_of).tables["column"]
    if path.suffix == ".parquet":
        found = {column.name: (arrow_type(column.type), None) for column in pq.read_schema(path)}
        return differences(name, described, found)
    found = dict.fromkeys(pd.read_csv(path, nrows=0).columns, ("", None))
    return differences(name, described, found, with_types=False)


def undescribed(results):
    """All differences between the page and the files below `results`, the folder of a detector, as sentences.

    Of the files with the same description, the first is compared.
    """
    problems, done = [], []
    text = PAGE.read_text(encoding="utf-8")
    paths = sorted(path for path in results.rglob("*") if path.is_file() and not path.name.startswith("."))
    assert paths, f"no files below {results}"
    for path in paths:
        name = path.relative_to(results).as_posix()
        if any(part in ELSEWHERE for part in name.split("/")):
            continue
        header = fits.getheader(path) if path.suffix == ".fits" else {}
        # `output_file` names the mask.
        section = section_of(MASK if header.get("REFTYPE") == "MASK" and section_of(name) is None else name)
        if section is None:
            if f"`{name}`" not in text and f"`{path.name}`" not in text:
                problems.append(f"{name} is not described")
        elif (section, path.suffix) not in done and path.suffix in (".fits", ".csv", ".json", ".parquet"):
            if header.get("REJECTED", False):
                continue
            done.append((section, path.suffix))
            problems += (fits_problems if path.suffix == ".fits" else table_problems)(path, name, section)
    return problems
