"""Where an array lies on its detector, and which of its pixels are reference pixels."""

from dataclasses import dataclass, replace

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


def full_frame(geometry, detector):
    """The Geometry of the whole `detector` on which the array of `geometry` lies."""
    return replace(
        geometry, subarray="FULL", x_start=1, y_start=1, n_columns=detector.n_columns, n_rows=detector.n_rows
    )


def _within(part, whole):
    """Slices (y, x) of an image of `whole` that the array of `part` covers; both are Geometries."""
    y, x = part.y_start - whole.y_start, part.x_start - whole.x_start
    if min(y, x) < 0 or y + part.n_rows > whole.n_rows or x + part.n_columns > whole.n_columns:
        raise ValueError(f"the array {part} does not lie within {whole}")
    return slice(y, y + part.n_rows), slice(x, x + part.n_columns)


def embed(image, part, whole):
    """`image` (y, x) of the array `part` in its place on the array `whole`, zero or False elsewhere."""
    placed = np.zeros(whole.shape, image.dtype)
    placed[_within(part, whole)] = image
    return placed


def cut(image, whole, part):
    """The part of `image` (y, x) of the array `whole` that the array `part` covers."""
    return image[_within(part, whole)]


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


def amplifiers(geometry, detector):
    """The parts of an array that are read through one amplifier each, as slices (y, x) of an image.

    An array as long as the detector along the fast axis has the detector's `output_strips`; a smaller one counts as
    one.
    """
    along_x = abs(geometry.fast_axis) == 1
    length = geometry.n_columns if along_x else geometry.n_rows
    full = detector.n_columns if along_x else detector.n_rows
    edges = np.linspace(0, length, (1 if length < full else detector.output_strips) + 1).astype(int)
    strips = [slice(start, stop) for start, stop in zip(edges[:-1], edges[1:], strict=True)]
    return tuple((slice(None), strip) if along_x else (strip, slice(None)) for strip in strips)
