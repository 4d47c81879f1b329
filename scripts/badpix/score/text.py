"""The tables of the score as aligned text, with several runs side by side."""

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter

import pandas as pd

from badpix.score.tables import ALL

FORMATS = {
    "completeness": "{:.3f}", "purity": "{:.3f}", "strong_completeness": "{:.3f}", "low": "{:.3f}", "high": "{:.3f}",
    "strong_low": "{:.3f}", "strong_high": "{:.3f}", "ring_share": "{:.3f}", "per_million": "{:.1f}",
    "limit": "{:.4g}", "weakest": "{:.4g}", "strongest": "{:.4g}",
}  # fmt: skip
FALSE_KINDS = 3  # printed kinds of false pixels, if several runs share a line
Columns = dict[str, Callable[[pd.DataFrame], pd.Series]]  # title -> function of the rows of a run


def table_text(table: pd.DataFrame, formats: dict[str, str] | None = None) -> str:
    """A table with texts left-aligned, numbers right-aligned, and blanks for missing values.

    A line break in a column name separates the run from the title; runs are in an extra line above the titles.
    """
    formats = FORMATS | (formats or {})
    columns: list[list[str]] = []
    above = ""
    for name in table:
        cells = ["" if pd.isna(value) else formats.get(name, "{}").format(value) for value in table[name]]
        run, _, title = str(name).rpartition("\n")
        width = max(map(len, [run, title, *cells]))
        numeric = pd.api.types.is_numeric_dtype(table[name])
        align: Callable[[str, int], str] = str.rjust if numeric else str.ljust
        repeated = columns and run == above
        columns.append([("" if repeated else run).ljust(width), *(align(cell, width) for cell in (title, *cells))])
        above = run
    lines = ["  ".join(row).rstrip() for row in zip(*columns, strict=True)]
    return "\n".join(lines if lines[0] else lines[1:])


def with_interval(
    table: pd.DataFrame, column: str, form: str = "{:.3f}", ends: Sequence[str] = ("low", "high")
) -> pd.Series:
    """Column `column` as text with its interval, "0.950 [0.863, 0.983]"; empty for NaN."""
    texts = []
    for value, low, high in table[[column, *ends]].astype(float).itertuples(index=False):
        interval = f"{form.format(value)} [{form.format(low)}, {form.format(high)}]"
        texts.append("" if pd.isna(value) else interval)
    # Align the opening brackets.
    width = max(text.find(" ") for text in ["", *texts])
    return pd.Series([" " * (width - text.find(" ")) + text if text else "" for text in texts], table.index, object)


def side_by_side(table: pd.DataFrame, keys: list[str], columns: Columns) -> pd.DataFrame:
    """A row per `keys`, with the `columns` of each run.

    Rows keep the order of their first appearance. With several runs, the label and a line break are put before the
    names of the columns.
    """
    labels = list(table["run"].unique())
    result = table[keys].drop_duplicates().reset_index(drop=True)
    for label in labels:
        rows = table[table["run"] == label]
        named = {name if len(labels) == 1 else f"{label}\n{name}": make(rows) for name, make in columns.items()}
        result = result.merge(rows[keys].assign(**named), on=keys, how="left")
    return result


def report(tables: dict[str, pd.DataFrame]) -> str:
    """The tables of `badpix.score.report_tables.score_tables` as aligned text.

    Completeness, purity with the false pixels, healthy pixels, and the remaining tables; tables without rows or pixels
    are left out.
    """
    purity = tables["purity"].assign(purity_text=with_interval(tables["purity"], "purity"))
    of_detection = {(row.run, row.detection): row.purity for row in purity.itertuples()}
    completeness = tables["completeness"]
    # A planted type with several accepted types has no single purity.
    completeness = completeness.assign(
        purity=[of_detection.get((row.run, row.expected)) for row in completeness.itertuples()]
    ).astype({"purity": float})
    single = completeness["run"].nunique() == 1
    columns: Columns = {
        "found": lambda rows: rows["found"].astype("Int64"),
        "completeness [95%]": lambda rows: with_interval(rows, "completeness"),
        "purity": lambda rows: rows["purity"],
    }
    if "limit" in completeness:
        ends = ("strong_low", "strong_high")
        columns["of strong [95%]"] = lambda rows: with_interval(rows, "strong_completeness", ends=ends)
    if not single:
        del columns["found"]
    rest = ("found_any", "flagged", "do_not_use", "insufficient") if single else ("flagged",)
    columns |= {name: itemgetter(name) for name in rest}
    formats = {f"{label}\npurity": "{:.3f}" for label in completeness["run"].unique()}
    parts = [table_text(side_by_side(completeness, ["type", "planted", "expected"], columns), formats)]

    most = None if single else FALSE_KINDS
    columns = {
        "found": lambda rows: rows["found"].astype("Int64"),
        "purity [95%]": lambda rows: rows["purity_text"],
        "false": lambda rows: rows["false"].str.split(", ").str[:most].str.join(", "),
    }
    parts.append(table_text(side_by_side(purity, ["detection"], columns)))
    parts.append(healthy_text(tables["healthy"], ["type"], "healthy_flagged"))
    parts += other_texts(tables)
    return "\n\n".join(parts)


