"""Rates of an exposure from its files: integrations on the array of a mask."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from badpix.core.errors import BadExposure
from badpix.core.fits_check import file_problem
from badpix.formats.product_file import open_verified
from badpix.formats.statistics_file import require_usable
from badpix.instrument import pointing
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import Geometry

REFERENCE = np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"] | PIXEL_FLAGS["NON_SCIENCE"])
UNUSABLE = np.uint32(PIXEL_FLAGS["DO_NOT_USE"])
SATURATED, JUMP = np.uint32(PIXEL_FLAGS["SATURATED"]), np.uint32(PIXEL_FLAGS["JUMP_DET"])


@dataclass(frozen=True)
class Integration:
    """An integration on the array of the mask: `rate` (float64 (y, x), NaN without a value), flags (bool (y, x)).

    `saturated`: no value, because all groups are saturated. `jump`: a jump was found. `there`: inside the exposure.
    """

    rate: np.ndarray
    saturated: np.ndarray
    jump: np.ndarray
    there: np.ndarray


def read_header(path: str | Path) -> dict[str, Any]:
    """The keywords of the primary header and of the pointing; BadExposure if the file cannot be used."""
    if problem := file_problem(Path(path)):
        raise BadExposure(problem)
    require_usable(path)
    with fits.open(path) as hdus:
        header = dict(hdus[0].header)
        if "SCI" in hdus:
            header |= {key: hdus["SCI"].header[key] for key in pointing.KEYWORDS if key in hdus["SCI"].header}
    return header


def overlap(own: Geometry, frame: Geometry) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Slices (y, x) of an image of `own` and of an image of `frame` of their common pixels.

    None unless one of both arrays lies within the other.
    """
    of_own, of_frame, contained = [], [], []
    for start, size, frame_start, frame_size in (
        (own.y_start, own.n_rows, frame.y_start, frame.n_rows),
        (own.x_start, own.n_columns, frame.x_start, frame.n_columns),
    ):
        first, last = max(start, frame_start), min(start + size, frame_start + frame_size)
        of_own.append(slice(first - start, last - start))
        of_frame.append(slice(first - frame_start, last - frame_start))
        contained.append((last - first == size, last - first == frame_size))
    if not (all(first for first, _ in contained) or all(second for _, second in contained)):
        return None
    return (of_own[0], of_own[1]), (of_frame[0], of_frame[1])


def integrations(path: str | Path, frame: Geometry) -> Iterator[Integration]:
    """The integrations of a rate, rateints, cal or calints file on the array `frame`; BadExposure if it cannot be used.

    A file of the workflow is verified.
    """
    with open_verified(path, ("SCI", "DQ"), is_ours=False) as hdus:
        missing = [name for name in ("SCI", "DQ") if name not in hdus or not hdus[name].is_image]
        if missing:
            raise BadExposure(f"{Path(path).name} has no image {' and no image '.join(missing)}")
        shape = hdus["SCI"].shape
        if len(shape) not in (2, 3) or hdus["DQ"].shape != shape:
            raise BadExposure(
                f"{Path(path).name}: SCI has shape {shape} and DQ {hdus['DQ'].shape}; expected are images"
            )
        own = Geometry.from_header(hdus[0].header)
        if shape[-2:] != own.shape:
            raise BadExposure(f"SCI of {Path(path).name} has shape {shape}, but SUBSIZE2, SUBSIZE1 are {own.shape}")
        places = overlap(own, frame)
        if places is None:
            raise BadExposure(f"its array ({own.subarray}) neither contains the array of the mask nor lies within it")
        for index in range(shape[0] if len(shape) == 3 else 1):
            data, flags = (
                (hdus[name].section[index] if len(shape) == 3 else hdus[name].data) for name in ("SCI", "DQ")
            )
            yield _placed(np.asarray(data, np.float64), np.asarray(flags).astype(np.uint32), places, frame)


def _placed(rate: np.ndarray, flags: np.ndarray, places: Sequence, frame: Geometry) -> Integration:
    """The Integration of the images `rate` and `flags` (y, x), at their `places` on the array `frame`."""
    of_own, of_frame = places
    image, dq = np.full(frame.shape, np.nan), np.full(frame.shape, REFERENCE, np.uint32)
    image[of_frame], dq[of_frame] = rate[of_own], flags[of_own]
    there = dq & REFERENCE == 0
    value = there & np.isfinite(image) & (dq & UNUSABLE == 0)
    return Integration(
        np.where(value, image, np.nan), there & ~value & (dq & SATURATED != 0), there & (dq & JUMP != 0), there
    )
