"""The pictures of docs/explanation/algorithm.md: pedestals, jumps, the vote, the response, the limits by exposures."""

import numpy as np
from gallery_style import GREY, HEALTHY_COLOR, JUMP, legend, new_figure, show_limit
from gallery_types import choose, healthy_beside

from badpix.formats.markers import INTERMITTENT, LIMIT_COLOR
from badpix.formats.pixel_types import PIXEL_TYPES
from badpix.vote.significance import significance, vote_sigma
from badpix.vote.tally import votes_needed

PROBABILITY = 1e-6  # false_flags_per_million: 1


def color_of(name):
    return PIXEL_TYPES[name].marker.color


def pedestals(detector):
    """The first groups of a hot pixel, its fit, and the pedestals of fitopt and of the extrapolation to the reset."""
    example = choose(detector, "hot", ("hot",), 300.0)
    name = detector.names("dark")[0]
    time, signal, _ = detector.ramps("dark", name, example.y, example.x)
    planes = detector.statistics[name]
    slope, at_reset, fitopt = (float(planes[p][example.y, example.x]) for p in ("SLOPE", "PEDESTAL_T0", "PEDESTAL"))
    figure, (left, right) = new_figure(widths=(1.1, 1))
    first = slice(0, 5)
    grid = np.array([0, time[first][-1]])
    left.plot(time[first], signal[first], "o", color=color_of("hot"), label="groups of a hot pixel")
    left.plot(grid, at_reset + slope * grid, color=color_of("hot"), linewidth=1, label="fitted slope")
    left.plot(0, at_reset, "D", color=color_of("rc"), markersize=8, label=f"at the reset (t0): {at_reset:.0f} DN")
    left.plot(time[0] - 1, fitopt, "s", color="#1A1A1A", markersize=7, label=f"fitopt: {fitopt:.0f} DN")
    left.axhline(0, color=GREY, linewidth=0.8)
    left.set(xlabel="time since the reset (s)", ylabel="signal (DN)")
    legend(left)
    # Hot and healthy pixels of a dark: the pedestal of fitopt grows with the slope.
    codes = dict(zip(detector.truth.types["NAME"], detector.truth.types["CODE"], strict=True))
    healthy = (detector.truth.codes == 0) & (detector.truth.coupled == 0)
    chosen = healthy | (detector.truth.codes == codes["hot"])
    for plane, label, style in (
        ("PEDESTAL", "fitopt", {"marker": "s", "color": "#1A1A1A", "markersize": 3}),
        ("PEDESTAL_T0", "at the reset (t0)", {"marker": "D", "color": color_of("rc"), "markersize": 3}),
    ):
        right.plot(planes["SLOPE"][chosen], planes[plane][chosen], linestyle="", label=label, **style)
    values = planes["PEDESTAL_T0"][healthy]
    limit = np.nanmean(values) + 5 * np.nanstd(values)
    right.axhline(limit, color=LIMIT_COLOR, linewidth=1.5, label="mean + 5 std")
    right.set_xscale("symlog", linthresh=1)
    right.set_yscale("symlog", linthresh=100)
    right.set(xlabel="slope (DN/s)", ylabel="pedestal (DN)", xlim=(-0.3, None))
    legend(right)
    return figure


