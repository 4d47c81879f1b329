"""Draw the strength curves of the score: found share of the planted pixels against their strength."""

import math
import re
from collections.abc import Mapping
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

from badpix.core.files import atomic_path
from badpix.core.wording import figure_text
from badpix.score.text import strength_text

matplotlib.use("Agg")

# Distinguishable without colour: by brightness, marker and line style.
STYLES = (
    {"color": "#12355b", "marker": "o", "linestyle": "-"},
    {"color": "#e07a1f", "marker": "s", "linestyle": "--"},
    {"color": "#3f8f5b", "marker": "^", "linestyle": "-."},
    {"color": "#a13d7d", "marker": "D", "linestyle": ":"},
    {"color": "#6d6d6d", "marker": "v", "linestyle": (0, (5, 1, 1, 1, 1, 1))},
)
LOG_SPAN = 20  # ratio of strengths above which the axis is logarithmic
MANY_DECADES = 300  # ratio above which only powers of ten are labelled
ZERO_STEP = 2  # strength 0 is drawn at the smallest positive value divided by this
LEVELS = (50, 90)  # percent
PANELS_ACROSS = 3
PANEL_SIZE = (4.4, 3.3)  # inches


def plot_curves(
    path: str | Path,
    curves: pd.DataFrame,
    thresholds: pd.DataFrame,
    limits: Mapping[str, float | str] | None = None,
    label: str = "found in its own type",
) -> None:
    """Write a figure with a panel per planted type and a line per run, with the band of its 95% intervals.

    `curves` and `thresholds` are tables of `badpix.score.report_tables.score_tables`; `limits` (type -> strength, or a
    condition on it) are drawn as dotted lines; `label` is the label of the shares. Large open markers are at the
    strengths where 50% and 90% are found. Stronger pixels are on the right in all panels. ValueError if there are no
    curves.
    """
    if curves.empty:
        raise ValueError(f"{path}: no strength curves to draw, no planted type has strengths and an expected type")
    names, runs = list(curves["type"].unique()), list(curves["run"].unique())
    styles = {run: STYLES[number % len(STYLES)] for number, run in enumerate(runs)}
    across = min(PANELS_ACROSS, len(names))
    down = math.ceil(len(names) / across)
    size = (PANEL_SIZE[0] * across, PANEL_SIZE[1] * down + 0.5)
    figure, panels = plt.subplots(down, across, figsize=size, layout="constrained", squeeze=False, sharey=True)
    for axes, name in zip(panels.flat, names, strict=False):
        draw_panel(axes, name, curves[curves["type"] == name], thresholds[thresholds["type"] == name], styles)
        strength = limit_strength((limits or {}).get(name))
        if strength is not None:
            axes.axvline(strength, color="0.35", linewidth=1, linestyle=(0, (1, 2)), zorder=1)
    for axes in panels.flat[len(names) :]:
        axes.axis("off")
    for row in panels:
        row[0].set_ylabel(label)
    draw_legend(figure, styles, bool(limits))
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130)
    plt.close(figure)


