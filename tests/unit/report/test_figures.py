"""Plots of the report pages and plots.png, read from the models of Bokeh and matplotlib."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from bokeh.models import Span

from badpix.formats.markers import LIMIT_COLOR
from badpix.formats.pixel_types import FLAG_MARKERS, PIXEL_TYPES
from badpix.formats.thresholds import ABOVE, AT_LEAST, BELOW, Threshold
from badpix.instrument.dq import MASK_FLAGS
from badpix.report.figures import LIMIT_DASHES, VoteCounts, detector_ranges, map_figure, vote_figure
from badpix.report.page import panel_figures, where
from badpix.report.plots import show_found, show_histogram
from badpix.report.words import LOOKS


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


# ---------------------------------------------------------------- votes


def test_votes_stand_at_k_of_n():
    """Three valid votes: the bars stand at 1/3, 2/3 and 1, and pixels with two valid votes at 1/2 are no bar."""
    k = np.array([1, 1, 2, 3, 1, 0, 1])
    n = np.array([3, 3, 3, 3, 2, 3, 0])
    counts = VoteCounts.of(k, n)
    assert counts.n == 3 and counts.complete.tolist() == [0, 2, 1, 1] and counts.partial == {0.5: 1}
    plot = vote_figure("v", "Votes", counts, 0.5)
    bars = plot.select_one({"name": "complete"}).data_source.data
    assert bars["x"].tolist() == pytest.approx([1 / 3, 2 / 3, 1]) and bars["top"].tolist() == [2, 1, 1]
    assert list(plot.select_one({"name": "partial"}).data_source.data["x"]) == [0.5]
    assert [line.location for line in plot.center if isinstance(line, Span)] == [0.5]
    nothing = VoteCounts.of(np.zeros(3, int), np.zeros(3, int))
    assert vote_figure("v", "Votes", nothing, None).select_one({"name": "partial"}) is None


# ---------------------------------------------------------------- the limits of the inspector


def test_the_legend_of_the_limits():
    lines = [
        {"test": test, "label": test.upper(), "side": side, "values": {}}
        for test, side in (("a", ABOVE), ("a", BELOW), ("b", BELOW), ("c", AT_LEAST), ("c", BELOW), ("d", AT_LEAST))
    ]
    entry = {"quantity": "SLOPE", "columns": ["x"], "axis": "exposure", "lines": lines}
    (plot,) = panel_figures([entry], False)
    words = {row["label"]: row["where"] for row in entry["legend"]}
    assert words == {"A": "outside the lines", "B": "below the line", "C": "between the lines",
                     "D": "on or above the line"}  # fmt: skip
    assert where({ABOVE}) == "above the line"
    assert [line["dash"] for line in lines] == ["solid", "solid", "dashed", "dotted", "dotted", "dotdash"]
    assert [row["stroke"] for row in entry["legend"]] == list(LIMIT_DASHES.values())
    assert (plot.xaxis[0].axis_label, plot.yaxis[0].axis_label) == ("exposure", "DN/s")


# ---------------------------------------------------------------- one palette


def test_an_open_pixel_lies_above_its_neighbours():
    layers = {"OPEN": np.arange(30), "ADJ_OPEN": np.arange(4), "hot": np.arange(2), "DEAD": np.arange(500)}
    plot, _ = map_figure((32, 32), layers, {}, detector_ranges((32, 32)))
    drawn = [part.name.removeprefix("layer-") for part in plot.renderers if str(part.name).startswith("layer-")]
    assert drawn == ["ADJ_OPEN", "DEAD", "OPEN", "hot"]


def test_no_two_types_share_a_colour_or_a_marker_in_any_picture():
    markers = [style.marker for style in LOOKS.values()]
    assert len({marker.color for marker in markers}) == len(markers)
    symbols = [marker.matplotlib["marker"] for marker in markers]
    assert len(set(symbols)) == len(symbols)


def test_a_flag_looks_like_its_type():
    assert FLAG_MARKERS.keys() == set(MASK_FLAGS)
    for flag, name in (("HOT", "hot"), ("TELEGRAPH", "high_cr"), ("RC", "rc"), ("ADJ_OPEN", "ADJ_OPEN")):
        assert FLAG_MARKERS[flag] == PIXEL_TYPES[name].marker
    symbols = [(marker.color, marker.matplotlib["marker"]) for marker in FLAG_MARKERS.values()]
    assert len(set(symbols)) >= 12, "history.png shows twelve flags"


def test_plots_have_the_markers_of_the_types(axes):
    found = np.zeros((8, 8), np.uint32)
    found[2:5, 2:5], found[3, 3], found[7, 7] = 2, 1, 4
    show_found(axes, found, {"OPEN": 0, "ADJ_OPEN": 1, "hot": 2})
    lines = dict(zip(("OPEN", "ADJ_OPEN", "hot"), axes.get_lines(), strict=True))
    for name, line in lines.items():
        assert line.get_color() == PIXEL_TYPES[name].marker.color
    assert lines["OPEN"].get_zorder() > lines["ADJ_OPEN"].get_zorder()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["OPEN: 1", "ADJ_OPEN: 8", "hot: 1"]


# ---------------------------------------------------------------- thresholds in plots.png


def test_a_histogram_shows_its_thresholds_in_a_useful_range(axes):
    image = np.random.default_rng(0).normal(1, 0.02, (50, 50))
    image[0, :3] = 30, -5, np.nan
    limits = [Threshold("DEAD", "RESPONSE", BELOW, 0.05, ""), Threshold("LOW_QE", "RESPONSE", BELOW, 0.5, ""),
              Threshold("OPEN", "RESPONSE", BELOW, 0.5, "")]  # fmt: skip
    show_histogram(axes, image, "response", "normalised response", limits)
    lines = [line for line in axes.get_lines() if line.get_color() == LIMIT_COLOR]
    assert [line.get_xdata()[0] for line in lines] == [0.05, 0.5]
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["DEAD: below 0.05", "LOW_QE, OPEN: below 0.5"]
    low, high = axes.get_xlim()
    assert -1 < low < 0.05 and 1 < high < 3, "neither 30 nor -5 sets the range"
    (stairs,) = axes.patches
    assert stairs.get_data().values.sum() == image.size - 1, "values beyond the range are in the end bins"


def test_a_histogram_of_nothing_is_no_error(axes):
    show_histogram(axes, np.full((3, 3), np.nan), "noise", "DN/s", [])
    assert axes.get_legend() is None and axes.get_xlim()[1] > 0
