"""The tables beside a mask: counts (summary.csv), rejected exposures (rejected_exposures.csv), inputs (inputs.csv)."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from badpix.core.csv_table import TableError, read_csv, write_csv
from badpix.formats.provenance import InputFile

REJECTED = "rejected_exposures.csv"
SUMMARY = "summary.csv"


def write_summary(path: str | Path, table: pd.DataFrame) -> None:
    """Write the counts per type and per DQ flag, and the unlit area (`badpix.mask.summary.summary_table`)."""
    write_csv(path, table)


def read_summary(path: str | Path) -> pd.DataFrame:
    """The counts per type and per DQ flag. TableError if it is damaged.

    Columns kind, name, n_pixels, fraction, n_insufficient and fraction_insufficient; the last two are NaN for flags.
    """
    columns = {"kind": str, "name": str, "n_pixels": int, "fraction": float}
    return read_csv(path, columns, dict.fromkeys(("n_insufficient", "fraction_insufficient"), float))


def write_rejected_exposures(path: str | Path, rejected: Mapping[str, str]) -> None:
    """Write the rejected inputs, each with its reason."""
    table = pd.DataFrame(sorted(rejected.items()), columns=["input", "reason"])
    write_csv(path, table)


def write_inputs(path: str | Path, inputs: Sequence[tuple[str, str, InputFile]]) -> None:
    """Write a row per input file: (kind, exposure or segment, InputFile)."""
    columns = ("kind", "exposure", "product", "file", "bytes", "sha256", "cal_ver", "crds_context", "references")
    rows = [
        (
            kind,
            exposure,
            file.product,
            file.name,
            file.n_bytes,
            file.digest,
            file.cal_ver,
            file.crds_context,
            " ".join(f"{key}={name}" for key, name in sorted(file.references.items())),
        )
        for kind, exposure, file in inputs
    ]
    write_csv(path, pd.DataFrame(rows, columns=columns))


def surviving_table(path: str | Path) -> Path:
    """The table of rejected exposures of a vote that failed.

    Snakemake deletes `path` with all outputs of a failed job, so the table waits among the logs of the mask until
    `restore_rejected_exposures`.
    """
    return Path(path).parent / "logs" / Path(path).name


def restore_rejected_exposures(folder: str | Path, by_header: Mapping[str, str]) -> None:
    """Write the table of a mask that was not made into its `folder`, from what a failed job left behind.

    `by_header` maps the exposures that their headers reject to the reasons. A table of an earlier mask stays if no job
    left a newer table.
    """
    path = Path(folder) / REJECTED
    left = surviving_table(path)
    if left.exists():
        with suppress(TableError):
            by_header = {**by_header, **read_rejected_exposures(left)}
        write_rejected_exposures(path, by_header)
        left.unlink()
    elif by_header and not path.exists():
        write_rejected_exposures(path, by_header)


def read_rejected_exposures(path: str | Path) -> dict[str, str]:
    """Rejected input -> reason. TableError if the table is damaged."""
    table = read_csv(path, {"input": str, "reason": str})
    return dict(zip(table["input"], table["reason"], strict=True))
