"""Draw the science check: a map of the pixels that make the difference, and both numbers of both masks."""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from badpix.core.files import atomic_path
from badpix.core.wording import figure_text
from badpix.formats.markers import ADDED, REMOVED
from badpix.science_check.compare import BETWEEN, GOOD, OPEN, OUTLIER, Check
from badpix.science_check.text import with_interval

matplotlib.use("Agg")

# (finding, rejected by the new mask) -> label and marker; colours: against the old mask, against the new mask, neither.
AGAINST_OLD, AGAINST_NEW, NEUTRAL = REMOVED.color, ADDED.color, "0.6"
LOOKS = {
    (OUTLIER, True): ("outlier that the old mask lets through", AGAINST_OLD, "^"),
    (GOOD, False): ("good pixel that the old mask loses", AGAINST_OLD, "o"),
    (OUTLIER, False): ("outlier that the new mask lets through", AGAINST_NEW, "^"),
    (GOOD, True): ("good pixel that the new mask loses", AGAINST_NEW, "o"),
    (OPEN, True): ("open, new mask only", NEUTRAL, "+"),
    (OPEN, False): ("open, old mask only", NEUTRAL, "x"),
    (BETWEEN, True): ("between, new mask only", NEUTRAL, "^"),
    (BETWEEN, False): ("between, old mask only", NEUTRAL, "v"),
}


def draw_check(path: str | Path, result: Check, title: str) -> None:
    """Draw the Check into the PNG file `path` with a `title`."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained", width_ratios=(1.4, 1))
    _show_map(left, result)
    _show_numbers(right, result)
    figure.suptitle(figure_text(f"{title}: {result.verdict}"))
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=100)
    plt.close(figure)


def _show_map(axes: Axes, result: Check) -> None:
    """Draw the pixels that only one mask rejects, by finding."""
    by_old, by_new = result.masks.rejects
    for (finding, of_new), (label, colour, marker) in LOOKS.items():
        one, other = (by_new, by_old) if of_new else (by_old, by_new)
        y, x = np.nonzero(one & ~other & (result.finding == finding))
        axes.plot(x, y, marker, color=colour, markersize=4, mew=0.8, linestyle="", label=f"{label}: {len(x)}")
    n_y, n_x = result.finding.shape
    axes.set(xlim=(-0.5, n_x - 0.5), ylim=(-0.5, n_y - 0.5), aspect="equal", xlabel="x (pixel)", ylabel="y (pixel)")
    axes.set(title="pixels with DO_NOT_USE in one mask only")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2, frameon=False, fontsize=8)


def _show_numbers(axes: Axes, result: Check) -> None:
    """Draw the numbers of both masks per thousand pixels, with their intervals."""
    labels = []
    for position, (name, count) in enumerate(result.counts.items()):
        for shift, number, colour, label in (
            (-0.12, count.old, AGAINST_OLD, "old mask"), (0.12, count.new, AGAINST_NEW, "new mask"),
        ):  # fmt: skip
            value, low, high = count.share(number)
            axes.errorbar(
                [position + shift], [value], [[value - low], [high - value]], fmt="o", color=colour, capsize=4,
                label=label if position == 0 else None,
            )  # fmt: skip
        labels.append(f"{name}: {count.result}\ndifference {with_interval(count.difference())}")
    axes.set_xticks(range(len(labels)), labels)
    axes.set(xlim=(-0.5, len(labels) - 0.5), ylabel="per thousand pixels")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
