"""Tables of manual flags: rows `x y flag` that flag pixels the search may not find.

Coordinates are 0-based on the full frame. `a:b` is a range with both ends, `a:`, `:b` and `:` are open. Flags are DQ
mnemonics in any case; a row may have several, and what rows say about a pixel is OR-ed. `#` starts a comment; a first
row that reads `x y flag` is a heading.
"""

import re

import numpy as np

from badpix.core.wording import suggestion
from badpix.instrument.dq import PIXEL_FLAGS

HEADING = ["x", "y", "flag"]
_NUMBER = re.compile(r"[0-9]{1,9}")
_RANGE = re.compile(r"([0-9]{0,9}):([0-9]{0,9})")


class ManualFlagError(ValueError):
    """A table of manual flags is faulty; the message has a line for each problem: file, line number, reason."""


def parse_manual_flags(text, shape, source, origin=(0, 0), full_shape=None):
    """The manual flags of an array, uint32 image of `shape` (rows, columns).

    `text` is the table and `source` its name for messages. The array lies on the full frame at `origin` (x, y of its
    first pixel, 0-based); `full_shape` (rows, columns) is the full frame, by default the array itself. Rows outside the
    array do nothing; rows outside the full frame are errors. Raises ManualFlagError, which lists every problem.
    """
    full_rows, full_columns = full_shape or shape
    x0, y0 = origin
    flags = np.zeros(shape, dtype=np.uint32)
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
        flags[_within(rows, y0, shape[0]), _within(columns, x0, shape[1])] |= np.uint32(bits)
    if problems:
        raise ManualFlagError("\n".join(problems))
    return flags


def read_text(path):
    """The text of the table at `path`; ManualFlagError when it is not readable as text."""
    try:
        with open(path, encoding="utf-8") as table:
            return table.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ManualFlagError(f"{path}: not readable as a table of manual flags: {error}") from error


def manual_flags(path, geometry, detector):
    """The manual flags of the file at `path` (None: none), uint32 (y, x), cut to the array's place on the detector."""
    if path is None:
        return None
    return parse_manual_flags(
        read_text(path),
        geometry.shape,
        str(path),
        origin=(geometry.x_start - 1, geometry.y_start - 1),
        full_shape=(detector.n_rows, detector.n_columns),
    )


def check_manual_flags(path, detector):
    """Raise ManualFlagError, which lists every problem, unless the table at `path` fits the Detector `detector`."""
    parse_manual_flags(read_text(path), (detector.n_rows, detector.n_columns), str(path))


def _within(span, start, length):
    """The slice of an array of `length` at `start` that the full-frame `span` (first, last) covers; empty if none."""
    first, last = span
    return slice(min(max(first - start, 0), length), min(max(last + 1 - start, 0), length))


def _parse_row(words, n_columns, n_rows):
    """((first, last) column, (first, last) row, DQ bits) of a row; ManualFlagError with all reasons."""
    if len(words) < 3:
        raise ManualFlagError(f"{' '.join(words)!r} is not a row `x y flag`")
    reasons, spans, bits = [], [], 0
    for axis, word, size in (("x", words[0], n_columns), ("y", words[1], n_rows)):
        try:
            spans.append(_parse_span(axis, word, size))
        except ManualFlagError as error:
            reasons.append(str(error))
    for mnemonic in words[2:]:
        if mnemonic.upper() in PIXEL_FLAGS:
            bits |= PIXEL_FLAGS[mnemonic.upper()]
        else:
            reasons.append(f"unknown flag {mnemonic!r}{suggestion(mnemonic, PIXEL_FLAGS)}")
    if reasons:
        raise ManualFlagError("; ".join(reasons))
    return *spans, bits


def _parse_span(axis, word, size):
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