def jumps(detector):
    """Differences between groups of a telegraph pixel, an RC pixel and a healthy pixel with a cosmic ray."""
    figure, panels = new_figure(widths=(1, 1, 1), height=3.1, legend_lines=0)
    chosen = {
        "high_cr": ("telegraph noise: up and down", choose(detector, "high_cr", ("telegraph",), 150.0)),
        "rc": ("RC: jumps of the early window", choose(detector, "rc", ("rc",), 1200.0)),
        "healthy": ("healthy: a cosmic ray, up once", None),
    }
    for axes, (name, (title, example)) in zip(panels, chosen.items(), strict=True):
        dark = detector.names("dark")[1]
        place = hit_by_a_ray(detector, dark) if example is None else (example.y, example.x)
        time, signal, flags = detector.ramps("dark", dark, *place)
        color = HEALTHY_COLOR if example is None else color_of(name)
        axes.plot(time, signal, color=color, linewidth=1.2, marker=".", markersize=4)
        flagged = flags & 1 > 0
        axes.plot(time[flagged], signal[flagged], linestyle="", **JUMP, label="group with a jump")
        n_window = int(0.25 * len(time))
        axes.axvspan(0, time[n_window - 1], color="#E8E8E8", zorder=0)
        axes.axvspan(time[-n_window], time[-1], color="#E8E8E8", zorder=0)
        for seconds, words in ((time[0], "early"), (time[-n_window], "late")):
            axes.text(seconds, 0.93, words, transform=axes.get_xaxis_transform(), fontsize=8, color="#505050")
        axes.margins(y=0.16)
        axes.set_title(title, fontsize=9, loc="left")
        axes.set(xlabel="time since the reset (s)")
    panels[0].set(ylabel="signal (DN)")
    panels[0].legend(loc="center", fontsize=8, bbox_to_anchor=(0.5, 0.55))
    return figure


def hit_by_a_ray(detector, dark):
    """The healthy pixel (y, x) with a single upward jump of the most typical strong cosmic ray in the middle."""
    planes, truth = detector.statistics[dark], detector.truth
    healthy = (truth.codes == 0) & (detector.evidence["flight"].found == 0) & (truth.coupled == 0)
    candidates = np.argwhere(healthy & (planes["NJUMP"] == 1) & (planes["N_JUMP_UP"] == 1))
    steps = []
    for y, x in candidates:
        _, signal, flags = detector.ramps("dark", dark, y, x)
        group = int(np.flatnonzero(flags & 1)[0])
        steps.append(abs(signal[group] - signal[group - 1] - 300) if 10 < group < 20 else np.inf)
    return tuple(int(i) for i in candidates[int(np.argmin(steps))])


def vote(detector):
    """Slopes of a hot and of an intermittent pixel in each dark, with the limits; and the votes that are needed."""
    figure, (left, right) = new_figure()
    hot = choose(detector, "hot", ("hot",), 30.0)
    sometimes = choose(detector, "intermittent", ("intermittent_hot",), 150.0)
    numbers = np.arange(1, len(detector.statistics) + 1)
    slopes = [p["SLOPE"] for p in detector.statistics.values()]
    healthy = healthy_beside(detector, hot.y, hot.x)
    limits = detector.evidence["flight"].limits("hot_rate", "SLOPE")
    for number in numbers:
        show_limit(left, number, limits[0].value)
    left.plot([], [], color=LIMIT_COLOR, label="limit of hot")
    for place, label, style in (
        ((hot.y, hot.x), "hot", PIXEL_TYPES["hot"].marker.matplotlib),
        ((sometimes.y, sometimes.x), "bad in some darks", INTERMITTENT.matplotlib),
        (healthy, "healthy", {"color": HEALTHY_COLOR, "marker": "o"}),
    ):
        k = sum(image[place] > limits[0].value for image in slopes)
        words = f"{label}: {k} of {len(slopes)}"
        left.plot(numbers, [image[place] for image in slopes], linestyle="", markersize=7, label=words, **style)
    left.set_yscale("symlog", linthresh=0.05)
    left.set(xlabel="number of the dark", ylabel="slope (DN/s)", xticks=numbers)
    legend(left)
    valid = np.arange(1, 21)
    for fraction, dashes, color in ((0.5, "-", color_of("hot")), (0.75, "--", color_of("rc"))):
        right.step(valid, votes_needed(valid, fraction), where="mid", linestyle=dashes, color=color,
                   label=f"fraction {fraction:g}")  # fmt: skip
    right.set(
        xlabel="valid votes n",
        ylabel="votes needed k",
        xlim=(0.5, 20.5),
        ylim=(0, 16),
        xticks=range(2, 21, 2),
        yticks=range(0, 17, 2),
    )
    legend(right)
    return figure


