"""Sentences on single known bad pixels, and the numbers of a check."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from badpix.formats.evidence_file import Evidence
from badpix.formats.pixel_types import FLAT, PIXEL_TYPES
from badpix.pixels.known_check import INSUFFICIENT, LOST, Checked
from badpix.pixels.known_list import BIT_OF

MAX_NAMED = 10
# Columns of `pixel_rows` that a sentence about a lost pixel has, with their units.
SHOWN = {
    "slope_dn_per_s": "slope {:.3g} DN/s", "cds_noise_dn": "noise {:.3g} DN", "pedestal_dn": "pedestal {:+.3g} DN",
    "response": "response {:.3g}",
}  # fmt: skip


def pixel_texts(checked: Checked, table: pd.DataFrame, evidence: Evidence, state: str) -> list[str]:
    """A sentence for each known pixel of a `state`, MAX_NAMED at most; `table` is that of `check_table`."""
    types = {
        (y, x): int(bits) for y, x, bits in zip(checked.known.y, checked.known.x, checked.known.types, strict=True)
    }
    rows = table[table["state"] == state].head(MAX_NAMED).to_dict("records")
    return [_text(row, types[row["y"], row["x"]], evidence) for row in rows]


def _text(row: Mapping[str, Any], types: int, evidence: Evidence) -> str:
    """The sentence of a pixel: position, what it is known as, strengths, votes, and what could not be classified."""
    own = [name for name, bit in BIT_OF.items() if types & int(bit) and name in evidence.tests]
    tests = dict.fromkeys(test for name in own or evidence.tests for test in evidence.tests[name])
    # A test without counts in the evidence has no columns.
    counts = {test: (row[f"{test}_k"], row[f"{test}_n"]) for test in tests if f"{test}_k" in row}
    votes = [f"{test} {k} of {n}" for test, (k, n) in counts.items() if not pd.isna(k) and (own or k > 0)]
    parts = [text.format(row[name]) for name, text in SHOWN.items() if np.isfinite(row[name])]
    parts.append(f"votes: {', '.join(votes) or 'none is positive'}")
    if row["insufficient"]:
        parts.append(f"INSUFFICIENT: {row['insufficient'].replace('+', ', ')}")
        if _is_unlit(row, evidence):
            parts[-1] += " (not lit, or at the edge of the light)"
    if row["intermittent"]:
        parts.append(f"intermittent: {row['intermittent'].replace('+', ', ')}")
    if not pd.isna(row["source_x"]):
        parts.append(f"attributed to ({row['source_x']}, {row['source_y']})")
    known = f", known as {row['known_as']}" if row["known_as"] else ""
    return f"({row['x']}, {row['y']}){known}: {'; '.join(parts)}"


def _is_unlit(row: Mapping[str, Any], evidence: Evidence) -> bool:
    """True if a pixel has a response, but no type of the flats could be classified; of lamp flats only."""
    flat_types = {name for name in evidence.bit_of if PIXEL_TYPES[name].kind == FLAT}
    unclassified = flat_types <= set(row["insufficient"].split("+"))
    return bool(flat_types) and unclassified and np.isfinite(row["response"]) and "NCOVERED" not in evidence.measured


def numbers_of(checked: Checked, table: pd.DataFrame, evidence: Evidence, notes: Sequence[str]) -> dict[str, Any]:
    """The numbers of a check, JSON values: counts, the source, notes, and sentences on lost and unclassified pixels."""
    return {
        "source": checked.known.source,
        **checked.counts(),
        "notes": list(notes),
        "lost_pixels": pixel_texts(checked, table, evidence, LOST),
        "insufficient_pixels": pixel_texts(checked, table, evidence, INSUFFICIENT),
    }
