"""Where an array lies on its detector, and which of its pixels are reference pixels."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Geometry:
    """Geometry of an exposure as its header gives it.

    `x_start` and `y_start` are SUBSTRT1 and SUBSTRT2 (1-based, full-frame); `n_columns` and `n_rows` are SUBSIZE1
    and SUBSIZE2; `fast_axis` and `slow_axis` are FASTAXIS and SLOWAXIS.
    """

    subarray: str
    x_start: int
    y_start: int
    n_columns: int
    n_rows: int
    fast_axis: int
    slow_axis: int

    @property
    def shape(self):
        """(rows, columns), the shape of an image."""
        return self.n_rows, self.n_columns

    @classmethod
    def from_header(cls, header):
        """Read the geometry from a primary header (any mapping with the JWST keywords)."""
        return cls(
            subarray=str(header["SUBARRAY"]),
            x_start=int(header["SUBSTRT1"]),
            y_start=int(header["SUBSTRT2"]),
            n_columns=int(header["SUBSIZE1"]),
            n_rows=int(header["SUBSIZE2"]),
            fast_axis=int(header["FASTAXIS"]),
            slow_axis=int(header["SLOWAXIS"]),
        )


def reference_pixels(geometry, detector):
    """Boolean image (y, x), True at reference pixels: the detector's border, cut to the array's place on it.

    `detector` gives the full frame (`n_columns`, `n_rows`) and the widths of its border
    (`reference_pixels.left`, `.right`, `.bottom`, `.top`).
    """
    x = np.arange(geometry.n_columns) + geometry.x_start - 1
    y = np.arange(geometry.n_rows) + geometry.y_start - 1
    border = detector.reference_pixels
    in_x = (x < border.left) | (x >= detector.n_columns - border.right)
    in_y = (y < border.bottom) | (y >= detector.n_rows - border.top)
    return in_x[np.newaxis, :] | in_y[:, np.newaxis]


# The near-infrared detectors are read through four outputs, each a strip across the whole fast axis.
N_OUTPUTS = 4


def amplifiers(geometry, detector):
    """The parts of an array that are read through one amplifier each, as slices (y, x) of an image.

    An array as long as the detector along the fast axis has four strips; a smaller one, and MIRI's, whose four
    amplifiers alternate from column to column and are alike, count as one.
    """
    along_x = abs(geometry.fast_axis) == 1
    length = geometry.n_columns if along_x else geometry.n_rows
    full = detector.n_columns if along_x else detector.n_rows
    if detector.instrument == "MIRI" or length < full:
        return (np.s_[:, :],)
    edges = np.linspace(0, length, N_OUTPUTS + 1).astype(int)
    strips = [slice(start, stop) for start, stop in zip(edges[:-1], edges[1:], strict=True)]
    return tuple((slice(None), strip) if along_x else (strip, slice(None)) for strip in strips)
