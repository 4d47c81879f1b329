"""Response, noise and found pixels of a mask as one figure."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from badpix.core.files import atomic_path
from badpix.formats.evidence_file import read_evidence

# Range of the colour scale: bad pixels must not set it.
PERCENTILES = (0.5, 99.5)


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
    drawn = axes.imshow(image, origin="lower", vmin=low, vmax=high, cmap="viridis", interpolation="nearest")
    figure.colorbar(drawn, ax=axes, label=label, shrink=0.85)
    axes.set(title=title, xlabel="x (pixel)", ylabel="y (pixel)")


def show_histogram(axes: Axes, image: np.ndarray, title: str, label: str) -> None:
    """Draw the histogram of the finite values of an image, with a logarithmic axis of counts."""
    finite = image[np.isfinite(image)]
    if finite.size:
        axes.hist(finite, bins=200, histtype="stepfilled", color="0.45")
    axes.set(title=title, xlabel=label, ylabel="pixels", yscale="log")


def show_found(axes: Axes, found: np.ndarray, types: Mapping[str, int]) -> None:
    """Draw the found pixels with a colour per type; `types` maps name to bit of `found` (uint32 image)."""
    axes.set(title="pixels found", xlabel="x (pixel)", ylabel="y (pixel)")
    for number, (name, bit) in enumerate(types.items()):
        y, x = np.nonzero(found & np.uint32(1 << bit))
        axes.plot(x, y, ".", markersize=2, color=f"C{number}", label=f"{name}: {len(x)}")
    axes.set(xlim=(-0.5, found.shape[1] - 0.5), ylim=(-0.5, found.shape[0] - 0.5), aspect="equal")
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1), fontsize="small", markerscale=4, frameon=False)


def draw(path: str | Path, figure_path: str | Path) -> None:
    """Draw response, noise and found pixels of the evidence file at `path` into `figure_path`."""
    evidence = read_evidence(path)
    rows = [
        (title, label, evidence.measured[name])
        for name, title, label in (
            ("RESPONSE", "response of the flats", "normalised response"),
            ("NOISE", "scatter of the jump-free dark slopes", "standard deviation (DN/s)"),
        )
        if name in evidence.measured
    ]
    size = (13, 5 * (len(rows) + 1))
    figure, axes = plt.subplots(len(rows) + 1, 2, figsize=size, layout="constrained", squeeze=False)
    for (left, right), (title, label, image) in zip(axes, rows, strict=False):
        show_image(figure, left, image, title, label)
        show_histogram(right, image, title, label)
    show_found(axes[-1][0], evidence.found, evidence.bit_of)
    axes[-1][1].axis("off")
    figure.suptitle(evidence.detector)
    with atomic_path(figure_path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)
