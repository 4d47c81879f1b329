"""The score of several runs against their truths, pooled by label."""

from pathlib import Path

import pandas as pd

from badpix.core.csv_table import write_csv
from badpix.formats.evidence_file import FILE_NAME as EVIDENCE
from badpix.formats.truth_file import Truth, read_truth
from badpix.score.files import ScoredFiles, mask_of, read_findings
from badpix.score.pixels import Score, pool, score_run
from badpix.score.report_tables import flag_counts


def score_directories(files: ScoredFiles) -> dict[str, Score]:
    """The Score of each label of the runs, pooled over the truths. Prints the masks with their flags."""
    truths = files.truths
    read: dict[str, Truth] = {str(path): read_truth(path) for path in truths}
    parts: dict[str, list[Score]] = {}
    for number, (label, directory) in enumerate(files.runs):
        of_label = parts.setdefault(label, [])
        mask = files.masks[number] if files.masks else mask_of(directory)
        if len(of_label) < len(truths):
            truth = read[str(truths[len(of_label)])]
            findings = read_findings(Path(directory) / EVIDENCE, mask)
            of_label.append(score_run(truth, findings))
        else:
            raise ValueError(f"--run {label}: more runs than truths ({len(truths)})")
        flags = ", ".join(f"{row.flag} {row.pixels}" for row in flag_counts(findings.dq).itertuples())
        print(f"{label}: {mask}\n    {flags}")  # noqa: T201 - only scripts/score.py calls this, and prints
    for label, of_label in parts.items():
        if len(of_label) != len(truths):
            raise ValueError(f"--run {label}: {len(of_label)} for {len(truths)} truths; each label needs one for each")
    print()  # noqa: T201
    return {label: pool(of_label) for label, of_label in parts.items()}


def write_tables(directory: str | Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write each table as <name>.csv."""
    Path(directory).mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_csv(Path(directory) / f"{name}.csv", table)
