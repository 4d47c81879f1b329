"""What the page calls things, and how each type of bad pixel looks on the map."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """A layer of the map: its label, colour (of a palette that colour-blind readers can tell apart) and marker.

    Markers differ by shape, so that the map can be read without colour; `outline` is the same shape as an SVG path in a
    square from -5 to 5.
    """

    label: str
    color: str
    marker: str
    outline: str


SQUARE = "M-3.6,-3.6H3.6V3.6H-3.6Z"
CIRCLE = "M4,0A4,4 0 1,1 -4,0A4,4 0 1,1 4,0Z"
STAR = "M0,-5L1.2,-1.6 4.8,-1.5 1.9,0.6 2.9,4 0,2 -2.9,4 -1.9,0.6 -4.8,-1.5 -1.2,-1.6Z"
LOOKS = {
    "hot": Look("Hot", "#D55E00", "circle", CIRCLE),
    "warm": Look("Warm", "#B97A00", "triangle", "M0,-4.5L4.3,3.5H-4.3Z"),
    "rc": Look("RC", "#0072B2", "square", SQUARE),
    "inverse_rc": Look("Inverse RC", "#2E8FC7", "diamond", "M0,-5L3.6,0 0,5 -3.6,0Z"),
    "low_pedestal": Look("Low pedestal", "#009E73", "inverted_triangle", "M0,4.5L4.3,-3.5H-4.3Z"),
    "high_cr": Look("High CR / telegraph", "#B0478A", "cross", "M-4.5,0H4.5M0,-4.5V4.5"),
    "noisy": Look("Noisy", "#5B4BA8", "asterisk", "M-4.5,0H4.5M0,-4.5V4.5M-3.2,-3.2L3.2,3.2M-3.2,3.2L3.2,-3.2"),
    "DEAD": Look("Dead", "#1A1A1A", "x", "M-3.8,-3.8L3.8,3.8M-3.8,3.8L3.8,-3.8"),
    "LOW_QE": Look("Low QE", "#7A6A00", "hex", "M4.4,0L2.2,3.8H-2.2L-4.4,0 -2.2,-3.8H2.2Z"),
    "OPEN": Look("Open", "#882255", "star", STAR),
    "ADJ_OPEN": Look("Adjacent to open", "#767676", "y", "M0,0V4.8M0,0L4,-2.6M0,0L-4,-2.6"),
    "other": Look("By hand only", "#444444", "square_x", SQUARE + "L3.6,3.6M-3.6,3.6L3.6,-3.6"),
    "intermittent": Look("Bad at times (not flagged)", "#008080", "circle_dot", CIRCLE + "M.5,0H-.5"),
    "added": Look("Flagged now, not before", "#C1121F", "square_cross", SQUARE + "M-3.6,0H3.6M0,-3.6V3.6"),
    "removed": Look("Flagged before, not now", "#00509D", "circle_x", CIRCLE + "M-2.8,-2.8L2.8,2.8M-2.8,2.8L2.8,-2.8"),
}
PLAIN = Look("", "#444444", "circle", CIRCLE)

TESTS = {
    "saturated": "Saturated in every group",
    "high_pedestal": "High pedestal",
    "low_pedestal": "Low pedestal",
    "rc_jumps": "Many jumps, most of them early",
    "many_jumps": "Many jumps",
    "noisy": "Scatter of jump-free slopes",
    "rate": "High slope",
    "cds_noise": "Noise of group differences",
    "first_rc": "First difference above the late ones",
    "early_rc": "Early differences above the late ones",
    "first_inverse_rc": "First difference below the late ones",
    "early_inverse_rc": "Early differences below the late ones",
    "falls": "Falls (jumps downwards)",
    "DEAD": "Response of a dead pixel",
    "LOW_QE": "Low response",
    "OPEN": "Low response between bright neighbours",
    "ADJ_OPEN": "Beside an open pixel",
}
# Quantity -> title and unit.
QUANTITIES = {
    "SLOPE": ("Slope in darks", "DN/s"),
    "PEDESTAL": ("Pedestal (fitopt)", "DN"),
    "PEDESTAL_T0": ("Pedestal at the reset", "DN"),
    "PEDESTAL_REL": ("Second raw group to pedestal (fitopt)", "DN"),
    "PEDESTAL_REL_T0": ("Second raw group to pedestal at the reset", "DN"),
    "NJUMP": ("Jumps", "groups"),
    "NSAT": ("Saturated groups", "groups"),
    "READ_NOISE": ("Noise of group differences, without shot noise", "ln DN"),
    "CDS_FIRST - CDS_LATE": ("First difference, from the late ones", "DN/group"),
    "CDS_EARLY - CDS_LATE": ("Early differences, from the late ones", "DN/group"),
    "NFALL": ("Falls", "groups"),
    "RESPONSE": ("Response in flats", "of the level around it"),
    "NOISE": ("Scatter of jump-free slopes", "DN/s"),
}
# Limits on something that is no quantity of its own.
LIMITS = {
    "EXCESS / (SLOPE x TGROUP)": "excess over what the pixel collects in a group",
    "EXCESS / CDS_LATE": "excess over the late difference",
    "JUMP_RATIO": "ratio of jumps",
    "RESPONSE of neighbours (all)": "response of all neighbours",
    "RESPONSE of neighbours (mean)": "mean response of the neighbours",
    "LAST_GROUPS": "mean of the last raw groups",
    "RESPONSE": "response",
    "NJUMP": "jumps",
    "NOISE": "scatter",
    "RISES": "jumps upwards",
}


def look(name):
    """The Look of a type or layer; a new type gets a plain one under its own name."""
    return LOOKS.get(name) or Look(name, PLAIN.color, PLAIN.marker, PLAIN.outline)


def title(quantity):
    """What the page calls a quantity, and its unit."""
    return QUANTITIES.get(quantity, (quantity, ""))
