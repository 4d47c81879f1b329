"""The overview of the score: what the mask of each run has, and what of it is right, in a table for a terminal."""

from collections.abc import Sequence

import pandas as pd

from badpix.instrument.dq import PIXEL_FLAGS

HEALTHY_ROWS = {"any flag in the mask": "with any flag", "DO_NOT_USE in the mask": "with DO_NOT_USE"}
NOT_SHOWN = ("REFERENCE_PIXEL",)  # as in every mask
COLUMNS = ("pixels", "completeness", "purity")
WIDTHS = (8, 14, 8)  # of COLUMNS
FIRST = 18  # width of the names


def overview(tables: dict[str, pd.DataFrame], flags: Sequence[tuple[str, pd.DataFrame]]) -> str:
    """The runs side by side: types, flags, and healthy pixels in error; then the errors of each run in words.

    Parameters
    ----------
    tables : dict
        The tables of `badpix.score.report_tables.score_tables`.
    flags : sequence of (str, DataFrame)
        For each run its label and the flags of its mask (`badpix.score.report_tables.flag_counts`); runs with the same
        label are added.

    Returns
    -------
    str
        Lines of at most 90 characters for two runs, except for the errors in words.
    """
    labels = list(tables["completeness"]["run"].unique())
    planted = planted_by_detection(tables["completeness"])
    found = {(row.run, row.detection): row for row in tables["purity"].itertuples()}
    counts = pd.concat([table.assign(run=label) for label, table in flags]).groupby(["flag", "run"])["pixels"].sum()
    healthy = tables["healthy"].set_index(["type", "run"])

    lines = [_line("", "", [[label, "", ""] for label in labels])]
    lines.append(_line("type", "planted", [COLUMNS for _ in labels]))
    for detection in dict.fromkeys(tables["purity"]["detection"]):
        number = int(planted.loc[detection, "planted"].max()) if detection in planted.index else 0
        cells = [_of_type(found.get((label, detection)), planted, label) for label in labels]
        if number or any(cell[0] not in ("", "0") for cell in cells):
            lines.append(_line(detection, str(number), cells))
    lines += ["", _line("flag of the mask", "", [COLUMNS[:1] for _ in labels])]
    names = [name for name in PIXEL_FLAGS if name in counts.index.get_level_values("flag") and name not in NOT_SHOWN]
    lines += [_line(name, "", [[str(int(counts.get((name, label), 0)))] for label in labels]) for name in names]
    n_healthy = str(int(healthy["healthy"].max()))
    lines += ["", _line("healthy pixels", n_healthy, [COLUMNS[:1] for _ in labels])]
    for row, name in HEALTHY_ROWS.items():
        cells = [[str(int(healthy.loc[(row, label), "healthy_flagged"]))] for label in labels]
        lines.append(_line(f"  {name}", "", cells))
    return "\n".join([*lines, "", *(errors_text(tables, label) for label in labels)])


def planted_by_detection(completeness: pd.DataFrame) -> pd.DataFrame:
    """Planted pixels and pixels found by (first) expected detection type and run: columns planted, found."""
    wanted = completeness[completeness["expected"] != ""]
    wanted = wanted.assign(expected=wanted["expected"].str.split("|").str[0])
    return wanted.groupby(["expected", "run"])[["planted", "found"]].sum()


def errors_text(tables: dict[str, pd.DataFrame], label: str) -> str:
    """The planted pixels that the run `label` misses, and its false pixels, in a line for each."""
    rows = tables["completeness"][lambda table: (table["run"] == label) & (table["expected"] != "")]
    missed = [f"{row.planted - row.found} of {row.planted} {row.type}" for row in rows.itertuples()
              if row.found < row.planted]  # fmt: skip
    rows = tables["purity"][lambda table: (table["run"] == label) & (table["false"].fillna("") != "")]
    false = [f"  {label}, found as {row.detection} in error: {row.false}" for row in rows.itertuples()]
    return "\n".join([f"  {label}, missed: {', '.join(missed) or 'none'}", *false])


def _of_type(found, planted: pd.DataFrame, label: str) -> list[str]:
    """Pixels, completeness and purity of a detection type in a run; blank if the run does not have the type."""
    if found is None:
        return ["", "", ""]
    key = (found.detection, label)
    completeness = f"{planted.loc[key, 'found'] / planted.loc[key, 'planted']:.3f}" if key in planted.index else ""
    return [str(found.found), completeness, "" if pd.isna(found.purity) else f"{found.purity:.3f}"]


def _line(name: str, number: str, runs: Sequence[Sequence[str]]) -> str:
    """A line of the table: name, number, and the cells of each run, right-aligned."""
    parts = [name.ljust(FIRST), number.rjust(8)]
    for cells in runs:
        filled = [*cells, *[""] * (len(WIDTHS) - len(cells))]
        parts += ["  ", *(cell.rjust(width) for cell, width in zip(filled, WIDTHS, strict=True))]
    return "".join(parts).rstrip()
