"""Draw the masks of a detector over time."""

from pathlib import Path

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from badpix.core.files import atomic_path
from badpix.history.entries import ANY, FLAGS, History, entries_of

MAX_LINES = 12  # the most frequent flags; more lines cannot be distinguished


def draw_history(path: str | Path, history: History, pixels: pd.DataFrame, detector: str) -> None:
    """Draw the History and its table PIXELS into the PNG file `path`."""
    # Figure instead of pyplot: pyplot is slow to import.
    figure = Figure(figsize=(14, 5.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    show_counts(left, history)
    show_fractions(right, pixels)
    figure.suptitle(f"{detector}: {len(entries_of(history))} masks")
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
    colours = colormaps["tab20"](range(len(shown)))
    for number, name in enumerate(shown):
        axes.errorbar(
            middle, counts.loc[name], xerr=half, fmt="o-", markersize=4, linewidth=1, color=colours[number], label=name
        )
    axes.set(title="pixels per flag", ylabel="pixels")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator()))
    if len(shown):
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1), fontsize="small", frameon=False)


def show_fractions(axes: Axes, pixels: pd.DataFrame) -> None:
    """Draw the histogram of the fraction of masks that flag a pixel, for all pixels flagged in any mask."""
    fractions = pixels.loc[pixels["flag"] == ANY, "fraction_flagged"]
    axes.hist(fractions, bins=np.linspace(0, 1, 21).tolist(), color="0.45")
    axes.set(title="pixels ever flagged", xlabel="fraction of the masks that flag them", ylabel="pixels", yscale="log")
