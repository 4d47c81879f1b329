"""The tables beside a mask: counts (summary.csv), and the rejected exposures (rejected_exposures.csv)."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from badpix.core.files import write_text


def write_summary(path: str | Path, table: pd.DataFrame) -> None:
    """Write the counts per type and per DQ flag (`badpix.mask.summary.summary_table`)."""
    write_text(path, table.to_csv(index=False))


def read_summary(path: str | Path) -> pd.DataFrame:
    """The counts per type and per DQ flag."""
    return pd.read_csv(path)


def write_rejected_exposures(path: str | Path, rejected: Mapping[str, str]) -> None:
    """Write the rejected inputs, each with its reason."""
    table = pd.DataFrame(sorted(rejected.items()), columns=["input", "reason"])
    write_text(path, table.to_csv(index=False))


def read_rejected_exposures(path: str | Path) -> dict[str, str]:
    """Rejected input -> reason."""
    table = pd.read_csv(path, dtype=str).fillna("")
    return dict(zip(table["input"], table["reason"], strict=True))
