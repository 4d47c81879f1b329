"""The score of several runs against their truths, pooled by label."""

from pathlib import Path

import pandas as pd

from badpix.core.csv_table import write_csv
from badpix.formats.evidence_file import FILE_NAME as EVIDENCE
from badpix.formats.mask_file import read_mask
from badpix.formats.truth_file import Truth, read_truth
from badpix.score.files import ScoredFiles, read_findings
from badpix.score.pixels import Score, pool, score_run
from badpix.score.report_tables import flag_counts


def score_directories(files: ScoredFiles) -> dict[str, Score]:
    """The Score of each label of the runs, pooled over the truths."""
    truths = files.truths
    read: dict[str, Truth] = {str(path): read_truth(path) for path in truths}
    parts: dict[str, list[Score]] = {}
    for (label, directory), mask in zip(files.runs, files.masks_of_runs(), strict=True):
        of_label = parts.setdefault(label, [])
        if len(of_label) < len(truths):
            truth = read[str(truths[len(of_label)])]
            findings = read_findings(Path(directory) / EVIDENCE, mask)
            of_label.append(score_run(truth, findings))
        else:
            raise ValueError(f"--run {label}: more runs than truths ({len(truths)})")
    for label, of_label in parts.items():
        if len(of_label) != len(truths):
            raise ValueError(f"--run {label}: {len(of_label)} for {len(truths)} truths; each label needs one for each")
    return {label: pool(of_label) for label, of_label in parts.items()}


def flags_of_runs(files: ScoredFiles) -> list[pd.DataFrame]:
    """The flags of the mask of each run: columns flag, pixels (`flag_counts`)."""
    return [flag_counts(read_mask(mask)) for mask in files.masks_of_runs()]


def masks_text(files: ScoredFiles) -> str:
    """Two lines for each run: its label with the path of the mask, and the flags of the mask."""
    lines = []
    for (label, _), mask, flags in zip(files.runs, files.masks_of_runs(), flags_of_runs(files), strict=True):
        counts = ", ".join(f"{row.flag} {row.pixels}" for row in flags.itertuples())
        lines += [f"{label}: {mask}", f"    {counts}"]
    return "\n".join(lines)


def write_tables(directory: str | Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write each table as <name>.csv."""
    Path(directory).mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_csv(Path(directory) / f"{name}.csv", table)
