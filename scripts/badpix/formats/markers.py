"""Markers and colours of all pictures: a type of bad pixel looks the same in the report pages and in every plot."""

from dataclasses import dataclass
from typing import Any

# Thresholds, and the bars of histograms.
LIMIT_COLOR, BAR_COLOR = "#B34A00", "#8fa6bb"

# Name of Bokeh -> marker of matplotlib.
_MATPLOTLIB: dict[str, Any] = {
    "circle": "o", "square": "s", "inverted_triangle": "v", "cross": "+", "asterisk": (8, 2, 0), "triangle": "^",
    "diamond": "d", "plus": "P", "circle_cross": r"$\oplus$", "x": "x", "hex": "h", "star": "*", "y": "1",
    "square_x": r"$\boxtimes$", "circle_dot": r"$\odot$", "square_cross": r"$\boxplus$", "circle_x": r"$\otimes$",
    "square_dot": r"$\boxdot$", "circle_y": "3", "triangle_pin": "2", "diamond_dot": "D",
    "square_pin": "4", "hex_dot": "H", "triangle_dot": "<", "star_dot": "p", "dash": "_", "dot": ".",
}  # fmt: skip


@dataclass(frozen=True)
class Marker:
    """The marker of a type on a map.

    `color` is from a palette that is safe for colour-blind readers. `glyph` is Bokeh's name of the shape; each type has
    its own shape, so that a map can be read without colour. `outline` is the same shape as an SVG path in a square from
    -5 to 5. A `solid` marker is filled, so that it is seen among the marks of its neighbours.
    """

    color: str
    glyph: str
    outline: str
    solid: bool = False

    @property
    def fill_alpha(self) -> float:
        return 1.0 if self.solid else 0.15

    @property
    def matplotlib(self) -> dict[str, Any]:
        """Keyword arguments of matplotlib's `plot`: colour and marker, filled faintly as in the report page."""
        return {
            "color": self.color, "marker": _MATPLOTLIB[self.glyph], "markeredgecolor": self.color,
            "markerfacecolor": (self.color, self.fill_alpha),
        }  # fmt: skip


SQUARE = "M-3.6,-3.6H3.6V3.6H-3.6Z"
CIRCLE = "M4,0A4,4 0 1,1 -4,0A4,4 0 1,1 4,0Z"

PLAIN = Marker("#444444", "circle", CIRCLE)
MANUAL = Marker("#444444", "square_x", SQUARE + "L3.6,3.6M-3.6,3.6L3.6,-3.6")
INTERMITTENT = Marker("#008080", "circle_dot", CIRCLE + "M.5,0H-.5")
# Changes from a former mask.
ADDED = Marker("#C1121F", "square_cross", SQUARE + "M-3.6,0H3.6M0,-3.6V3.6")
REMOVED = Marker("#00509D", "circle_x", CIRCLE + "M-2.8,-2.8L2.8,2.8M-2.8,2.8L2.8,-2.8")
# Flags that no single type has.
DO_NOT_USE = Marker("#4D7C0F", "square_dot", SQUARE + "M.5,0H-.5")
FURTHER = tuple(
    Marker(("#A6559A", "#C2570C", "#3D7A7A")[number % 3], glyph, CIRCLE)
    for number, glyph in enumerate(
        ("circle_y", "triangle_pin", "diamond_dot", "square_pin", "hex_dot", "triangle_dot", "star_dot", "dash", "dot")
    )
)
