"""Draw a sweep: counts per type against the thresholds and, with a truth, completeness and purity."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from badpix.config.sweep import ONE_AT_A_TIME, Sweep
from badpix.core.files import atomic_path
from badpix.core.wording import figure_text
from badpix.formats.markers import PLAIN, Marker
from badpix.formats.pixel_types import PIXEL_TYPES

matplotlib.use("Agg")

DASHES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))  # of lines of the same type
LOG_SPAN = 20  # ratio of largest to smallest value above which their axis is logarithmic
# A row of panels: axis title, kind of the table's rows, column, and columns of its interval.
ROWS = (
    ("pixels found", "type", "n_pixels", None),
    ("completeness", "planted", "completeness", ("completeness_low", "completeness_high")),
    ("purity", "type", "purity", ("purity_low", "purity_high")),
)


def plot_sweep(path: str | Path, table: pd.DataFrame, sweep: Sweep, title: str) -> None:
    """Write the figure of a Sweep; `table` is the table of `sweep_table`."""
    configured = sweep.configured
    rows = [row for row in ROWS if table[row[2]].notna().any()]
    panels = _one_at_a_time(table, configured) if sweep.grid == ONE_AT_A_TIME else _product(table, configured)
    size = (4.6 * len(panels) + 2, 3.2 * len(rows) + 0.6)
    figure, axes = plt.subplots(len(rows), len(panels), figsize=size, layout="constrained", squeeze=False)
    styles = line_styles(pd.concat([part for _, part in panels]))
    for line, row in zip(axes, rows, strict=True):
        for ax, (key, part) in zip(line, panels, strict=True):
            draw_panel(ax, key, part, configured[key], row, styles[row[1]])
        line[0].set_ylabel(row[0])
        handles = {h.get_label(): h for ax in line for h in ax.get_lines() if h.get_label()[0] != "_"}
        legend = line[-1].legend(
            handles.values(), handles.keys(), loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8, frameon=False
        )
        for handle in legend.legend_handles:
            handle.set_alpha(1)
    figure.suptitle(f"{figure_text(title)}: sweep of thresholds (dotted: configured value; pale: does not change)")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)


def _one_at_a_time(table: pd.DataFrame, configured: Mapping[str, Any]) -> list[tuple[str, pd.DataFrame]]:
    """A panel per key: (key, rows of the table with a column `at`, the value of the key)."""
    return [(key, table[table["swept"] == key].assign(at=table["value"])) for key in configured]


def _product(table: pd.DataFrame, configured: Mapping[str, Any]) -> list[tuple[str, pd.DataFrame]]:
    """A panel for the first key, with a line per type and combination of the remaining keys."""
    key, *others = configured
    part = table.assign(at=table[f"at_{key}"])
    for other in others:
        part["name"] = part["name"] + ", " + part[f"at_{other}"].map(lambda value, k=other: f"{k} {value}")
    return [(key, part)]


def positions(values: Iterable[str]) -> tuple[dict[str, float], bool]:
    """Positions on an axis (text of a value -> position), and whether the values are numbers.

    Numbers are at their values, anything else at 0, 1, 2, ... in order.
    """
    try:
        numbers = {text: json.loads(text) for text in values}
    except ValueError:
        numbers = {}
    if numbers and all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers.values()):
        return numbers, True
    return {text: position for position, text in enumerate(dict.fromkeys(values))}, False


def line_styles(table: pd.DataFrame) -> dict[str, dict[str, dict[str, Any]]]:
    """Kind of a row (type, planted) -> name of a line -> keyword arguments of matplotlib's `plot`.

    A line has colour and marker of its type; a planted type those of the first type under which it counts as found.
    Lines of the same type differ in their dashes.
    """
    styles: dict[str, dict[str, dict[str, Any]]] = {}
    for kind in table["kind"].unique():
        lines = table[table["kind"] == kind].drop_duplicates("name")
        dashes: dict[Marker, int] = {}
        for name, expected in zip(lines["name"], lines["expected"], strict=True):
            # With several keys, the name of a line continues with their values.
            of_type = str(expected).split("|")[0] if kind == "planted" else name.split(", ")[0]
            marker = PIXEL_TYPES[of_type].marker if of_type in PIXEL_TYPES else PLAIN
            number = dashes[marker] = dashes.get(marker, -1) + 1
            style = marker.matplotlib | {"linestyle": DASHES[number % len(DASHES)]}
            styles.setdefault(kind, {})[name] = style
    return styles


def draw_panel(
    axes: Axes,
    key: str,
    part: pd.DataFrame,
    configured: object,
    row: tuple[str, str, str, tuple[str, str] | None],
    styles: Mapping[str, dict[str, Any]],
) -> None:
    """Draw a panel with a line per name; a line that does not change is pale.

    Parameters
    ----------
    axes : Axes
        The panel.
    key : str
        Key of the configuration on the x axis.
    part : DataFrame
        Rows of the table, with a column `at`.
    configured : object
        Configured value of the key.
    row : tuple
        An entry of ROWS.
    styles : mapping
        Name of a line -> keyword arguments of `plot`.
    """
    _, kind, column, ends = row
    part = part[(part["kind"] == kind) & part[column].notna()]
    at, numeric = positions(part["at"])
    part = part.assign(x=part["at"].map(at)).sort_values("x", kind="stable")
    for name, line in part.groupby("name", sort=False):
        y = line[column].astype(float)
        changes = y.nunique() > 1
        style: dict[str, Any] = styles[str(name)] | {"markersize": 6, "zorder": 3}
        if not changes:  # behind the lines that change
            style |= {"alpha": 0.25, "markersize": 4, "zorder": 1}
        axes.plot(line["x"], y, linewidth=1.2, label=figure_text(name), **style)
        if ends and changes:
            low, high = (line[end].astype(float) for end in ends)
            axes.fill_between(line["x"].astype(float), low, high, color=style["color"], alpha=0.12, linewidth=0)
    if numeric:
        ticks = np.array(sorted(at.values()), float)
        if len(ticks) and ticks.min() > 0 and ticks.max() / ticks.min() > LOG_SPAN:
            axes.set_xscale("log")
        if isinstance(configured, (int, float)) and not isinstance(configured, bool):
            axes.axvline(configured, color="0.35", linewidth=1, linestyle=(0, (1, 2)), zorder=0)
    else:
        axes.set_xticks(list(at.values()), list(at), rotation=20)
    if column == "n_pixels":
        axes.set_yscale("symlog", linthresh=1)
        axes.set_ylim(0, 1.5 * max(1, part[column].max()))
    else:
        axes.set_ylim(-0.04, 1.04)
    axes.set_xlabel(key)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="0.92", linewidth=0.8)
