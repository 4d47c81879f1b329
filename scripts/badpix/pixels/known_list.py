"""Lists of known bad pixels that a user gives: text tables, Parquet tables, masks, and images of bad pixels.

Coordinates of tables are 0-based on the full frame. A text table has rows `x y` with any number of types or flags after
them, or a heading with at least the names `x` and `y`; of its further columns `type`, `types`, `flag` and `flags` are
read. Columns are separated by blanks, commas, semicolons or tabs; `#` starts a comment. A coordinate may be a range as
in tables of manual flags. The lists `pixels/*.txt` of a delivery are of the array of the mask, which their first line
names; they are moved to their place on the full frame.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from badpix.changes.files import read_image
from badpix.core import plain_input
from badpix.core.files import is_machine_fault
from badpix.core.wording import suggestion
from badpix.delivery.pixel_lists import LIST_HEAD, NOT_BAD, OTHER
from badpix.formats.pixel_types import PIXEL_TYPES
from badpix.instrument.detectors import Detector
from badpix.instrument.dq import MASK_FLAGS, flag_texts
from badpix.mask.flags import TypeFlags
from badpix.mask.manual_flags import ManualFlagError, parse_span

MAX_PROBLEMS = 10
MAX_PIXELS_OF_A_ROW = 100_000
WORDS = ("type", "types", "flag", "flags")
# Columns of changed_pixels.csv, and of the lists of the science check, whose coordinates are of the array of a mask.
OF_THE_ARRAY = ("before_dq", "after_dq", "old_dq", "new_dq")
BIT_OF = {name: np.uint32(1 << number) for number, name in enumerate(PIXEL_TYPES)}


class KnownPixelError(ValueError):
    """A list of known bad pixels cannot be used; the message has a line for each problem: file, line, reason."""


@dataclass(frozen=True)
class KnownPixels:
    """Pixels that are known to be bad, each once, sorted by y and x.

    `x` and `y` are 0-based on the full frame. `types` (uint32) has the bits BIT_OF of the types that a pixel may have,
    0 where the list has none. `known_as` are the types or flags as text, joined by `+`. `source` names the list.
    """

    x: np.ndarray
    y: np.ndarray
    types: np.ndarray
    known_as: np.ndarray
    source: str
    notes: tuple[str, ...] = ()

    @classmethod
    def of_rows(cls, rows: Sequence[tuple[int, int, tuple[str, ...]]], words: "Words", source: str) -> Self:
        """From rows (x, y, words); the words of all rows of a pixel count."""
        of_pixel: dict[tuple[int, int], dict[str, None]] = {}
        for x, y, given in rows:
            of_pixel.setdefault((y, x), {}).update(dict.fromkeys(given))
        pixels = sorted(of_pixel)
        texts = ["+".join(of_pixel[pixel]) for pixel in pixels]
        types = [words.types_of(of_pixel[pixel]) for pixel in pixels]
        places = np.array(pixels, int).reshape(-1, 2)
        return cls(places[:, 1], places[:, 0], np.array(types, np.uint32), np.array(texts, dtype=object), source)


@dataclass(frozen=True)
class Words:
    """Names of types and mnemonics of flags, in lower case, each with the types (bits) that it may mean."""

    bits: Mapping[str, np.uint32]

    @classmethod
    def of_flags(cls, table: Mapping[str, TypeFlags]) -> Self:
        """With the flags of each type in a mask (`badpix.mask.flags.flags_by_type`)."""
        bits = dict.fromkeys((OTHER, *(name.lower() for name in MASK_FLAGS)), np.uint32(0))
        for name, bit in BIT_OF.items():
            for word in {name.lower(), *(flag.lower() for flag in (*PIXEL_TYPES[name].flags, *table[name].flags))}:
                # DO_NOT_USE says nothing about the type, also if flag_values has it.
                bits[word] = bits.get(word, np.uint32(0)) | (np.uint32(0) if word == "do_not_use" else bit)
        return cls(bits)

    def problem(self, word: str) -> str | None:
        """Why `word` is neither a type nor a flag of a mask; None if it is."""
        if word.lower() in self.bits:
            return None
        known = [*PIXEL_TYPES, *MASK_FLAGS]
        return f"{word!r} is neither a type nor a flag of a mask{suggestion(word, known)}"

    def types_of(self, words: Iterable[str]) -> np.uint32:
        """The bits of the types that `words` may mean."""
        return np.bitwise_or.reduce([self.bits[word.lower()] for word in words] or [np.uint32(0)])

    def types_of_texts(self, texts: np.ndarray) -> np.ndarray:
        """`types_of` the words, joined by `+`, of each of the `texts`: uint32."""
        different, index = np.unique(texts.astype(str), return_inverse=True)
        types = [self.types_of(filter(None, text.split("+"))) for text in different]
        return np.array(types, np.uint32)[index] if types else np.zeros(0, np.uint32)


def read_known_pixels(path: str | Path, detector: Detector, table: Mapping[str, TypeFlags]) -> KnownPixels:
    """The KnownPixels of the file `path` for `detector`; `table` has the flags of each type.

    Raises KnownPixelError with all problems of the file, or for a list without pixels.
    """
    words = Words.of_flags(table)
    try:
        start = _start_of(path)
        if start.startswith((b"SIMPLE", b"\x1f\x8b")):
            known = _of_image(path, detector, words)
        elif start.startswith(b"PAR1"):
            known = KnownPixels.of_rows(_rows_of_parquet(path, detector, words), words, str(path))
        else:
            known = KnownPixels.of_rows(
                parse_rows(plain_input.read_text(path), path, detector, words), words, str(path)
            )
    except KnownPixelError:
        raise
    except Exception as error:  # damaged files raise many types of error
        if is_machine_fault(error) and not isinstance(error, FileNotFoundError | IsADirectoryError):
            raise
        raise KnownPixelError(f"{path}: not readable as a list of known bad pixels: {error}") from error
    if not known.x.size:
        raise KnownPixelError(f"{path}: the list of known bad pixels has no pixels")
    return known


def _start_of(path: str | Path) -> bytes:
    """The first bytes of a regular file; none of another kind of file, whose opening may wait for ever."""
    if not Path(path).is_file():
        return b""
    with Path(path).open("rb") as file:
        return file.read(6)


def parse_rows(
    text: str, source: str | Path, detector: Detector, words: Words
) -> list[tuple[int, int, tuple[str, ...]]]:
    """The rows (x, y, words) of a text table; KnownPixelError with all problems."""
    rows: list[tuple[int, int, tuple[str, ...]]] = []
    problems: list[str] = []
    columns: list[str] | None = None
    x0, y0 = 0, 0
    of_list: tuple[str, ...] = ()
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if head := LIST_HEAD.match(line):
            x0, y0 = int(head["x"]) - 1, int(head["y"]) - 1
            of_list = (head["name"],)
        cells = _cells(line.partition("#")[0])
        if not cells:
            continue
        if columns is None:
            names = [cell.lower() for cell in cells]
            columns = names if {"x", "y"} <= set(names) else []
            if of_array := [name for name in OF_THE_ARRAY if name in columns]:
                raise KnownPixelError(
                    f"{source}: the coordinates of a table with the column {of_array[0]} are of the array of its mask;"
                    " give a list with coordinates of the full frame, 0-based"
                )
            if columns:
                continue
        try:
            rows += _pixels(_row(cells, columns), detector, words, (x0, y0), of_list)
        except KnownPixelError as error:
            problems.append(f"{source}, line {number}: {error}")
    _raise(problems)
    return rows


def _raise(problems: Sequence[str]) -> None:
    if problems:
        n_more = len(problems) - MAX_PROBLEMS
        more = [f"and {n_more} more problems"] if n_more > 0 else []
        raise KnownPixelError("\n".join([*problems[:MAX_PROBLEMS], *more]))


def _cells(line: str) -> list[str]:
    """The cells of a line, without quotes."""
    line = line.strip()
    separator = next((character for character in ",;\t" if character in line), " ")
    if not line:
        return []
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]


def _row(cells: Sequence[str], columns: Sequence[str]) -> tuple[str, str, str]:
    """x, y and all words of a row as texts; KnownPixelError if there is no x or y."""
    if not columns:
        cells = [cell for cell in cells if cell]
        if len(cells) < 2:
            raise KnownPixelError(f"{' '.join(cells)!r} is not a row `x y` with any number of types after it")
        return cells[0], cells[1], " ".join(cells[2:])
    if len(cells) != len(columns):
        raise KnownPixelError(f"the row has {len(cells)} columns, the heading has {len(columns)}")
    row = dict(zip(columns, cells, strict=True))
    return row["x"], row["y"], " ".join(row[name] for name in WORDS if name in row)


def _pixels(
    row: tuple[str, str, str], detector: Detector, words: Words, origin: tuple[int, int], of_list: tuple[str, ...]
) -> list[tuple[int, int, tuple[str, ...]]]:
    """The pixels of a row, (x, y, words) each; KnownPixelError with all reasons."""
    reasons: list[str] = []
    spans: list[range] = []
    for axis, text, size, start in zip("xy", row[:2], (detector.n_columns, detector.n_rows), origin, strict=True):
        try:
            # Tables of real numbers, as pandas writes columns with empty cells.
            first, last = parse_span(axis, re.sub(r"\.0*$", "", text), size - start)
            spans.append(range(first + start, last + start + 1))
        except ManualFlagError as error:
            reasons.append(f"{error} (0-based)")
    given = tuple(word for word in re.split(r"[+|/;,\s]+", row[2]) if word)
    reasons += [problem for word in given if (problem := words.problem(word))]
    if reasons:
        raise KnownPixelError("; ".join(reasons))
    columns, lines = spans
    if (n_pixels := len(columns) * len(lines)) > MAX_PIXELS_OF_A_ROW:
        raise KnownPixelError(f"the row has {n_pixels} pixels, more than {MAX_PIXELS_OF_A_ROW}")
    return [(x, y, given or of_list) for y in lines for x in columns]


def _check_detector(path: str | Path, name: Any, detector: Detector) -> None:
    """KnownPixelError for a list of the detector `name` that is not `detector`; None: not known."""
    if name and str(name).strip().upper() != detector.name:
        raise KnownPixelError(f"{path}: DETECTOR is {name}, the list is given for {detector.name}")


def _rows_of_parquet(path: str | Path, detector: Detector, words: Words) -> list[tuple[int, int, tuple[str, ...]]]:
    """The rows of a Parquet table with the columns x and y."""
    # Few lists need them.
    import pandas as pd
    import pyarrow.parquet as pq

    from badpix.formats.pixel_table_file import KEY

    about = json.loads((pq.read_schema(path).metadata or {}).get(KEY, b"{}"))
    _check_detector(path, about.get("detector"), detector)
    table = pd.read_parquet(path)
    if missing := [name for name in ("x", "y") if name not in table]:
        raise KnownPixelError(f"{path}: the table has no column {', '.join(missing)}")
    text = table[[name for name in ("x", "y", *WORDS) if name in table]].to_csv(index=False)
    return parse_rows(text, path, detector, words)


def _of_image(path: str | Path, detector: Detector, words: Words) -> KnownPixels:
    """The KnownPixels of a mask, or of an image in the primary HDU that is not 0 at bad pixels."""
    image = read_image(path, lists=True)
    _check_detector(path, image.header.get("DETECTOR"), detector)
    full = detector.n_rows, detector.n_columns
    has_place = "SUBSTRT1" in image.header and "SUBSTRT2" in image.header
    if not has_place and image.dq.shape != full:
        shape = " x ".join(map(str, image.dq.shape))
        raise KnownPixelError(
            f"{path} has {shape} pixels (y, x) and no SUBSTRT1: its place on the detector is not known"
        )
    x0, y0 = (image.header["SUBSTRT1"] - 1, image.header["SUBSTRT2"] - 1) if has_place else (0, 0)
    y, x = np.nonzero(image.dq & ~NOT_BAD)
    if x.size and (min(x0, y0) < 0 or x.max() + x0 >= full[1] or y.max() + y0 >= full[0]):
        raise KnownPixelError(f"{path} has pixels outside the {full[1]} x {full[0]} pixels of {detector.name}")
    dq = image.dq[y, x] & ~NOT_BAD
    # An image of bad pixels has the flag of a catch-all, which says nothing about the type.
    is_list = any(note.startswith(f"{path} is a list") for note in image.notes)
    texts = np.full(x.size, "", object) if is_list else flag_texts(dq).astype(object)
    return KnownPixels(x + x0, y + y0, words.types_of_texts(texts), texts, str(path), image.notes)
