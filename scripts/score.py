"""Score bad pixel masks of simulated data against their truth: completeness, purity, healthy pixels flagged.

Reads truth.fits of simulate.py, an evidence file (images FOUND, INSUFFICIENT, uint32; table TYPES with BIT, TYPE) and
the mask; prints the tables.

One mask:      score.py --truth T --evidence E --mask M [--csv FILE]      FILE gets the completeness table
Several runs:  score.py --truth T --run first=results/A --run second=results/B [--csv DIRECTORY] [--plot FILE.png]
Several simulations pooled: as many --truth as each label has --run, in the same order.
--overview prints a table of all runs on a page in place of all tables; with --csv, these are in DIRECTORY/score.txt.
"""

import argparse
from pathlib import Path

import pandas as pd

from badpix.core.csv_table import write_csv
from badpix.formats.truth_file import read_truth
from badpix.score.files import ScoredFiles, read_findings
from badpix.score.overview import overview
from badpix.score.pixels import score_run
from badpix.score.report_tables import flag_counts, score_tables, unknown_expectations
from badpix.score.run import flags_of_runs, masks_text, score_directories, write_tables
from badpix.score.text import report, table_text


def main(
    files: ScoredFiles,
    csv: str | Path | None = None,
    plot: str | Path | None = None,
    accepted: dict[str, set[str]] | None = None,
    limits: dict[str, float | str] | None = None,
    short: bool = False,
) -> dict[str, pd.DataFrame]:
    """Print the score of `files`, summed over all truths, and write its tables and its figure.

    Parameters
    ----------
    files : ScoredFiles
        Truths, and an evidence file with its mask, or directories of runs.
    csv : path, optional
        File of the completeness table (evidence), or directory of all tables (runs).
    plot : path, optional
        File of the strength curves (PNG).
    accepted : dict, optional
        Planted type -> detection types that count as found.
    limits : dict, optional
        Planted type -> strength or condition for a separate score.
    short : bool
        Print the overview of the runs in place of all tables, which are in score.txt in the directory `csv`.

    Returns
    -------
    dict
        The tables of `badpix.score.report_tables.score_tables`.

    Raises
    ------
    ValueError
        The arguments contradict each other.
    """
    if files.runs and csv and Path(csv).is_file():
        raise ValueError(f"--csv {csv}: with --run it is a directory, for a file per table")
    if short and files.evidence:
        raise ValueError("--overview needs --run")
    if files.evidence:
        findings = read_findings(files.evidence, files.masks[0])
        scores = {"": score_run(read_truth(files.truths[0]), findings)}
        head = f"mask: {files.masks[0]}\n{table_text(flag_counts(findings.dq))}\n"
    else:
        scores = score_directories(files)
        head = f"{masks_text(files)}\n"
    tables = score_tables(scores, accepted, limits)
    for label, score in scores.items():
        if missing := unknown_expectations(score):
            head += f"\n{label or files.evidence}: lacks the detection types {', '.join(missing)}\n"
    text = f"{head}\n{report(tables)}\n"
    if csv and files.evidence:
        write_csv(csv, tables["completeness"].drop(columns="run"))
    elif csv:
        write_tables(csv, tables)
    if short and csv:
        (Path(csv) / "score.txt").write_text(f"{text}\n", encoding="utf-8")
    labels = [label for label, _ in files.runs]
    print(overview(tables, list(zip(labels, flags_of_runs(files), strict=True))) if short else text)
    if plot:
        from badpix.score.plots import plot_curves

        plot_curves(plot, tables["curves"], tables["thresholds"], limits)
    return tables


def pair(text: str) -> tuple[str, str]:
    """KEY and VALUE of KEY=VALUE."""
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def limit(text: str) -> tuple[str, float | str]:
    """TYPE=STRENGTH or TYPE=CONDITION as a name and a number or text."""
    name, value = pair(text)
    try:
        return name, float(value)
    except ValueError:
        if "strength" not in value and "second" not in value:
            raise argparse.ArgumentTypeError(
                f"{text!r}: {value!r} is neither a number nor a condition on strength and second"
            ) from None
        return name, value


def accept(text: str) -> tuple[str, set[str]]:
    """TYPE=DETECTION,DETECTION as a name and a set."""
    name, value = pair(text)
    return name, {part.strip() for part in value.split(",") if part.strip()}


def parse_arguments(arguments: list[str] | None = None) -> dict:
    """Command line of this script as the arguments of `main`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", required=True, action="append", help="truth.fits of the simulation; repeat to pool")
    parser.add_argument("--evidence", help="evidence file of a vote")
    parser.add_argument("--mask", action="append", help="the bad pixel mask; with --run, a mask for each run")
    parser.add_argument("--run", type=pair, action="append", default=[], metavar="LABEL=DIRECTORY",
                        help="a directory with evidence.fits and a mask *_bpm.fits; repeat to compare")  # fmt: skip
    parser.add_argument("--csv", help="file of the completeness table; with --run, directory of all tables")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the strength curves")
    parser.add_argument("--accept", type=accept, action="append", default=[], metavar="PLANTED=TYPE,TYPE",
                        help="detection types that count as found for a planted type")  # fmt: skip
    parser.add_argument("--limit", type=limit, action="append", default=[], metavar="PLANTED=LIMIT",
                        help="a strength, or a condition such as 'strength >= 100 and second >= 0.1': "
                             "score the pixels at or above the limit separately, too")  # fmt: skip
    parser.add_argument("--overview", action="store_true", help="print an overview of the runs, not all tables")
    given = parser.parse_args(arguments)
    files = ScoredFiles(given.truth, given.evidence, given.mask or (), given.run)
    accepted, limits = dict(given.accept), dict(given.limit)
    return {"files": files, "csv": given.csv, "plot": given.plot, "accepted": accepted, "limits": limits,
            "short": given.overview}  # fmt: skip


if __name__ == "__main__":
    try:
        main(**parse_arguments())
    except ValueError as error:
        raise SystemExit(f"score.py: {error}") from None
