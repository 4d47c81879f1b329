"""The types of bad pixel, each defined once: flags, priorities, plots and checks of all stages follow from it."""

import itertools
from dataclasses import dataclass

from badpix.formats.markers import CIRCLE, DO_NOT_USE, FURTHER, MANUAL, SQUARE, Marker
from badpix.instrument.dq import MASK_FLAGS

DARK, FLAT = "dark", "flat"


@dataclass(frozen=True)
class PixelType:
    """A type of bad pixel.

    `kind` is the kind of exposures that show the type (DARK, FLAT). `flags` are its DQ mnemonics in the mask unless
    `flag_values` replaces them. A type without flags gets the flags of the type `flagged_as`, an earlier entry of
    PIXEL_TYPES. `explained_by` are the types with priority over this type where types exclude each other.
    """

    name: str
    kind: str
    label: str
    marker: Marker
    flags: tuple[str, ...] = ()
    flagged_as: str | None = None
    explained_by: tuple[str, ...] = ()


HALO_TYPE = "ipc_neighbor"
_STAR = "M0,-5L1.2,-1.6 4.8,-1.5 1.9,0.6 2.9,4 0,2 -2.9,4 -1.9,0.6 -4.8,-1.5 -1.2,-1.6Z"

# Priorities: every other defect makes a pixel noisy. The ramp of an RC pixel is curved, so its slope is high and its
# steep start looks like many jumps. The ramp of an inverse RC pixel starts low. An open pixel is dark because its
# charge moves to its neighbours.
PIXEL_TYPES = {
    pixel_type.name: pixel_type
    for pixel_type in (
        PixelType("hot", DARK, "Hot", Marker("#D55E00", "circle", CIRCLE), ("HOT",),
                  explained_by=("rc", "inverse_rc")),
        PixelType("rc", DARK, "RC", Marker("#0072B2", "square", SQUARE), ("RC",)),
        PixelType("low_pedestal", DARK, "Low pedestal",
                  Marker("#009E73", "inverted_triangle", "M0,4.5L4.3,-3.5H-4.3Z"), ("OTHER_BAD_PIXEL",),
                  explained_by=("inverse_rc",)),
        PixelType("high_cr", DARK, "High CR / telegraph",
                  Marker("#B0478A", "cross", "M-4.5,0H4.5M0,-4.5V4.5"), ("TELEGRAPH",),
                  explained_by=("rc", "inverse_rc")),
        PixelType("noisy", DARK, "Noisy",
                  Marker("#5B4BA8", "asterisk", "M-4.5,0H4.5M0,-4.5V4.5M-3.2,-3.2L3.2,3.2M-3.2,3.2L3.2,-3.2"),
                  flagged_as="high_cr", explained_by=("hot", "rc", "inverse_rc", "high_cr")),
        # The official algorithm has no warm type, and calls both kinds of RC pixel RC.
        PixelType("warm", DARK, "Warm", Marker("#B97A00", "triangle", "M0,-4.5L4.3,3.5H-4.3Z"), ("WARM",),
                  explained_by=("rc", "inverse_rc")),
        PixelType("inverse_rc", DARK, "Inverse RC", Marker("#2E8FC7", "diamond", "M0,-5L3.6,0 0,5 -3.6,0Z"), ("RC",)),
        # NIRISS's masks have such pixels as OTHER_BAD_PIXEL. A pixel without a response has no dark current either.
        PixelType("cold", DARK, "Cold",
                  Marker("#3A4FB0", "plus", "M-1.5,-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5Z"),
                  ("OTHER_BAD_PIXEL",), explained_by=("rc", "inverse_rc", "high_cr", "DEAD", "OPEN")),
        # Signal of a bad neighbour by capacitive coupling: the pixel is sound, so a type of its own explains more.
        PixelType(HALO_TYPE, DARK, "Halo of a neighbour", Marker("#8A6D9E", "circle_cross", CIRCLE + "M-4,0H4M0,-4V4"),
                  ("OTHER_BAD_PIXEL",),
                  explained_by=("hot", "rc", "low_pedestal", "high_cr", "noisy", "warm", "inverse_rc", "cold")),
        PixelType("DEAD", FLAT, "Dead", Marker("#1A1A1A", "x", "M-3.8,-3.8L3.8,3.8M-3.8,3.8L3.8,-3.8"), ("DEAD",),
                  explained_by=("OPEN",)),
        PixelType("LOW_QE", FLAT, "Low QE",
                  Marker("#7A6A00", "hex", "M4.4,0L2.2,3.8H-2.2L-4.4,0 -2.2,-3.8H2.2Z"), ("LOW_QE",),
                  explained_by=("OPEN", "DEAD")),
        PixelType("OPEN", FLAT, "Open", Marker("#882255", "star", _STAR, solid=True), ("OPEN",)),
        PixelType("ADJ_OPEN", FLAT, "Adjacent to open",
                  Marker("#767676", "y", "M0,0V4.8M0,0L4,-2.6M0,0L-4,-2.6"), ("ADJ_OPEN",)),
    )
}  # fmt: skip

DARK_TYPES = tuple(name for name, pixel_type in PIXEL_TYPES.items() if pixel_type.kind == DARK)
FLAT_TYPES = tuple(name for name, pixel_type in PIXEL_TYPES.items() if pixel_type.kind == FLAT)


def _flag_markers() -> dict[str, Marker]:
    markers = {
        pixel_type.flags[0]: pixel_type.marker for pixel_type in reversed(PIXEL_TYPES.values()) if pixel_type.flags
    }
    # OTHER_BAD_PIXEL is the flag of several unlike types.
    markers |= {"DO_NOT_USE": DO_NOT_USE, "OTHER_BAD_PIXEL": MANUAL}
    return markers | dict(zip((name for name in MASK_FLAGS if name not in markers), itertools.cycle(FURTHER)))


# DQ flag -> marker: that of the first type with the flag.
FLAG_MARKERS = _flag_markers()
