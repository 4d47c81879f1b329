"""Draw the changes between two masks: a map, and a matrix of flags before and after."""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from badpix.changes.compare import KINDS, NEW, RECLASSIFIED, RECOVERED, Changes, change_matrix
from badpix.changes.neighbours import NEAR, neighbours
from badpix.core.files import atomic_path
from badpix.core.wording import figure_text
from badpix.formats.markers import ADDED, REMOVED
from badpix.instrument.dq import GOOD

matplotlib.use("Agg")

MAX_TYPES = 14  # rows and columns of the matrix; the rarest sets of flags are summed
REST = "other flags"
MARKERS = {NEW: (ADDED.color, "^"), RECOVERED: (REMOVED.color, "v"), RECLASSIFIED: ("#cc79a7", "s")}
# New pixels by their direct neighbours, the names of NEAR.
NEW_COLOURS = {
    "isolated": (MARKERS[NEW][0], "isolated"),
    "new": ("#e69f00", "beside new pixels only"),
    "known": ("#000000", "beside a pixel bad before"),
    "unlisted": ("#8f9b00", "around a good pixel"),
}
UNCHANGED_COLOUR = "0.82"
MAP_SIDE = 370  # side of the map in points, approximately
COVERED = 0.2  # largest fraction of the map covered by markers


def draw_changes(path: str | Path, changes: Changes, title: str) -> None:
    """Draw `changes` (Changes) into the PNG file `path` with the title `title`."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(15, 7), layout="constrained")
    show_map(left, changes)
    show_matrix(right, legible(change_matrix(changes)))
    figure.suptitle(figure_text(title))
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=100)
    plt.close(figure)


def show_map(axes: Axes, changes: Changes) -> None:
    """Draw the map of the changed pixels, over the unchanged bad pixels."""
    n_y, n_x = changes.kind.shape
    # Markers are as large as a pixel; larger, so that they are visible, while they cover at most COVERED of the map.
    fitting = MAP_SIDE * np.sqrt(COVERED / max(1, int(np.count_nonzero(changes.kind))))
    size = max(MAP_SIDE / max(n_y, n_x), min(3.0, max(0.8, fitting)))
    same = changes.science & (changes.kind == 0) & (changes.after != 0)
    y, x = np.nonzero(same)
    size_same = max(0.5, size / 2)
    axes.plot(
        x, y, "s", markersize=size_same, mew=0, color=UNCHANGED_COLOUR, label=f"bad in both, same flags: {len(x)}"
    )
    near = neighbours(changes.was_bad, changes.is_bad, changes.science).near
    for name, (colour, words) in NEW_COLOURS.items():
        y, x = np.nonzero((changes.kind == NEW) & (near == NEAR.index(name)))
        marker = MARKERS[NEW][1]
        axes.plot(x, y, marker, markersize=size, mew=0, color=colour, label=f"new, {words}: {len(x)}")
    for code, (colour, marker) in MARKERS.items():
        if code == NEW:
            continue
        y, x = np.nonzero(changes.kind == code)
        axes.plot(x, y, marker, markersize=size, mew=0, color=colour, label=f"{KINDS[code]}: {len(x)}")
    axes.set(title="changed pixels", xlabel="x (pixel)", ylabel="y (pixel)", aspect="equal")
    axes.set(xlim=(-0.5, n_x - 0.5), ylim=(-0.5, n_y - 0.5))
    legend = axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2, frameon=False)
    for handle in legend.get_lines():
        handle.set_markersize(6)


def legible(matrix: pd.DataFrame) -> pd.DataFrame:
    """`matrix` (of change_matrix) with at most MAX_TYPES rows and columns: the rarest sets of flags are summed."""
    for _ in range(2):  # first the rows, then the columns
        if len(matrix) > MAX_TYPES:
            kept = [GOOD, *matrix.drop(GOOD).sum(axis=1).nlargest(MAX_TYPES - 2).index]
            names = [name if name in kept else REST for name in matrix.index]
            order = [name for name in matrix.index if name in kept] + [REST]
            matrix = matrix.groupby(names).sum().loc[order]
        matrix = matrix.T
    return matrix


def show_matrix(axes: Axes, matrix: pd.DataFrame) -> None:
    """Draw the numbers of pixels per flags before (row) and after (column), coloured by kind of change."""
    values = matrix.to_numpy()
    for row, before in enumerate(matrix.index):
        for column, after in enumerate(matrix.columns):
            colour = cell_colour(before, after, values[row, column])
            axes.add_patch(plt.Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, edgecolor="white"))
            if values[row, column]:
                number = f"{values[row, column]:,}"
                axes.text(column, row, number, ha="center", va="center", fontsize=8 if len(number) < 8 else 6)
    rows, columns = ([name.replace("+", " +\n") for name in names] for names in (matrix.index, matrix.columns))
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=8)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5), aspect="equal")
    axes.set(title="pixels by their flags", xlabel="after", ylabel="before")


def cell_colour(before: str, after: str, pixels: int) -> str | tuple[float, ...]:
    """Colour of a cell: a light tint per kind of change, grey for no change, nearly white for no pixels."""
    if not pixels:
        return "0.97"
    if before == after and before != REST:
        return "0.85"
    code = NEW if before == GOOD else RECOVERED if after == GOOD else RECLASSIFIED
    return matplotlib.colors.to_rgba(MARKERS[code][0], 0.35)
