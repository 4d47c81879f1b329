"""The comparison of two mask files: all its tables, the numbers and the figure."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from badpix.changes.compare import Changes, compare
from badpix.changes.files import align, labels, read_image, write_changes
from badpix.changes.plot import draw_changes

NAMES = {
    "matrix": "mask_changes.csv", "pixels": "changed_pixels.csv", "table": "changed_pixels.fits",
    "summary": "mask_changes.json", "figure": "mask_changes.png",
}  # fmt: skip


def write_comparison(
    before: str | Path, after: str | Path, outputs: Mapping[str, Path], lists: bool = False
) -> tuple[dict[str, Any], Changes]:
    """Compare the mask files `before` and `after`; `outputs` maps the names of NAMES to paths.

    Returns the numbers and the Changes. With `lists`, a file without DQ is a list of bad pixels. MaskMismatch if they
    are not masks of the same part of the same detector.
    """
    old, new = read_image(before, lists), read_image(after, lists)
    pair = align(old, new)
    changes = compare(pair.before, pair.after, pair.compared)
    title = f"{new.header.get('DETECTOR', 'unknown detector')}: {' to '.join(labels(old, new))}"
    draw_changes(outputs["figure"], changes, title)
    return write_changes(outputs, changes, (old, new), pair.notes), changes
