"""Tables of manual flags: rows `x y flag` add flags to the mask, also to pixels that the vote does not find.

Coordinates are 0-based on the full frame. `a:b` is a range with both ends, `a:`, `:b` and `:` are open. Flags are the
DQ mnemonics MASK_FLAGS in any case. A row may have several flags; the flags of all rows for a pixel are combined by
bitwise OR. `#` starts a comment. A first row `x y flag` is a heading. Rows change reference pixels only if one of their
flags is BAD_REF_PIXEL: a row such as `: 5 DEAD` is meant for the science pixels of its rectangle.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from badpix.core import plain_input
from badpix.core.wording import suggestion
from badpix.instrument.detectors import Detector
from badpix.instrument.dq import EXPOSURE_FLAGS, MASK_FLAGS, PIXEL_FLAGS
from badpix.instrument.geometry import Geometry, reference_pixels

MAX_LISTED = 5  # line numbers in a warning
HEADING = ["x", "y", "flag"]
_NUMBER = re.compile(r"[0-9]{1,9}")
_RANGE = re.compile(r"([0-9]{0,9}):([0-9]{0,9})")


@dataclass(frozen=True)
class ManualFlags:
    """The manual flags of an array, uint32 (y, x), and warnings of rows without effect on reference pixels."""

    flags: np.ndarray
    warnings: tuple[str, ...]


class ManualFlagError(ValueError):
    """A table of manual flags is not valid; the message has a line for each problem: file, line number, reason."""


def parse_manual_flags(
    text: str,
    shape: tuple[int, int],
    source: str,
    origin: tuple[int, int] = (0, 0),
    full_shape: tuple[int, int] | None = None,
) -> np.ndarray:
    """The manual flags of an array without reference pixels, uint32 (y, x); parameters as in `parse_table`."""
    return parse_table(text, shape, source, origin, full_shape).flags


def parse_table(
    text: str,
    shape: tuple[int, int],
    source: str,
    origin: tuple[int, int] = (0, 0),
    full_shape: tuple[int, int] | None = None,
    reference: np.ndarray | None = None,
) -> ManualFlags:
    """The manual flags of an array.

    Rows of the table outside the array have no effect; rows outside the full frame are errors.

    Parameters
    ----------
    text : str
        The table.
    shape : tuple of int
        Shape of the array (rows, columns).
    source : str
        Name of the table in error messages.
    origin : tuple of int
        First pixel (x, y) of the array on the full frame, 0-based.
    full_shape : tuple of int, optional
        Shape of the full frame (rows, columns); `shape` by default.
    reference : bool array (y, x), optional
        The reference pixels of the array; none by default.

    Raises
    ------
    ManualFlagError
        With every problem in the table.
    """
    full_rows, full_columns = full_shape or shape
    x0, y0 = origin
    flags = np.zeros(shape, dtype=np.uint32)
    skipped: list[int] = []
    at_skipped = np.zeros(shape, bool)
    problems = []
    first = True
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        words = line.partition("#")[0].split()
        is_heading = first and [word.lower() for word in words] == HEADING
        first = first and not words
        if not words or is_heading:
            continue
        try:
            columns, rows, bits = _parse_row(words, full_columns, full_rows)
        except ManualFlagError as error:
            problems.append(f"{source}, line {number}: {error}")
            continue
        part = _within(rows, y0, shape[0]), _within(columns, x0, shape[1])
        if reference is None or bits & PIXEL_FLAGS["BAD_REF_PIXEL"]:
            flags[part] |= np.uint32(bits)
            continue
        flags[part] |= np.where(reference[part], np.uint32(0), np.uint32(bits))
        if reference[part].any():
            skipped.append(number)
            at_skipped[part] |= reference[part]
    if problems:
        raise ManualFlagError("\n".join(problems))
    return ManualFlags(flags, (_skipped_text(source, skipped, int(at_skipped.sum())),) if skipped else ())


def _skipped_text(source: str, numbers: Sequence[int], n_pixels: int) -> str:
    """The warning of the rows (line numbers of the table) that leave reference pixels unchanged."""
    lines = ", ".join(map(str, numbers[:MAX_LISTED])) + (" ..." if len(numbers) > MAX_LISTED else "")
    return (
        f"manual flags: {n_pixels} reference pixels in rows of {source} (line {lines}) do not get the flags; only rows"
        " with BAD_REF_PIXEL change reference pixels"
    )


def read_text(path: str | Path) -> str:
    """The text of the table at `path`; ManualFlagError if the file cannot be read as text."""
    try:
        return plain_input.read_text(path)
    except (OSError, ValueError) as error:
        raise ManualFlagError(f"{path}: not readable as a table of manual flags: {error}") from error


def manual_flags(path: str | Path | None, geometry: Geometry, detector: Detector) -> ManualFlags | None:
    """The ManualFlags of the file at `path` for the array of `geometry`; None if `path` is None."""
    if path is None:
        return None
    return parse_table(
        read_text(path),
        geometry.shape,
        str(path),
        origin=(geometry.x_start - 1, geometry.y_start - 1),
        full_shape=(detector.n_rows, detector.n_columns),
        reference=reference_pixels(geometry, detector),
    )


def check_manual_flags(path: str | Path, detector: Detector) -> None:
    """Raise ManualFlagError with every problem unless the table at `path` is valid for `detector`."""
    parse_manual_flags(read_text(path), (detector.n_rows, detector.n_columns), str(path))


def _within(span: tuple[int, int], start: int, length: int) -> slice:
    """The part of an array of `length` at `start` that the full-frame `span` (first, last) covers; empty if none."""
    first, last = span
    return slice(min(max(first - start, 0), length), min(max(last + 1 - start, 0), length))


def _parse_row(words: Sequence[str], n_columns: int, n_rows: int) -> tuple[tuple[int, int], tuple[int, int], int]:
    """((first, last) column, (first, last) row, DQ bits) of a row; ManualFlagError with all reasons."""
    if len(words) < 3:
        raise ManualFlagError(f"{' '.join(words)!r} is not a row `x y flag`")
    reasons: list[str] = []
    spans: list[tuple[int, int]] = []
    bits = 0
    for axis, word, size in (("x", words[0], n_columns), ("y", words[1], n_rows)):
        try:
            spans.append(parse_span(axis, word, size))
        except ManualFlagError as error:
            reasons.append(str(error))
    for mnemonic in words[2:]:
        if (name := mnemonic.upper()) in MASK_FLAGS:
            bits |= PIXEL_FLAGS[name]
        elif name in EXPOSURE_FLAGS:
            reasons.append(
                f"{mnemonic!r} is a flag of exposures, not of bad pixels; allowed are {', '.join(MASK_FLAGS)}"
            )
        else:
            reasons.append(f"unknown flag {mnemonic!r}{suggestion(mnemonic, MASK_FLAGS)}")
    if reasons:
        raise ManualFlagError("; ".join(reasons))
    columns, rows = spans
    return columns, rows, bits


def parse_span(axis: str, word: str, size: int) -> tuple[int, int]:
    """(first, last), both included, of a coordinate on an axis of `size` pixels; ManualFlagError with the reason."""
    if _NUMBER.fullmatch(word):
        first = last = int(word)
    elif match := _RANGE.fullmatch(word):
        first = int(match[1]) if match[1] else 0
        last = int(match[2]) if match[2] else size - 1
    else:
        raise ManualFlagError(f"{axis} is {word!r}, neither a number nor a range such as 3:7")
    if max(first, last) >= size:
        raise ManualFlagError(f"{axis} = {word} is outside the detector's 0:{size - 1}")
    if first > last:
        raise ManualFlagError(f"{axis} = {word} ends before it begins")
    return first, last
