"""Size, fonts and colours of the pictures of the documentation, and the small PNG files."""

import io
import sys

import matplotlib
from measure import PROJECT

sys.path[:0] = [str(PROJECT / "scripts")]

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.colors import LogNorm  # noqa: E402
from matplotlib.patheffects import withStroke  # noqa: E402
from PIL import Image  # noqa: E402

from badpix.formats.markers import LIMIT_COLOR  # noqa: E402

# The pages show pictures at about 700 pixels: text of 9 points has 11 pixels then.
WIDTH_INCHES, HEIGHT_INCHES, DPI = 7.4, 3.6, 150
GREY = "#767676"
HEALTHY_COLOR = "#6F8BA6"
HEALTHY = {"color": HEALTHY_COLOR, "linewidth": 1.0}
JUMP = {"marker": "^", "markersize": 6, "markerfacecolor": "none", "markeredgecolor": "#1A1A1A"}
SATURATED = {"marker": "s", "markersize": 4, "markerfacecolor": "#1A1A1A", "markeredgecolor": "#1A1A1A"}
SMALLEST = 1e-2  # of logarithmic colours, DN/s
# Marks on an image are seen on light and on dark pixels.
OUTLINED = [withStroke(linewidth=3, foreground="white")]
plt.rcParams.update({
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.fontsize": 8.5, "legend.handlelength": 1.8,
    "legend.columnspacing": 1.0, "legend.handletextpad": 0.5, "legend.labelspacing": 0.3,
})  # fmt: skip


def new_figure(widths=(1.25, 1), height=HEIGHT_INCHES, legend_lines=2):
    """A figure with axes beside each other, and room for legends of `legend_lines` above them."""
    figure, axes = plt.subplots(1, len(widths), figsize=(WIDTH_INCHES, height), width_ratios=widths)
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 1 - (0.06 + 0.17 * legend_lines) / height))
    return figure, axes


def legend(axes, n_columns=2, **options):
    """A legend above the axes, which does not change their size."""
    options |= {"loc": "lower left", "bbox_to_anchor": (-0.03, 1.0), "ncols": n_columns, "frameon": False}
    axes.legend(**options).set_in_layout(False)


def save(figure, path):
    """Write the figure as a PNG with a palette, which needs a third of the bytes, and print its size."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=DPI)
    plt.close(figure)
    image = Image.open(buffer).convert("RGB").quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    print(f"{path}: {image.width} x {image.height}, {path.stat().st_size / 1000:.0f} kB")


def show_limit(axes, number, value, dashes="-"):
    """Draw a short line for the limit of an exposure."""
    axes.plot([number - 0.4, number + 0.4], [value, value], color=LIMIT_COLOR, linewidth=1.5, linestyle=dashes)


def show_image(figure, axes, image, centre, label, log=False):
    """Draw the neighbourhood `image` (y, x) of the pixel `centre` (y, x), with the values written into the pixels."""
    half = image.shape[0] // 2
    y, x = centre
    norm = LogNorm(SMALLEST, np.nanmax(image), clip=True) if log else None
    extent = (x - half - 0.5, x + half + 0.5, y - half - 0.5, y + half + 0.5)
    shown = np.maximum(image, SMALLEST) if log else image
    drawn = axes.imshow(shown, origin="lower", extent=extent, cmap="cividis", norm=norm, interpolation="nearest")
    figure.colorbar(drawn, ax=axes, label=label, shrink=0.9)
    for row, column in np.ndindex(image.shape):
        value = image[row, column]
        share = float(drawn.norm(max(value, SMALLEST))) if np.isfinite(value) else 0
        # Without -0.00.
        text = f"{round(value, 2) + 0.0:.2f}" if abs(value) < 10 else f"{value:.3g}"
        axes.text(
            column + x - half, row + y - half - 0.2, text, ha="center", va="center", fontsize=7.5,
            color="black" if share > 0.5 else "white",
        )  # fmt: skip
    axes.set(xlabel="x (pixel)", ylabel="y (pixel)", xticks=range(x - half, x + half + 1))
    axes.set_yticks(range(y - half, y + half + 1))
    axes.grid(visible=False)