def healthy_text(table: pd.DataFrame, keys: list[str], count: str) -> str:
    """Counts of healthy pixels and their number per million with its interval, runs side by side."""
    columns: Columns = {
        count: lambda rows: rows[count].astype("Int64"),
        "per million [95%]": lambda rows: with_interval(rows, "per_million", "{:.0f}"),
    }
    if table["run"].nunique() == 1:
        columns = {count: columns[count], "healthy": lambda rows: rows["healthy"], **columns}
    return table_text(side_by_side(table, keys, columns))


def other_texts(tables: dict[str, pd.DataFrame]) -> list[str]:
    """Border, groups, intermittent, unlit, halo and dont-care pixels and thresholds, as far as there are any.

    Intermittent pixels are listed by type, or, if the number of bad exposures varies, by this number for all types.
    """
    texts = [healthy_text(tables["border"], ["band"], "flagged")]
    groups = tables["groups"]
    if groups["group"].nunique() > 1:
        columns: Columns = {
            "completeness [95%]": lambda rows: with_interval(rows, "completeness"),
            "ring": lambda rows: rows["ring"].astype("Int64"),
            "flagged": lambda rows: rows["ring_flagged"].astype("Int64"),
        }
        texts.append(table_text(side_by_side(groups, ["group", "planted"], columns)))
    for name, keys, counts in (
        ("intermittent", ["type", "bad_in", "planted"], ("permanent", "intermittent", "insufficient")),
        ("unlit", ["type", "unlit"], ("found", "insufficient")),
        ("halos", ["area", "pixels"], ("attributed", "other_type", "do_not_use")),
        ("dont_care", ["pixels"], ("found_any", "flagged", "do_not_use")),
    ):
        table = tables[name]
        if name == "intermittent" and table["bad_in"].nunique() > 1:
            table = table[table["type"] == ALL]
        number = {"unlit": "unlit", "halos": "pixels", "dont_care": "pixels"}.get(name)
        if table.empty or (number and not table[number].any()):
            continue
        wide = side_by_side(
            table.astype(dict.fromkeys(counts, "Int64")), keys, {key: itemgetter(key) for key in counts}
        )
        texts.append(table_text(wide.rename(columns={"pixels": "dont-care pixels"} if name == "dont_care" else {})))
    thresholds = tables["thresholds"]
    if len(thresholds):
        columns = {f"{level}% found at": partial(threshold_text, level=level) for level in (50, 90)}
        texts.append(table_text(side_by_side(thresholds, ["type", "unit", "weakest", "strongest"], columns)))
    return texts


def threshold_text(rows: pd.DataFrame, level: int) -> pd.Series:
    """The strength where `level` percent are found: "61.2", "< 35" (limit: the weakest strength), or "not reached"."""
    texts = []
    for row in rows.to_dict("records"):
        value = row[f"strength_{level}"]
        side = ("< " if row["stronger"] > 0 else "> ") if row[f"at_weakest_{level}"] else ""
        texts.append("not reached" if pd.isna(value) else f"{side}{strength_text(value)}")
    return pd.Series(texts, index=rows.index, dtype=object)


def strength_text(value: float) -> str:
    """A number to three digits, below a million without exponent."""
    return f"{float(f'{value:.3g}'):.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"
