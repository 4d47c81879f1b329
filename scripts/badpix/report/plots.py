"""Response, noise and found pixels of a mask as one figure."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from badpix.core.files import atomic_path
from badpix.formats.evidence_file import read_evidence
from badpix.formats.markers import BAR_COLOR, LIMIT_COLOR
from badpix.formats.thresholds import Threshold
from badpix.report.histograms import Histogram
from badpix.report.words import look

# Range of the colour scale: bad pixels must not set it.
PERCENTILES = (0.5, 99.5)
MAP_SIDE = 350  # side of the map in points, approximately
COVERED = 0.15  # largest fraction of the map covered by markers


def show_image(figure: Figure, axes: Axes, image: np.ndarray, title: str, label: str) -> None:
    """Draw an image with its colour bar.

    Parameters
    ----------
    figure, axes
        Where the image is drawn.
    image : image (y, x), float
        NaN is left blank.
    title, label : str
        Title of the image, and label of the colour bar with the unit.
    """
    finite = image[np.isfinite(image)]
    low, high = np.percentile(finite, PERCENTILES) if finite.size else (0, 1)
    drawn = axes.imshow(image, origin="lower", vmin=low, vmax=high, cmap="cividis", interpolation="nearest")
    figure.colorbar(drawn, ax=axes, label=label, shrink=0.85)
    axes.set(title=title, xlabel="x (pixel)", ylabel="y (pixel)")


def show_histogram(axes: Axes, image: np.ndarray, title: str, label: str, limits: Sequence[Threshold]) -> None:
    """Draw the histogram of an image with the thresholds `limits`, and a logarithmic axis of counts.

    The range covers the typical values and all thresholds. The first and the last bin include the values beyond it.
    """
    histogram = Histogram.around(image, [row.value for row in limits])
    histogram.add(image)
    axes.stairs(histogram.counts, histogram.edges, fill=True, color=BAR_COLOR)
    sides: dict[tuple[str, float], list[str]] = {}
    for row in limits:
        sides.setdefault((row.side, row.value), []).append(row.test)
    for ((side, value), tests), dashes in zip(sides.items(), itertools.cycle(("-", "--", ":", "-."))):
        words = f"{', '.join(tests)}: {side} {value:.3g}"
        axes.axvline(value, color=LIMIT_COLOR, linewidth=1.4, linestyle=dashes, label=words)
    axes.set(title=title, xlabel=f"{label}; end bins: all values beyond", ylabel="pixels")
    axes.set_xlim(histogram.low, histogram.high)
    if histogram.counts.any():
        axes.set(yscale="log", ylim=(0.5, None))
    if sides:
        axes.legend(fontsize="small", framealpha=0.8)


def show_found(axes: Axes, found: np.ndarray, types: Mapping[str, int]) -> None:
    """Draw the found pixels with the marker of their type; `types` maps name to bit of `found` (uint32 image)."""
    axes.set(title="pixels found", xlabel="x (pixel)", ylabel="y (pixel)")
    places = {name: np.nonzero(found & np.uint32(1 << bit)) for name, bit in types.items()}
    n = sum(len(y) for y, _ in places.values())
    size = float(np.clip(MAP_SIDE * np.sqrt(COVERED / max(1, n)), 1, 6))
    handles = []
    for name, (y, x) in places.items():
        style = look(name).marker.matplotlib
        # Rare types lie above frequent types, and an open pixel above its neighbours.
        order = 2 if name == "ADJ_OPEN" else 3 + 1 / (1 + len(x))
        axes.plot(x, y, linestyle="", markersize=size, markeredgewidth=max(0.5, size / 6), zorder=order, **style)
        handles.append(Line2D([], [], linestyle="", markersize=6, label=f"{name}: {len(x):,}", **style))
    axes.set(xlim=(-0.5, found.shape[1] - 0.5), ylim=(-0.5, found.shape[0] - 0.5), aspect="equal")
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1), fontsize="small", frameon=False)


def draw(path: str | Path, figure_path: str | Path) -> None:
    """Draw response, noise and found pixels of the evidence file at `path` into `figure_path`."""
    evidence = read_evidence(path)
    rows = [
        (title, label, evidence.measured[name], evidence.limits(quantity=name))
        for name, title, label in (
            ("RESPONSE", "response of the flats", "normalised response"),
            ("NOISE", "scatter of the jump-free dark slopes", "standard deviation (DN/s)"),
        )
        if name in evidence.measured
    ]
    size = (13, 5 * (len(rows) + 1))
    figure, axes = plt.subplots(len(rows) + 1, 2, figsize=size, layout="constrained", squeeze=False)
    for (left, right), (title, label, image, limits) in zip(axes, rows, strict=False):
        show_image(figure, left, image, title, label)
        show_histogram(right, image, title, label, limits)
    show_found(axes[-1][0], evidence.found, evidence.bit_of)
    axes[-1][1].axis("off")
    figure.suptitle(evidence.detector)
    with atomic_path(figure_path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)