def response(detector):
    """The response of all pixels by planted type, with the limits of the flat types."""
    figure, axes = new_figure(widths=(1,), height=3.2, legend_lines=1)
    evidence, truth = detector.evidence["flight"], detector.truth
    image, names = evidence.measured["RESPONSE"], dict(zip(truth.types["NAME"], truth.types["CODE"], strict=True))
    planted = {
        "healthy": ((truth.codes == 0) & (truth.adjacent_to_open == 0), HEALTHY_COLOR),
        "planted low_qe": (truth.codes == names["low_qe"], color_of("LOW_QE")),
        "planted open": (truth.codes == names["open"], color_of("OPEN")),
        "planted dead": (np.isin(truth.codes, [names["dead"], names["crds_flagged_dead"]]), color_of("DEAD")),
        "next to open": (truth.adjacent_to_open != 0, color_of("ADJ_OPEN")),
    }
    known = np.isfinite(image) & ~evidence.is_insufficient("DEAD")
    bins = np.arange(-0.02, 1.3, 0.02)
    dashes = ("-", "-", "-", "-", "--")
    hatches = (None, "///", "xxx", None, None)
    for (label, (where, color)), line, hatch in zip(planted.items(), dashes, hatches, strict=True):
        counts, _ = np.histogram(image[where & known], bins)
        fill = label in ("healthy", "planted dead")
        axes.stairs(counts, bins, color=color, label=label, fill=fill, linestyle=line, hatch=hatch, linewidth=1.2)
    for value, words in ((0.05, "dead"), (0.5, "low_qe"), (1.05, "open: neighbours")):
        axes.axvline(value, color=LIMIT_COLOR, linewidth=1.5)
        axes.text(value + 0.007, 0.97, words, color=LIMIT_COLOR, transform=axes.get_xaxis_transform(), va="top",
                  rotation=90, fontsize=8.5)  # fmt: skip
    axes.set(xlabel="normalised response", ylabel="pixels", yscale="log", ylim=(0.7, None), xlim=(bins[0], bins[-1]))
    legend(axes, 5)
    return figure


def limits(detector):
    """Limits of a single vote and of the mean, in sigma of an integration, by the number of integrations."""
    del detector  # formulas only
    figure, (left, right) = new_figure(widths=(1, 1))
    n = np.arange(1, 31)
    for fraction, dashes, color in ((0.5, "-", color_of("hot")), (0.75, "--", color_of("rc"))):
        sigma = [vote_sigma(int(number), fraction, PROBABILITY) for number in n]
        left.plot(n, sigma, linestyle=dashes, marker=".", color=color, label=f"fraction {fraction:g}")
    left.axhline(2.5, color=GREY, linewidth=1, linestyle=":", label="smallest limit: 2.5")
    left.set(xlabel="number of integrations", ylabel="limit of a vote (sigma of an integration)", ylim=(2, 5))
    legend(left)
    mean = significance(PROBABILITY) / np.sqrt(n)
    right.plot(n, mean, marker=".", color="#1A1A1A", label="limit of the mean")
    needed = [max(m, vote_sigma(int(number), 0.5, PROBABILITY)) for m, number in zip(mean, n, strict=True)]
    right.plot(n, needed, linestyle="--", color=color_of("hot"), label="mean and votes (0.5)")
    right.set(xlabel="number of integrations", ylabel="deviation (sigma of an integration)", ylim=(0, 5))
    legend(right)
    return figure


FIGURES = {"pedestals": pedestals, "jumps": jumps, "vote": vote, "response": response, "limits": limits}


def figures(detector):
    """Topic and figure, one after the other."""
    for topic, draw in FIGURES.items():
        yield topic, draw(detector)
