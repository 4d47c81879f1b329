"""The picture of each type of bad pixel: ramps of real exposures, and the quantity that decides, with its limits."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gallery_style import HEALTHY, HEALTHY_COLOR, JUMP, OUTLINED, SATURATED, legend, new_figure, show_image, show_limit
from matplotlib.lines import Line2D

from badpix.formats.markers import INTERMITTENT, LIMIT_COLOR, Marker
from badpix.formats.pixel_types import FLAT_TYPES, PIXEL_TYPES
from badpix.vote.searches.noise import read_noise_of_differences
from badpix.vote.searches.rate import slope_or_saturated

N_RAMPS = 3  # exposures in a picture
STYLES = ("-", "--", ":")
MARGIN = 6  # distance of an example from the border of the array
HALF = 2  # of the neighbourhood: 5 x 5 pixels


@dataclass(frozen=True)
class Quantity:
    """The quantity of the right panel: `of` computes its image from the planes of a dark.

    `tests` maps a test to the label of its limit; only limits on the quantity `name` are drawn. `convert` is applied to
    the limits.
    """

    name: str
    label: str
    of: Callable
    tests: dict
    convert: Callable = float
    log: bool = False


def _noise(planes):
    return np.exp(read_noise_of_differences(planes, planes["times"], np.arange(planes["SLOPE"].size)))


SLOPE = "SLOPE"
VOTE = "limit of a vote"
QUANTITIES = {
    "hot": Quantity(
        SLOPE, "slope (DN/s)", lambda p: slope_or_saturated(p[SLOPE], p["NSAT"]),
        {"hot_rate": "limit of hot", "rate": VOTE}, log=True,
    ),
    "warm": Quantity(SLOPE, "slope (DN/s)", lambda p: p[SLOPE], {"rate": "limit of warm"}),
    "rc": Quantity(
        "CDS_FIRST - CDS_LATE", "first minus late difference (DN/group)", lambda p: p["CDS_FIRST"] - p["CDS_LATE"],
        {"first_rc": VOTE},
    ),
    "inverse_rc": Quantity(
        "CDS_FIRST - CDS_LATE", "first minus late difference (DN/group)", lambda p: p["CDS_FIRST"] - p["CDS_LATE"],
        {"first_inverse_rc": VOTE},
    ),
    "low_pedestal": Quantity(
        "PEDESTAL_T0", "pedestal at the reset (DN)", lambda p: p["PEDESTAL_T0"], {"low_pedestal": VOTE}
    ),
    "high_cr": Quantity(
        "N_JUMP_DOWN", "downward jumps (groups)", lambda p: p["N_JUMP_DOWN"].astype(float), {"jumps_down": VOTE}
    ),
    "slow_telegraph": Quantity(
        "PEDESTAL_T0", "pedestal at the reset (DN)", lambda p: p["PEDESTAL_T0"], {"pedestal_change": VOTE}
    ),
    "noisy": Quantity(
        "READ_NOISE", "noise of group differences (DN)", _noise, {"cds_noise": VOTE}, convert=np.exp
    ),
    "cold": Quantity(
        SLOPE, "slope (DN/s)", lambda p: p[SLOPE], {"cold_rate": "limit of cold", "low_rate": VOTE}
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Example:
    """A pixel of a detector that stands for a type: place, planted type and strength in words, and its neighbour."""

    y: int
    x: int
    planted: str
    healthy: tuple[int, int]


def choose(detector, name, planted, strength, preset="flight"):
    """The Example of the found type `name`, of the planted types `planted`, with the nearest strength.

    Pixels of several types, of clusters and beside the border are left out. ValueError without such a pixel.
    """
    pixels, evidence = detector.truth.pixels, detector.evidence[preset]
    n_rows, n_columns = detector.truth.codes.shape
    best = None
    for pixel in pixels[pixels["type"].isin(planted) & (pixels["group"] == "")].itertuples():
        inside = MARGIN <= pixel.y < n_rows - MARGIN and MARGIN <= pixel.x < n_columns - MARGIN
        intermittent = name == "intermittent" and evidence.intermittent[pixel.y, pixel.x]
        found = detector.found_types(preset, pixel.y, pixel.x)
        if not inside or not (found == [name] or (intermittent and not found)):
            continue
        distance = abs(np.log(max(pixel.strength, 1e-3) / strength))
        if best is None or distance < best[0]:
            best = distance, pixel
    if best is None:
        raise ValueError(f"no pixel of the planted types {planted} is found as {name} alone; choose another seed")
    pixel = best[1]
    words = f"{pixel.type}, {pixel.strength:.4g} {pixel.strength_unit}"
    if pixel.phase >= 0:
        words += f", bad in {pixel.bad_of_8} of 8 exposures"
    return Example(pixel.y, pixel.x, words, healthy_beside(detector, pixel.y, pixel.x))


def healthy_beside(detector, y, x):
    """The nearest pixel (y, x) without planted type, halo, or finding, two pixels away at least."""
    truth, evidence = detector.truth, detector.evidence["flight"]
    healthy = (truth.codes == 0) & (truth.adjacent_to_open == 0) & (evidence.found == 0)
    # Without a cosmic ray in the darks that are shown.
    for planes in list(detector.statistics.values())[:N_RAMPS]:
        healthy &= planes["NJUMP"] == 0
    if truth.coupled is not None:
        healthy &= truth.coupled == 0
    rows, columns = np.nonzero(healthy)
    distance = np.hypot(rows - y, columns - x)
    distance[distance < HALF] = np.inf
    nearest = int(np.argmin(distance))
    return int(rows[nearest]), int(columns[nearest])


def marker_of(name) -> Marker:
    return INTERMITTENT if name == "intermittent" else PIXEL_TYPES[name].marker


def draw_ramps(axes, detector, kind, place, style, names, marks=True):
    """Draw the ramps of a pixel in the exposures `names`; returns whether jumps and saturated groups are marked."""
    shown = [False, False]
    for name, dashes in zip(names, STYLES * len(names), strict=False):
        time, signal, flags = detector.ramps(kind, name, *place)
        axes.plot(time, signal, **({"linestyle": dashes} | style))
        if not marks:
            continue
        for number, (bit, mark) in enumerate(((1, JUMP), (2, SATURATED))):
            flagged = (flags & bit) > 0
            if flagged.any():
                axes.plot(time[flagged], signal[flagged], linestyle="", **mark)
                shown[number] = True
    label = "signal (DN)" if kind == "dark" else "raw counts since the first group (DN)"
    axes.set(xlabel="time since the reset (s)", ylabel=label)
    return shown


def ramp_legend(axes, style, kind, shown, n_exposures, more=()):
    """A legend above the axes: this pixel, a healthy pixel, jumps and saturated groups as far as `shown`."""
    handles = [
        Line2D([], [], **style, label=f"this pixel, {n_exposures} {kind}{'s' * (n_exposures > 1)}"),
        *more,
        Line2D([], [], **HEALTHY, label="healthy pixel beside it"),
    ]
    marks = zip(shown, ((JUMP, "jump"), (SATURATED, "saturated")), strict=True)
    handles += [Line2D([], [], linestyle="", **mark, label=label) for is_shown, (mark, label) in marks if is_shown]
    legend(axes, 3 if len(handles) > 4 else 2, handles=handles)


def draw_votes(axes, detector, example, name, quantity):
    """Draw the quantity of the pixel and of the healthy pixel in each dark, with the limits."""
    numbers = np.arange(1, len(detector.statistics) + 1)
    planes = list(detector.statistics.values())
    values = np.array([quantity.of(p)[example.y, example.x] for p in planes])
    healthy = np.array([quantity.of(p)[example.healthy] for p in planes])
    for (test, label), dashes in zip(quantity.tests.items(), STYLES, strict=False):
        for row in detector.evidence["flight"].limits(test, quantity.name):
            if row.exposure and row.region in (0, 1):
                number = 1 + list(detector.statistics).index(row.exposure)
                show_limit(axes, number, quantity.convert(row.value), dashes)
        axes.plot([], [], color=LIMIT_COLOR, linestyle=dashes, label=label)
    axes.plot(numbers, healthy, linestyle="", marker="o", markersize=4, color=HEALTHY_COLOR, label="healthy pixel")
    style = marker_of(name).matplotlib | {"markeredgewidth": 1.5}
    axes.plot(numbers, values, linestyle="", markersize=7, label="this pixel", **style)
    axes.set(xlabel="number of the dark", ylabel=quantity.label, xticks=numbers)
    if quantity.log:
        axes.set_yscale("symlog", linthresh=0.1)
        axes.set_ylim(-0.05, 3 * np.nanmax(values))
    legend(axes)


def draw_dark_type(detector, name, example, stronger=None, quantity=None):
    """The picture of a type that darks show: ramps, also of a `stronger` Example, and the quantity that decides.

    `quantity` is its key in QUANTITIES, if it is not the name of the type.
    """
    figure, (left, right) = new_figure()
    style = {"color": marker_of(name).color, "linewidth": 1.3}
    names = detector.names("dark")
    if name == "intermittent":
        # A dark with and one without the signal.
        slopes = [p[SLOPE][example.y, example.x] for p in detector.statistics.values()]
        names = [names[int(np.nanargmax(slopes))], names[int(np.nanargmin(slopes))]]
    names = names[:N_RAMPS]
    draw_ramps(left, detector, "dark", example.healthy, HEALTHY, names, marks=False)
    shown = draw_ramps(left, detector, "dark", (example.y, example.x), style, names)
    more = ()
    if stronger is not None:
        dashed = style | {"linestyle": "-.", "linewidth": 1.6}
        shown = draw_ramps(left, detector, "dark", (stronger.y, stronger.x), dashed, names[:1])
        more = (Line2D([], [], **dashed, label="a hotter pixel"),)
    ramp_legend(left, style, "dark", shown, len(names), more)
    draw_votes(right, detector, example, name, QUANTITIES[quantity or name])
    return figure


def neighbourhood(image, y, x):
    """The 5 x 5 pixels of `image` around (y, x)."""
    return image[y - HALF : y + HALF + 1, x - HALF : x + HALF + 1]


def draw_halo(detector, example, source):
    """The picture of a halo: ramps of the pixel and of its source over 200, and the slopes around the source."""
    figure, (left, right) = new_figure()
    style = {"color": marker_of("ipc_neighbor").color, "linewidth": 1.3}
    names = detector.names("dark")[:1]
    draw_ramps(left, detector, "dark", example.healthy, HEALTHY, names, marks=False)
    shown = draw_ramps(left, detector, "dark", (example.y, example.x), style, names)
    time, signal, _ = detector.ramps("dark", names[0], *source)
    scaled = {"color": PIXEL_TYPES["hot"].marker.color, "linewidth": 1.3, "linestyle": "--"}
    left.plot(time, signal / 200, **scaled)
    ramp_legend(left, style, "dark", shown, 1, (Line2D([], [], **scaled, label="hot neighbour / 200"),))
    slopes = np.median([p[SLOPE] for p in detector.statistics.values()], axis=0)
    show_image(figure, right, neighbourhood(slopes, *source), source, "median slope (DN/s)", log=True)
    style = marker_of("ipc_neighbor").matplotlib | {"markersize": 9, "linestyle": ""}
    right.plot(example.x, example.y + 0.25, label="ipc_neighbor", path_effects=OUTLINED, **style)
    legend(right)
    return figure


def draw_flat_type(detector, name, example, centre):
    """The picture of a type that flats show: ramps, and the response of the pixels around `centre` (y, x)."""
    figure, (left, right) = new_figure()
    style = {"color": marker_of(name).color, "linewidth": 1.3}
    names = detector.names("flat")[:N_RAMPS]
    draw_ramps(left, detector, "flat", example.healthy, HEALTHY, names, marks=False)
    shown = draw_ramps(left, detector, "flat", (example.y, example.x), style, names)
    ramp_legend(left, style, "flat", shown, len(names))
    response = detector.evidence["flight"].measured["RESPONSE"]
    show_image(figure, right, neighbourhood(response, *centre), centre, "normalised response")
    found = {kind: detector.evidence["flight"].is_found(kind) for kind in FLAT_TYPES}
    for kind, image in found.items():
        rows, columns = np.nonzero(neighbourhood(image, *centre))
        places = {"x": columns + centre[1] - HALF, "y": rows + centre[0] - HALF + 0.3}
        right.plot(
            places["x"],
            places["y"],
            markersize=7,
            linestyle="",
            label=kind,
            path_effects=OUTLINED,
            **marker_of(kind).matplotlib,
        )
    handles, labels = right.get_legend_handles_labels()
    kept = [i for i, label in enumerate(labels) if handles[i].get_xdata().size]
    legend(right, 2, handles=[handles[i] for i in kept], labels=[labels[i] for i in kept])
    return figure
