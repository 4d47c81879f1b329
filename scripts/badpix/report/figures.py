"""The plots of a report, as Bokeh models. The template refers to each plot by its name."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import (
    BasicTicker,
    BoxZoomTool,
    ColumnDataSource,
    CustomJS,
    HoverTool,
    LinearColorMapper,
    Range1d,
)
from bokeh.models.annotations import BoxAnnotation, ColorBar, Label, Span, Title
from bokeh.palettes import Cividis256
from bokeh.plotting import figure

from badpix.formats.markers import BAR_COLOR, LIMIT_COLOR
from badpix.formats.thresholds import ABOVE, BELOW
from badpix.report.histograms import Histogram
from badpix.report.tables import Measure
from badpix.report.words import look, title

Shape = tuple[int, int]  # (y, x)
Ranges = tuple[Range1d, Range1d]  # of x and y

# Largest side of a shown image in pixels; larger images are shown as means of blocks.
MAX_IMAGE = 1024
# Range of the colour scale: bad pixels must not set it.
PERCENTILES = (0.5, 99.5)
# Largest number of marks of one layer; more make the browser slow.
MAX_MARKS = 60_000
INK, MUTED, ACCENT, GRID = "#1d2733", "#5b6775", "#0b5c8f", "#e6eaee"
# A dash per test, in the order of the tests of a plot, and the same dash as an attribute of SVG.
LIMIT_DASHES = {"solid": "none", "dashed": "6 3", "dotted": "2 3", "dotdash": "2 3 6 3"}
# The background of the map is light grey, so that marks are visible; 0 is not measured.
PALE_GREYS = ["#ffffff"] + [f"#{level:02x}{level:02x}{level:02x}" for level in np.linspace(150, 250, 255).astype(int)]
IMAGE_COLORS = ["#ffffff", *Cividis256[1:]]


def block_means(image: np.ndarray, max_side: int = MAX_IMAGE) -> tuple[np.ndarray, int]:
    """`image` (y, x) as means of square blocks, with sides of at most `max_side`; and the side of a block (pixels)."""
    step = int(np.ceil(max(image.shape) / max_side))
    if step == 1:
        return image, 1
    rows, columns = (-(-side // step) for side in image.shape)
    padded = np.full((rows * step, columns * step), np.nan, np.float32)
    padded[: image.shape[0], : image.shape[1]] = image
    blocks = padded.reshape(rows, step, columns, step)
    valid = np.isfinite(blocks)
    n_valid = valid.sum(axis=(1, 3))
    with np.errstate(invalid="ignore"):
        total = np.where(valid, blocks, 0).sum(axis=(1, 3))
    return np.where(n_valid > 0, total / np.maximum(n_valid, 1), np.nan).astype(np.float32), step


def as_bytes(image: np.ndarray) -> tuple[np.ndarray, float, float]:
    """uint8 image, 1 to 255 between PERCENTILES of `image`, 0 where not finite; and the values of 1 and of 255."""
    finite = image[np.isfinite(image)]
    low, high = np.percentile(finite, PERCENTILES) if finite.size else (0.0, 1.0)
    high = high if high > low else low + 1
    with np.errstate(invalid="ignore"):
        scaled = np.clip(np.round(1 + 254 * (image - low) / (high - low)), 1, 255)
    return np.where(np.isfinite(image), scaled, 0).astype(np.uint8), float(low), float(high)


def styled(**options: Any) -> Any:
    """A figure in the style of the page, as wide as its container.

    The type is Any, because bokeh's annotations lack arguments of glyphs and attributes of ranges.
    """
    defaults = {"sizing_mode": "stretch_width", "tools": "pan,wheel_zoom,box_zoom,reset,save",
                "toolbar_location": "above", "background_fill_color": "#ffffff", "outline_line_color": None,
                "border_fill_color": "#ffffff", "min_border_left": 58, "min_border_right": 14}  # fmt: skip
    plot = figure(**(defaults | options))
    plot.toolbar.logo = None
    for axis in (plot.xaxis, plot.yaxis):
        axis.axis_label_text_font_style, axis.axis_label_text_font_size = "normal", "11px"
        axis.axis_label_text_color = axis.major_label_text_color = MUTED
        axis.axis_line_color = axis.major_tick_line_color = "#c3cad2"
        axis.minor_tick_line_color = None
    plot.grid.grid_line_color = GRID
    if isinstance(plot.title, Title):
        # A plot without tools has its title in the text of the page, where a long title wraps.
        plot.title.visible = plot.toolbar_location is not None
        plot.title.text_font_style, plot.title.text_color, plot.title.text_font_size = "normal", INK, "13px"
    return plot


@dataclass(frozen=True)
class ShownImage:
    """An image as shown on the page: the source of an `image` glyph, and the values of its bytes."""

    source: ColumnDataSource
    low: float  # value of byte 1
    high: float  # value of byte 255
    step: int  # side of the averaged blocks of pixels

    @classmethod
    def of(cls, image: np.ndarray) -> "ShownImage":
        """Scale and average `image` (y, x); pixel centres lie at whole numbers."""
        means, step = block_means(image)
        data, low, high = as_bytes(means)
        size = [data.shape[1] * step], [data.shape[0] * step]
        source = ColumnDataSource({"image": [data], "x": [-0.5], "y": [-0.5], "dw": size[0], "dh": size[1]})
        return cls(source, low, high, step)


def detector_ranges(shape: Shape) -> Ranges:
    """Ranges (x, y) that show an array of `shape` (y, x) with a margin."""
    margin = 0.02 * max(shape)
    n_y, n_x = shape
    x_range, y_range = (Range1d(start=-0.5 - margin, end=n - 0.5 + margin) for n in (n_x, n_y))
    return x_range, y_range


def detector_figure(ranges: Ranges, name: str, **options: Any) -> Any:
    """An empty figure of the detector array with axes in pixels; `ranges` are (x, y)."""
    x_range, y_range = ranges
    plot = styled(
        name=name, x_range=x_range, y_range=y_range, active_scroll="wheel_zoom",
        x_axis_label="x (pixel)", y_axis_label="y (pixel)", **options,
    )  # fmt: skip
    plot.grid.grid_line_color = None
    return plot


def map_figure(
    shape: Shape, layers: Mapping[str, np.ndarray], backgrounds: Mapping[str, ColumnDataSource], ranges: Ranges
) -> tuple[figure, dict[str, int]]:
    """The map, and the number of marks shown per layer.

    `layers` maps names of Looks to flat indices of pixels, `backgrounds` maps names to sources of images.
    """
    # The plot of a narrow strip must be high enough for its axis, that of a tall strip must fit into a window.
    aspect = float(np.clip(shape[1] / shape[0], 0.7, 3))
    plot = detector_figure(
        ranges, "map", sizing_mode="scale_width", aspect_ratio=aspect, tools="pan,wheel_zoom,reset,save,tap"
    )
    plot.add_tools(BoxZoomTool(match_aspect=True))
    plot.background_fill_color = "#f4f6f8"
    mapper = LinearColorMapper(palette=PALE_GREYS, low=0, high=255)
    for number, (name, source) in enumerate(backgrounds.items()):
        plot.image(source=source, color_mapper=mapper, name=f"background-{name}", visible=number == 0, level="image")
    width = shape[1]
    rng = np.random.default_rng(0)
    shown = {}
    # Rare types lie above frequent types, and an open pixel above its neighbours.
    for name, pixels in sorted(layers.items(), key=lambda layer: (layer[0] != "ADJ_OPEN", -layer[1].size)):
        style = look(name)
        if pixels.size > MAX_MARKS:
            pixels = np.sort(rng.choice(pixels, MAX_MARKS, replace=False))
        shown[name] = int(pixels.size)
        source = ColumnDataSource({"x": (pixels % width).astype(np.int16), "y": (pixels // width).astype(np.int16)})
        glyph = plot.scatter(
            "x", "y", source=source, marker=style.marker.glyph, size=9, line_color=style.marker.color, line_width=1.6,
            fill_color=style.marker.color, fill_alpha=style.marker.fill_alpha, name=f"layer-{name}",
            visible=name not in ("intermittent", "added", "removed"),
        )  # fmt: skip
        # inspector.js selects pixels. Without this, Bokeh fades all markers but the clicked marker.
        glyph.nonselection_glyph = glyph.selection_glyph = None
    cursor = ColumnDataSource({"x": [], "y": []}, name="cursor")
    plot.rect("x", "y", width=1, height=1, source=cursor, fill_color=None, line_color="#000000", line_width=2)
    plot.scatter("x", "y", source=cursor, size=24, marker="circle", fill_color=None, line_color="#000000", line_width=2)
    plot.js_on_event("tap", CustomJS(code="window.badpix && window.badpix.tapped(cb_obj.x, cb_obj.y)"))
    # inspector.js sets the size of the marks from their number in view.
    size_marks = CustomJS(code="window.badpix && window.badpix.sizeMarks()")
    for model, names in ((ranges[0], ("start", "end")), (ranges[1], ("start", "end")), (plot, ("inner_width",))):
        for name in names:
            model.js_on_change(name, size_marks)
    return plot, shown


def image_figure(name: str, heading: str, unit: str, shown: ShownImage, shape: Shape) -> figure:
    """The figure of an image with its colour bar.

    Parameters
    ----------
    name : str
        Name by which the template places the figure.
    heading, unit : str
        Title of the figure and of the colour bar.
    shown : ShownImage
        The image, reduced to the size of the page.
    shape : (int, int)
        Shape (y, x) of the detector array, in pixels.
    """
    side = 470 / max(shape)
    width, height = round(side * shape[1]) + 150, round(side * shape[0]) + 90
    plot = detector_figure(
        detector_ranges(shape), name, title=heading, sizing_mode="scale_width", aspect_ratio=width / height,
        max_width=width,
    )  # fmt: skip
    plot.image(source=shown.source, color_mapper=LinearColorMapper(palette=IMAGE_COLORS, low=0, high=255))
    bar = ColorBar(
        color_mapper=LinearColorMapper(palette=IMAGE_COLORS[1:], low=shown.low, high=shown.high), title=unit, width=12,
        padding=6, ticker=BasicTicker(desired_num_ticks=5), title_text_font_style="normal", border_line_color=None,
        major_label_text_color=MUTED, title_text_color=MUTED,
    )  # fmt: skip
    plot.add_layout(bar, "right")
    return plot


def histogram_figure(
    name: str,
    quantity: str,
    histogram: Histogram,
    limits: Mapping[tuple[str, str], Sequence[float]],
    counted: str,
    centred: bool = False,
) -> figure:
    """The figure of a Histogram with thresholds.

    Parameters
    ----------
    name : str
        Name of the figure.
    quantity : str
        Name of the quantity.
    histogram : Histogram
        Counts of the quantity.
    limits : dict
        (test, side) -> thresholds, a single threshold or a threshold per integration.
    counted : str
        Name of the counted values, the label of the y axis.
    centred : bool
        Whether values and thresholds are relative to the centre of each integration.
    """
    heading, unit = title(quantity)
    plot = styled(
        name=name, height=250, title=heading, y_axis_type="log", tools="pan,box_zoom,reset,save", toolbar_location=None,
        x_axis_label=f"{'deviation from the typical level' if centred else heading} ({unit})", y_axis_label=counted,
    )  # fmt: skip
    top = np.maximum(histogram.counts, 0.5)
    plot.quad(
        left=histogram.edges[:-1], right=histogram.edges[1:], top=top, bottom=0.5, fill_color=BAR_COLOR, line_color=None
    )
    plot.y_range.start = 0.5
    tests_at: dict[float, list[tuple[str, str]]] = {}
    for (test, side), values in limits.items():
        low, high = min(values), max(values)
        if high > low:
            plot.add_layout(BoxAnnotation(left=low, right=high, fill_color=LIMIT_COLOR, fill_alpha=0.25))
        tests_at.setdefault(float(np.median(values)), []).append((test, side))
    for number, (value, tests) in enumerate(sorted(tests_at.items())):
        line = Span(location=value, dimension="height", line_color=LIMIT_COLOR, line_width=1.6)
        line.line_dash = "solid" if any(side in (ABOVE, BELOW) for _, side in tests) else "dashed"
        plot.add_layout(line)
        # Neighbouring labels have different heights.
        height = plot.height - 65 - 85 * (number % 2)
        words = Label(x=value, y=height, y_units="screen", text=", ".join(test for test, _ in tests),
                      angle=np.pi / 2, x_offset=-2, text_align="right", text_font_size="10px", text_color="#8a3a00",
                      background_fill_color="#ffffff", background_fill_alpha=0.75)  # fmt: skip
        plot.add_layout(words)
    return plot


def exposure_figure(name: str, measure: Measure, rows: Sequence[dict], key: str) -> figure:
    """A measure of all exposures of a kind; outliers have an extra mark."""
    values = np.array([row.get(key, np.nan) for row in rows], float) * (100 if measure.unit.startswith("%") else 1)
    odd = np.array([bool(row["odd"]) for row in rows])
    unit = measure.unit or "relative response"
    plot = styled(
        name=name, height=210, title=measure.title, toolbar_location=None, tools="",
        x_range=(0.4, len(rows) + 0.6), x_axis_label="exposure number", y_axis_label=unit,
    )  # fmt: skip
    plot.xaxis.ticker = BasicTicker(min_interval=1, num_minor_ticks=0)
    median = float(np.nanmedian(values))
    plot.add_layout(Span(location=median, dimension="width", line_color="#9aa6b2", line_dash="dashed"))
    names = [row["exposure"] for row in rows]
    source = ColumnDataSource({"n": np.arange(1, len(rows) + 1), "value": values, "exposure": names})
    plot.scatter("n", "value", source=source, size=8, color=ACCENT, name="all")
    if odd.any():
        marked = ColumnDataSource({"n": np.flatnonzero(odd) + 1, "value": values[odd]})
        plot.scatter("n", "value", source=marked, size=17, marker="square", fill_color=None, line_color="#C1121F",
                     line_width=2)  # fmt: skip
    span = np.nanmax(values) - np.nanmin(values)
    # At least 2% of the median on each side: rounding differences must not fill the axis.
    margin = 0.15 * span + 0.02 * max(abs(median), 1e-6)
    plot.y_range = Range1d(start=np.nanmin(values) - margin, end=np.nanmax(values) + margin)
    plot.add_tools(HoverTool(tooltips=[("exposure", "@exposure"), ("value", "@value")], mode="vline", renderers="auto"))
    return plot


@dataclass(frozen=True)
class VoteCounts:
    """Numbers of pixels by their yes votes in a test.

    `complete[k]` is the number of pixels with k yes votes of `n` valid votes, the largest number of valid votes.
    `partial` maps k / n of the pixels with fewer valid votes to their number. Pixels without a yes vote do not count.
    """

    n: int
    complete: np.ndarray
    partial: dict[float, int]

    @classmethod
    def of(cls, k: np.ndarray, n_valid: np.ndarray) -> "VoteCounts":
        """Count pixels by `k` yes votes of `n_valid` valid votes (integer arrays of the same shape)."""
        n = int(n_valid.max(initial=0))
        voted = (k > 0) & (n_valid > 0)
        complete = np.bincount(k[voted & (n_valid == n)], minlength=n + 1)
        few = voted & (n_valid < n)
        shares, numbers = np.unique(k[few] / n_valid[few], return_counts=True)
        return cls(n, complete, dict(zip(shares.tolist(), numbers.tolist(), strict=True)))


def vote_figure(name: str, heading: str, counts: VoteCounts, needed: float | None) -> figure:
    """Number of pixels by fraction of yes votes, with the fraction `needed` (None: no line)."""
    plot = styled(
        name=name, height=220, title=heading, y_axis_type="log", toolbar_location=None, tools="",
        x_axis_label=f"fraction of yes votes (of {counts.n})", y_axis_label="pixels", x_range=(-0.03, 1.06),
    )  # fmt: skip
    k = np.flatnonzero(counts.complete)
    plot.vbar(
        x=k / max(1, counts.n), width=0.8 / max(1, counts.n), top=counts.complete[k], bottom=0.5, fill_color=BAR_COLOR,
        line_color=BAR_COLOR, name="complete",
    )  # fmt: skip
    if counts.partial:
        x, y = list(counts.partial), list(counts.partial.values())
        plot.scatter(x, y, size=6, marker="diamond", fill_color="#ffffff", line_color=INK, name="partial")
    most = max([1, *counts.complete, *counts.partial.values()])
    plot.y_range.start, plot.y_range.end = 0.5, 10 ** max(2, math.ceil(math.log10(2 * most)))
    if needed is not None:
        plot.add_layout(Span(location=needed, dimension="height", line_color=LIMIT_COLOR, line_width=1.6))
    return plot


def panel_figure(name: str, entry: dict) -> figure:
    """An empty plot of the inspector; inspector.js fills its sources."""
    heading, unit = title(entry["quantity"])
    plot = styled(
        name=name, height=220, title=heading, toolbar_location=None, tools="", y_axis_label=unit,
        x_axis_label=entry["axis"], x_range=(0.4, len(entry["columns"]) + 0.6),
        y_range=Range1d(start=0, end=1, name=f"{name}-range"),
    )  # fmt: skip
    plot.xaxis.ticker = BasicTicker(min_interval=1, num_minor_ticks=0)
    columns = ("x", "y", "start", "end", "dash", "label")
    limits = ColumnDataSource({column: [] for column in columns}, name=f"{name}-limits")
    plot.segment("start", "y", "end", "y", source=limits, line_color=LIMIT_COLOR, line_width=2, line_dash="dash")
    points = ColumnDataSource({"x": [], "y": [], "label": []}, name=f"{name}-points")
    plot.scatter("x", "y", source=points, size=8, color=ACCENT)
    plot.add_tools(HoverTool(tooltips="@label"))
    return plot


def ramp_figure() -> figure:
    """The empty plot of a ramp; inspector.js fills its sources."""
    plot = styled(
        name="ramp", height=300, title="Ramp", x_axis_label="time from the first group (s)", y_axis_label="signal (DN)",
        toolbar_location=None, tools="", x_range=Range1d(start=0, end=1, name="ramp-x"),
        y_range=Range1d(start=0, end=1, name="ramp-y"),
    )  # fmt: skip
    lines = ColumnDataSource({"x": [], "y": [], "color": [], "dash": []}, name="ramp-lines")
    plot.multi_line("x", "y", source=lines, line_color="color", line_dash="dash", line_width=1.8)
    points = ColumnDataSource({"x": [], "y": [], "color": [], "marker": [], "size": [], "label": []},
                              name="ramp-points")  # fmt: skip
    plot.scatter("x", "y", source=points, marker="marker", size="size", line_color="color", fill_color="color",
                 fill_alpha=0.35)  # fmt: skip
    plot.add_tools(HoverTool(tooltips="@label"))
    return plot
