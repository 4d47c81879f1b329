"""Assemble a report page: plots, tables and pixels in a self-contained HTML file."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.core.types import ID
from bokeh.document import Document
from bokeh.embed import file_html, json_item
from bokeh.plotting import figure
from bokeh.resources import INLINE

from badpix.formats.evidence_file import Evidence
from badpix.formats.markers import LIMIT_COLOR
from badpix.formats.thresholds import AT_LEAST
from badpix.report.figures import (
    LIMIT_DASHES,
    Shape,
    ShownImage,
    VoteCounts,
    detector_ranges,
    exposure_figure,
    histogram_figure,
    image_figure,
    map_figure,
    panel_figure,
    ramp_figure,
    vote_figure,
)
from badpix.report.histograms import Histogram
from badpix.report.tables import MEASURES
from badpix.report.templating import environment
from badpix.report.words import TESTS


def layers_of(
    type_masks: Mapping[str, np.ndarray],
    only_mask: np.ndarray,
    intermittent: np.ndarray,
    added: np.ndarray | None,
    removed: np.ndarray | None,
) -> dict[str, np.ndarray]:
    """Name of layer -> flat indices of its pixels.

    Parameters
    ----------
    type_masks : dict
        Type -> boolean image (y, x). Types without pixels keep an empty layer; other empty layers are left out.
    only_mask : np.ndarray
        Boolean image: flagged in the mask, but not found by a type.
    intermittent : np.ndarray
        Boolean image: bad in some exposures, not flagged.
    added, removed : np.ndarray or None
        Boolean images: changes from the mask to compare with. None: no such mask.
    """
    layers = {name: np.flatnonzero(mask) for name, mask in type_masks.items()}
    extra = {"other": only_mask, "intermittent": intermittent, "added": added, "removed": removed}
    return layers | {name: np.flatnonzero(mask) for name, mask in extra.items() if mask is not None and mask.any()}


def detector_figures(
    shape: Shape, layers: Mapping[str, np.ndarray], images: Mapping[str, tuple[np.ndarray, str, str]]
) -> tuple[list[figure], dict[str, Any]]:
    """The map and the images: a list of figures, and a dict with `images`, `step` and `shown` for the template.

    `images` maps names to (image (y, x), heading, unit).
    """
    ranges = detector_ranges(shape)
    parts = {name: ShownImage.of(image) for name, (image, _, _) in images.items()}
    backgrounds = {name: part.source for name, part in parts.items()}
    plot, shown = map_figure(shape, layers, backgrounds, ranges)
    figures = [plot]
    for name, (_, heading, unit) in images.items():
        figures.append(image_figure(f"image-{name}", heading, unit, parts[name], shape))
    step = max([part.step for part in parts.values()], default=1)
    return figures, {"images": list(images), "step": step, "shown": shown}


def histogram_figures(
    histograms: Mapping[str, Histogram],
    centres: Mapping[str, Mapping[tuple[str, int], float]],
    evidence: Evidence,
    integrations: Sequence[tuple[str, int, str]],
) -> list[figure]:
    """A figure per quantity of the darks; `integrations` lists (segment, integration, exposure)."""
    figures: list[figure] = []
    for quantity, histogram in histograms.items():
        # An integration without any value has no centre.
        centred = centres.get(quantity, {})
        limits: dict[tuple[str, str], list[float]] = {}
        for segment, integration, _ in integrations:
            for row in evidence.limits(quantity=quantity, exposure=segment, integration=integration):
                centre = centred.get((segment, integration), 0.0)
                limits.setdefault((row.test, row.side), []).append(row.value - centre)
        name = f"histogram-{len(figures)}"
        figures.append(histogram_figure(name, quantity, histogram, limits, "pixels × integrations", bool(centred)))
    return figures


def image_histogram_figures(histograms: Mapping[str, Histogram], evidence: Evidence) -> list[figure]:
    """A figure per measured image of the evidence file; `histograms` maps NOISE and RESPONSE to Histograms."""
    figures = []
    for quantity, histogram in histograms.items():
        limits: dict[tuple[str, str], list[float]] = {}
        for row in evidence.limits(quantity=quantity):
            limits.setdefault((row.test, row.side), []).append(row.value)
        figures.append(histogram_figure(f"histogram-{quantity}", quantity, histogram, limits, "pixels"))
    return figures


def vote_figures(evidence: Evidence, science: np.ndarray) -> list[figure]:
    """A figure per test with more than one vote: number of pixels by fraction of yes votes."""
    figures = []
    for test in dict.fromkeys(test for tests in evidence.tests.values() for test in tests):
        fraction, _, _ = evidence.vote(test)
        counts = evidence.counts(test)
        if counts is None or fraction is None:
            continue
        votes = VoteCounts.of(*(image[science] for image in counts))
        figures.append(vote_figure(f"votes-{test}", TESTS.get(test, test), votes, fraction))
    return figures


def exposure_figures(rows: Sequence[dict]) -> dict[str, list[figure]]:
    """Kind -> list of figures, a figure per measure of its exposures."""
    figures: dict[str, list[figure]] = {}
    for kind in ("dark", "flat"):
        of_kind = [row for row in rows if row["kind"] == kind]
        for key, measure in MEASURES.items():
            if any(np.isfinite(row.get(key, np.nan)) for row in of_kind):
                name = f"exposures-{kind}-{key}"
                figures.setdefault(kind, []).append(exposure_figure(name, measure, of_kind, key))
    return figures


def where(sides: set[str]) -> str:
    """Where a value counts as bad, from the sides of the lines of a test."""
    if len(sides) > 1:
        return "between the lines" if AT_LEAST in sides else "outside the lines"
    return "on or above the line" if AT_LEAST in sides else f"{min(sides)} the line"


def panel_figures(panels: Sequence[dict], with_ramps: bool) -> list[figure]:
    """The plots of the inspector.

    Sets `figure` of each panel to the name of its figure, `dash` of its lines, and `legend`: label, place of bad
    values and dash (an attribute of SVG) per test.
    """
    figures = []
    dashes = list(LIMIT_DASHES)
    for number, entry in enumerate(panels):
        entry["figure"] = f"panel-{number}"
        legend: dict[str, dict] = {}
        for line in entry["lines"]:
            dash = dashes[len(legend) % len(dashes)]
            row = legend.setdefault(line["test"], {"label": line["label"], "dash": dash, "sides": set()})
            row["sides"].add(line["side"])
            line["dash"] = row["dash"]
        entry["legend"] = [
            {"label": row["label"], "where": where(row["sides"]), "stroke": LIMIT_DASHES[row["dash"]]}
            for row in legend.values()
        ]
        figures.append(panel_figure(entry["figure"], entry))
    return figures + ([ramp_figure()] if with_ramps else [])


def heading(plot: figure) -> str:
    """The title of a plot, or a substitute from its name."""
    return str(getattr(plot.title, "text", "") or f"{plot.name} of the detector")


def render(path_title: str, figures: Sequence[figure], lazy: Sequence[figure], variables: dict[str, Any]) -> str:
    """The page as text.

    `figures` are drawn when the page opens, `lazy` figures when they come into view. `variables` are the variables of
    templates/page.html.
    """
    variables = variables | {
        "measures": MEASURES,
        "plots": {plot.name: json_item(plot, ID(str(plot.name))) for plot in lazy},
        "limit_color": LIMIT_COLOR,
        "heights": {plot.name: plot.height for plot in lazy},
    }
    template, document = environment().get_template("page.html"), Document()
    # Speed: without this, Bokeh visits all models again for each root.
    with document.models.freeze():
        for plot in figures:
            document.add_root(plot)
    return file_html(document, INLINE, path_title, template=template, template_variables=variables)
