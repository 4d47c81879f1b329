"""The release check of a new mask: its changes from the previous mask must not exceed limits."""

from collections.abc import Mapping
from typing import Any

from badpix.changes.text import neighbour_lines


class ReleaseRefused(Exception):
    """The new mask differs from the previous mask by more than the limits; the message has the numbers."""


def check_release(summary: Mapping[str, Any], limits: Mapping[str, float | None]) -> dict[str, dict[str, float]]:
    """Check the changes and return the checks: change -> pixels, science_pixels, fraction, limit.

    `summary` is the summary of `badpix.changes.files.write_changes`. `limits` maps `new` and `recovered` to the largest
    allowed fraction of the science pixels, or to None (no check). ReleaseRefused if a limit is exceeded, or
    if there are no science pixels.
    """
    if not summary["science_pixels"]:
        raise ReleaseRefused(
            f"{summary['after']['file']} and {summary['before']['file']} have no science pixel in common, so that no"
            " change can be found"
        )
    checks: dict[str, dict[str, float]] = {}
    refused = []
    for change, limit in limits.items():
        if limit is None:
            continue
        pixels, science, fraction = summary[change], summary["science_pixels"], summary[f"{change}_fraction"]
        checks[change] = {"pixels": pixels, "science_pixels": science, "fraction": fraction, "limit": limit}
        if fraction > limit:
            refused.append(
                f"{pixels} of {science} science pixels are {change}, a fraction of {fraction:.3g};"
                f" max_{change}_fraction is {limit:g}"
            )
            refused += neighbour_lines(summary["new_pixels"]) if change == "new" else []
    if refused:
        raise ReleaseRefused(
            f"{summary['after']['file']} differs too much from {summary['before']['file']}: {'; '.join(refused)}"
        )
    return checks
