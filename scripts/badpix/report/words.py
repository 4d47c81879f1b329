"""Labels of the page, and the markers of the pixel types on the map."""

from dataclasses import dataclass

from badpix.formats.pixel_types import CIRCLE, PIXEL_TYPES, SQUARE, Marker
from badpix.vote import flat_types
from badpix.vote.dark_official import OFFICIAL_TESTS
from badpix.vote.searches.registry import SEARCHES


@dataclass(frozen=True)
class Look:
    """A layer of the map: its label and its marker."""

    label: str
    marker: Marker


LOOKS = {name: Look(pixel_type.label, pixel_type.marker) for name, pixel_type in PIXEL_TYPES.items()} | {
    "other": Look("Manual flags only", Marker("#444444", "square_x", SQUARE + "L3.6,3.6M-3.6,3.6L3.6,-3.6")),
    "intermittent": Look("Intermittent (not flagged)", Marker("#008080", "circle_dot", CIRCLE + "M.5,0H-.5")),
    "added": Look("Flagged now, not before", Marker("#C1121F", "square_cross", SQUARE + "M-3.6,0H3.6M0,-3.6V3.6")),
    "removed": Look("Flagged before, not now",
                    Marker("#00509D", "circle_x", CIRCLE + "M-2.8,-2.8L2.8,2.8M-2.8,2.8L2.8,-2.8")),
}  # fmt: skip
PLAIN = Marker("#444444", "circle", CIRCLE)

# Test -> label.
TESTS = (
    {test.name: test.label for test in OFFICIAL_TESTS}
    | {count.name: count.label for search in SEARCHES for count in search.counts}
    | flat_types.LABELS
)
# Quantity -> title and unit.
QUANTITIES: dict[str, tuple[str, str]] = {
    "PEDESTAL": ("Pedestal (fitopt)", "DN"),
    "PEDESTAL_T0": ("Pedestal at the reset", "DN"),
    "PEDESTAL_REL": ("Second raw group to pedestal (fitopt)", "DN"),
    "PEDESTAL_REL_T0": ("Second raw group to pedestal at the reset", "DN"),
    "NJUMP": ("Jumps", "groups"),
    "NSAT": ("Saturated groups", "groups"),
    "RESPONSE": ("Response in flats", "relative to the surrounding level"),
    "NOISE": ("Scatter of jump-free slopes", "DN/s"),
}
for _search in SEARCHES:
    QUANTITIES |= {m.quantity: (m.title, m.unit) for m in _search.measures.values() if m.quantity}
    QUANTITIES.update(_search.titles)
# Labels of the limits that are listed in the inspector.
LIMITS = {
    "JUMP_RATIO": "ratio of jumps",
    "RESPONSE of neighbours (all)": "response of all neighbours",
    "RESPONSE of neighbours (mean)": "mean response of the neighbours",
    "LAST_GROUPS": "mean of the last raw groups",
    "RESPONSE": "response",
    "NJUMP": "jumps",
    "NOISE": "scatter",
}
for _search in SEARCHES:
    LIMITS |= {m.further.quantity: m.further.label for m in _search.measures.values() if m.further}


def look(name: str) -> Look:
    """The Look of a type or layer; a type without a Look gets its name and a plain marker."""
    return LOOKS.get(name) or Look(name, PLAIN)


def title(quantity: str) -> tuple[str, str]:
    """Title and unit of a quantity."""
    return QUANTITIES.get(quantity, (quantity, ""))
