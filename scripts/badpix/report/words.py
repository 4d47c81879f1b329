"""Labels of the page, and the markers of the pixel types on the map."""

from dataclasses import dataclass

from badpix.formats.markers import ADDED, INTERMITTENT, MANUAL, PLAIN, REMOVED, Marker
from badpix.formats.pixel_types import PIXEL_TYPES
from badpix.vote import flat_types
from badpix.vote.dark_official import OFFICIAL_TESTS
from badpix.vote.searches.registry import SEARCHES


@dataclass(frozen=True)
class Look:
    """A layer of the map: its label and its marker."""

    label: str
    marker: Marker


LOOKS = {name: Look(pixel_type.label, pixel_type.marker) for name, pixel_type in PIXEL_TYPES.items()} | {
    "other": Look("Manual flags only", MANUAL),
    "intermittent": Look("Intermittent (not flagged)", INTERMITTENT),
    "added": Look("Flagged now, not before", ADDED),
    "removed": Look("Flagged before, not now", REMOVED),
}

# Test -> label.
TESTS = (
    {test.name: test.label for test in OFFICIAL_TESTS}
    | {count.name: count.label for search in SEARCHES for count in search.counts}
    | flat_types.LABELS
    # Limits on the slope without a vote of their own.
    | {"hot_rate": "Slope of a hot pixel", "cold_rate": "Slope of a cold pixel"}
)
# Quantity -> title and unit.
QUANTITIES: dict[str, tuple[str, str]] = {
    "PEDESTAL": ("Pedestal (fitopt)", "DN"),
    "PEDESTAL_T0": ("Pedestal at the reset", "DN"),
    "PEDESTAL_REL": ("Second raw group to pedestal (fitopt)", "DN"),
    "PEDESTAL_REL_T0": ("Second raw group to pedestal at the reset", "DN"),
    "NJUMP": ("Jumps", "groups"),
    "NSAT": ("Saturated groups", "groups"),
    "RESPONSE": ("Response in flats", "of the surrounding level"),
    "NOISE": ("Scatter of jump-free slopes", "DN/s"),
}
for _search in SEARCHES:
    QUANTITIES |= {m.quantity: (m.title, m.unit) for m in _search.measures.values() if m.quantity}
    QUANTITIES.update(_search.titles)
# Labels of the limits that are listed in the inspector.
LIMITS = {
    "JUMP_RATIO": "rate of early jumps over rate of late jumps",
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
