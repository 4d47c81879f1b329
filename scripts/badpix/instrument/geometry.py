"""The position of an array on its detector, its reference pixels and its amplifiers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from badpix.instrument.detectors import Detector


@dataclass(frozen=True)
class Geometry:
    """Geometry of an exposure, from its header.

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
    def shape(self) -> tuple[int, int]:
        """Shape (y, x) of an image."""
        return self.n_rows, self.n_columns

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> Self:
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


def full_frame(geometry: Geometry, detector: Detector) -> Geometry:
    """The Geometry of the full frame of `detector`, on which the array of `geometry` lies."""
    return replace(
        geometry, subarray="FULL", x_start=1, y_start=1, n_columns=detector.n_columns, n_rows=detector.n_rows
    )


def _within(part: Geometry, whole: Geometry) -> tuple[slice, slice]:
    """Slices (y, x) of an image of `whole` that the array of `part` covers; both are Geometries."""
    y, x = part.y_start - whole.y_start, part.x_start - whole.x_start
    if min(y, x) < 0 or y + part.n_rows > whole.n_rows or x + part.n_columns > whole.n_columns:
        raise ValueError(f"the array {part} does not lie within {whole}")
    return slice(y, y + part.n_rows), slice(x, x + part.n_columns)


def embed(image: np.ndarray, part: Geometry, whole: Geometry) -> np.ndarray:
    """An image (y, x) of the array `whole` with `image` of the array `part` at its position, elsewhere zero or False.

    The dtype does not change.
    """
    embedded = np.zeros(whole.shape, image.dtype)
    embedded[_within(part, whole)] = image
    return embedded


def cut(image: np.ndarray, whole: Geometry, part: Geometry) -> np.ndarray:
    """The section of `image` (y, x), an image of the array `whole`, that the array `part` covers."""
    return image[_within(part, whole)]


def reference_pixels(geometry: Geometry, detector: Detector) -> np.ndarray:
    """Boolean image (y, x), True at reference pixels: the part of the detector's border that lies on the array."""
    x = np.arange(geometry.n_columns) + geometry.x_start - 1
    y = np.arange(geometry.n_rows) + geometry.y_start - 1
    border = detector.reference_pixels
    in_x = (x < border.left) | (x >= detector.n_columns - border.right)
    in_y = (y < border.bottom) | (y >= detector.n_rows - border.top)
    return in_x[np.newaxis, :] | in_y[:, np.newaxis]


def amplifiers(geometry: Geometry, detector: Detector) -> tuple[tuple[slice, slice], ...]:
    """The regions of an array that are read through the same amplifier, as slices (y, x) of an image.

    An array that is as long as the detector along the fast axis has the detector's `output_strips`; a shorter array is
    a single region.
    """
    along_x = abs(geometry.fast_axis) == 1
    length = geometry.n_columns if along_x else geometry.n_rows
    full = detector.n_columns if along_x else detector.n_rows
    edges = np.linspace(0, length, (1 if length < full else detector.output_strips) + 1).astype(int)
    strips = [slice(start, stop) for start, stop in zip(edges[:-1], edges[1:], strict=True)]
    return tuple((slice(None), strip) if along_x else (strip, slice(None)) for strip in strips)
