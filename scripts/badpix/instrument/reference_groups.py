"""The groups of reference pixels that the pipeline's refpix step averages together.

Near infrared: side of the border, amplifier, and parity along the fast axis (`jwst.refpix.reference_pixels`,
NIR_reference_sections, odd_even_columns). The corners belong to the sides at the ends of the slow axis, whose pixels
the step subtracts from the columns. MIRI: side, output (every fourth column), and parity of the row
(MIR_reference_sections, odd_even_rows).
"""

from dataclasses import dataclass

import numpy as np

from badpix.instrument.detectors import Detector
from badpix.instrument.geometry import Geometry, amplifiers, reference_pixels

MIRI_OUTPUTS = 4


@dataclass(frozen=True)
class ReferenceGroups:
    """The reference pixels of an array and their groups.

    `y`, `x` are 0-based indices in the array, in the order of the rows; `group` is an index of `names` per pixel.
    `along` is the coordinate along the side.
    """

    y: np.ndarray
    x: np.ndarray
    group: np.ndarray
    along: np.ndarray
    names: tuple[str, ...]


def reference_groups(geometry: Geometry, detector: Detector) -> ReferenceGroups:
    """The ReferenceGroups of an array; without reference pixels there are none."""
    y, x = np.nonzero(reference_pixels(geometry, detector))
    full_y, full_x = y + geometry.y_start - 1, x + geometry.x_start - 1
    border = detector.reference_pixels
    sides = {
        "left": full_x < border.left,
        "right": full_x >= detector.n_columns - border.right,
        "bottom": full_y < border.bottom,
        "top": full_y >= detector.n_rows - border.top,
    }
    fast_is_x = abs(geometry.fast_axis) == 1
    if detector.instrument == "MIRI":
        order: tuple[str, ...] = ("left", "right")
        output, parity = full_x % MIRI_OUTPUTS, full_y % 2
    else:
        order = ("bottom", "top", "left", "right") if fast_is_x else ("left", "right", "bottom", "top")
        image = np.zeros(geometry.shape, np.int64)
        for number, region in enumerate(amplifiers(geometry, detector)):
            image[region] = number
        output, parity = image[y, x], (full_x if fast_is_x else full_y) % 2
    side = np.select([sides[name] for name in order], np.arange(len(order)), -1)
    labels = np.stack([side, output, parity])
    found, group = np.unique(labels, axis=1, return_inverse=True)
    along_y = np.isin(np.array(order)[side], ["left", "right"])
    names = tuple(
        f"{order[number]}, output {out + 1}, {'odd' if odd else 'even'} {_lines(detector, fast_is_x)}"
        for number, out, odd in found.T.tolist()
    )
    return ReferenceGroups(y, x, group.reshape(-1), np.where(along_y, full_y, full_x), names)


def _lines(detector: Detector, fast_is_x: bool) -> str:
    """What is odd or even, counted from 0."""
    return "columns" if fast_is_x and detector.instrument != "MIRI" else "rows"