def draw_panel(axes: Axes, name: str, curves: pd.DataFrame, thresholds: pd.DataFrame, styles: dict[str, dict]) -> None:
    """Draw the curves of a planted type.

    Parameters
    ----------
    axes
        The panel of the type.
    name : str
        The planted type.
    curves, thresholds : DataFrame
        Rows of the type in the tables of `badpix.score.report_tables.score_tables`.
    styles : dict
        Run -> keyword arguments of its lines.
    """
    for level in LEVELS:
        axes.axhline(level / 100, color="0.85", linewidth=0.8, zorder=0)
    ends = curves[["strength_low", "strength", "strength_high"]].to_numpy()
    smallest = ends[ends > 0].min(initial=np.inf)
    span = ends.max() / smallest
    logarithmic = ends.min() >= 0 and span > LOG_SPAN
    with_zero = logarithmic and (curves["strength"] == 0).any()
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if span < MANY_DECADES else (1,)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if with_zero:
        # A logarithmic axis has no 0: it is drawn at the edge.
        marks = thresholds[[f"strength_{level}" for level in LEVELS]].to_numpy()
        edge = min(smallest, marks[marks > 0].min(initial=np.inf)) / ZERO_STEP
        curves = curves.assign(strength=curves["strength"].where(curves["strength"] > 0, edge))
    entries = []
    for run, style in styles.items():
        curve = curves[curves["run"] == run]
        if curve.empty:
            continue
        axes.fill_between(curve["strength"], curve["low"], curve["high"], color=style["color"], alpha=0.15, linewidth=0)
        axes.plot(curve["strength"], curve["completeness"], markersize=4.5, linewidth=1.5, **style)
        for row in thresholds[thresholds["run"] == run].to_dict("records"):
            entries.append(threshold_entry(axes, row, style))
    unit, stronger = curves["unit"].iloc[0], curves["stronger"].iloc[0]
    notes = ["0 drawn at the edge"] if with_zero else []
    if stronger < 0:
        axes.invert_xaxis()
        notes.insert(0, "decreases to the right")
    axes.set_xlabel((unit or "strength") + (f" ({', '.join(notes)})" if notes else ""))
    axes.set_title(name.replace("_", " "), loc="left", fontsize=11)
    planted = curves[curves["run"] == curves["run"].iloc[0]]["planted"].sum()
    axes.set_title(f"{planted} planted", loc="right", fontsize=8.5, color="0.4")
    axes.set_ylim(-0.04, 1.04)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.xaxis.set_minor_formatter(NullFormatter())
    strengths = curves["strength"].unique()
    if len(strengths) == 1:
        axes.set_xticks(strengths, [strength_text(strengths[0])])
    axes.spines[["top", "right"]].set_visible(False)
    if entries:
        axes.legend(handles=entries, loc="best", fontsize=8, handlelength=0.8, framealpha=0.8, edgecolor="none",
                    title="50% and 90% at", title_fontsize=8, alignment="left")  # fmt: skip


def threshold_entry(axes: Axes, row: dict, style: dict) -> Line2D:
    """Mark the strengths where 50% and 90% are found, and return a legend entry with their values."""
    texts = []
    marker = {"marker": style["marker"], "markeredgecolor": style["color"], "markerfacecolor": "none"}
    for level in LEVELS:
        strength, at_weakest = row[f"strength_{level}"], row[f"at_weakest_{level}"]
        if pd.isna(strength):
            texts.append("–")
            continue
        weaker_side = "<" if row["stronger"] > 0 else ">"
        texts.append(f"{weaker_side if at_weakest else ''}{strength_text(strength)}")
        if not at_weakest:
            axes.plot([strength], [level / 100], markersize=10, markeredgewidth=1.3, zorder=4, **marker)
    return Line2D([], [], linestyle="none", markersize=6, label=" | ".join(texts), **marker)


def limit_strength(limit: float | str | None) -> float | None:
    """The strength in a limit, which is a number or a condition such as "strength >= 100 and second >= 0.1"."""
    if isinstance(limit, str):
        number = re.search(r"strength\s*[<>]=?\s*([0-9.eE+-]+)", limit)
        return float(number[1]) if number else None
    return limit


def draw_legend(figure: Figure, styles: dict[str, dict], with_limits: bool) -> None:
    """Draw the legend of runs and markers above the panels."""
    handles = [Line2D([], [], markersize=5, label=figure_text(run), **style) for run, style in styles.items()]
    handles.append(
        Line2D([], [], linestyle="none", marker="o", markersize=10, markerfacecolor="none", markeredgecolor="0.3",
               label="50%, 90% of the fit")
    )  # fmt: skip
    if with_limits:
        handles.append(Line2D([], [], color="0.35", linewidth=1, linestyle=(0, (1, 2)), label="limit"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
