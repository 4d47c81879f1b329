"""Draw the intermediate results of a mask: response, noise and found pixels.

Reads the evidence file; writes one PNG.
"""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from astropy.io import fits

from badpix.core.files import atomic_path
from badpix.core.logs import logging_to

# Images are shown between these percentiles, so that bad pixels do not set the scale.
PERCENTILES = (0.5, 99.5)


def show_image(figure, axes, image, title, label):
    """An image (y, x) with its colour bar."""
    finite = image[np.isfinite(image)]
    low, high = np.percentile(finite, PERCENTILES) if finite.size else (0, 1)
    drawn = axes.imshow(image, origin="lower", vmin=low, vmax=high, cmap="viridis", interpolation="nearest")
    figure.colorbar(drawn, ax=axes, label=label, shrink=0.85)
    axes.set(title=title, xlabel="x (pixel)", ylabel="y (pixel)")


def show_histogram(axes, image, title, label):
    """The distribution of the finite values of an image, on a logarithmic scale of counts."""
    finite = image[np.isfinite(image)]
    if finite.size:
        axes.hist(finite, bins=200, histtype="stepfilled", color="0.45")
    axes.set(title=title, xlabel=label, ylabel="pixels", yscale="log")


def show_found(axes, found, types):
    """The pixels found, a marker and colour per type; `types` maps name to bit."""
    axes.set(title="pixels found", xlabel="x (pixel)", ylabel="y (pixel)")
    for number, (name, bit) in enumerate(types.items()):
        y, x = np.nonzero(found & np.uint32(1 << bit))
        axes.plot(x, y, ".", markersize=2, color=f"C{number}", label=f"{name}: {len(x)}")
    axes.set(xlim=(-0.5, found.shape[1] - 0.5), ylim=(-0.5, found.shape[0] - 0.5), aspect="equal")
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1), fontsize="small", markerscale=4, frameon=False)


def main(evidence, figure_path):
    """Draw what `evidence` holds into `figure_path`."""
    with fits.open(evidence) as hdus:
        detector = hdus[0].header["DETECTOR"]
        types = {row["TYPE"]: int(row["BIT"]) for row in hdus["TYPES"].data}
        found = np.array(hdus["FOUND"].data)
        rows = [
            (name, title, label, np.array(hdus[name].data))
            for name, title, label in (
                ("RESPONSE", "response of the flats", "normalised response"),
                ("NOISE", "scatter of the jump-free dark slopes", "standard deviation (DN/s)"),
            )
            if name in hdus
        ]
    size = (13, 5 * (len(rows) + 1))
    figure, axes = plt.subplots(len(rows) + 1, 2, figsize=size, layout="constrained", squeeze=False)
    for (left, right), (_, title, label, image) in zip(axes, rows, strict=False):
        show_image(figure, left, image, title, label)
        show_histogram(right, image, title, label)
    show_found(axes[-1][0], found, types)
    axes[-1][1].axis("off")
    figure.suptitle(detector)
    with atomic_path(figure_path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(snakemake.input.evidence, snakemake.output.figure)
