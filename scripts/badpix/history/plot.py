"""Draw the masks of a detector over time."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from badpix.core.files import atomic_path
from badpix.formats.markers import BAR_COLOR, PLAIN
from badpix.formats.pixel_types import FLAG_MARKERS
from badpix.history.entries import ANY, FLAGS, History, entries_of
from badpix.history.selection import left_out_text

MAX_LINES = 12  # the most frequent flags; more lines cannot be distinguished
MIN_DAYS = 8  # a shorter axis of dates would repeat a date


def draw_history(
    path: str | Path, history: History, pixels: pd.DataFrame, detector: str, left_out: Sequence[str] = ()
) -> None:
    """Draw the History and its table PIXELS into the PNG file `path`; `left_out` are the texts of a Selection."""
    # Figure instead of pyplot: pyplot is slow to import.
    figure = Figure(figsize=(14, 5.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    n = len(entries_of(history))
    if n:
        show_counts(left, history)
    show_fractions(right, pixels)
    figure.suptitle(f"{detector}: {n} mask{'s' if n != 1 else ''}{left_out_text(left_out)}", wrap=True)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=100)


def show_counts(axes: Axes, history: History) -> None:
    """Draw pixels per flag against the mean date of each entry; bars span the dates of its exposures."""
    entries = entries_of(history)
    half = (entries["last_observation"] - entries["first_observation"]) / 2
    middle = entries["first_observation"] + half
    flags = history.epochs[(history.epochs["kind"] == "flag") & history.epochs["name"].isin(FLAGS)]
    counts = flags.pivot(index="name", columns="entry", values="n_pixels").fillna(0)
    counts = counts.reindex(columns=entries["entry"])
    shown = counts.max(axis=1).nlargest(MAX_LINES).index
    for name in shown:
        style = FLAG_MARKERS.get(name, PLAIN).matplotlib
        axes.errorbar(middle, counts.loc[name], xerr=half, markersize=7, linewidth=1, label=name, **style)
    axes.set(title="pixels per flag", ylabel="pixels")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    show_dates(axes, entries["first_observation"].min(), entries["last_observation"].max())
    if len(shown):
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1), fontsize="small", frameon=False)


def show_dates(axes: Axes, first: pd.Timestamp, last: pd.Timestamp) -> None:
    """Label the x axis, from `first` to `last`, with complete dates."""
    margin = max((last - first) * 0.05, pd.Timedelta(days=MIN_DAYS) - (last - first)) / 2
    axes.set_xlim(first - margin, last + margin)
    axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=8))
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%Y-%m-%d"))
    axes.tick_params(axis="x", labelrotation=25)
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("right")
    axes.set_xlabel("date of the exposures (point: middle, bar: first to last)")


def show_fractions(axes: Axes, pixels: pd.DataFrame) -> None:
    """Draw the histogram of the fraction of masks that flag a pixel, for all pixels flagged in any mask."""
    fractions = pixels.loc[pixels["flag"] == ANY, "fraction_flagged"]
    axes.hist(fractions, bins=np.linspace(0, 1, 21).tolist(), color=BAR_COLOR)
    axes.set(title="pixels ever flagged", xlabel="fraction of the masks that flag them", ylabel="pixels")
    if len(fractions):
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.5)
