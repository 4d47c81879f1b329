"""The ramps of a few pixels, from the jump files if they exist, else from the raw files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.instrument import irs2
from badpix.instrument.dq import GROUP_FLAGS


@dataclass(frozen=True)
class Ramps:
    """The ramps of some pixels in an exposure: `signal` (pixel, integration, group), int32 or float32, DN.

    `source` is `jump` (output of the jump step) or `uncal` (raw counts). `flags` is uint8 with the shape of `signal`
    (1 jump, 2 saturated, 4 do not use), None for `uncal`. `group_time_s` is the time between groups in seconds.
    """

    exposure: str
    kind: str
    source: str
    signal: np.ndarray
    flags: np.ndarray | None
    group_time_s: float


FLAG_BITS = {"JUMP_DET": 1, "SATURATED": 2, "DO_NOT_USE": 4}


def _raw(hdus: fits.HDUList, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Raw ramps of the pixels (y, x), int32 (pixel, integration, group); only their pages of the file are read."""
    header = hdus[0].header
    if irs2.is_irs2(header.get("READPATT")):
        y = np.flatnonzero(irs2.science_rows(header["DETECTOR"]))[y]
    signed = hdus["SCI"].data[:, :, y, x]
    # Read in the stored form, signed with an offset: otherwise astropy would convert the whole file.
    return np.moveaxis(signed, -1, 0).astype(np.int32) + int(hdus["SCI"].header.get("BZERO", 0))


def read_ramps(exposure: str, kind: str, files: Mapping[str, str], y: np.ndarray, x: np.ndarray) -> Ramps | None:
    """The Ramps of the pixels `y`, `x` (index arrays) in an exposure; None if there is no file.

    Parameters
    ----------
    exposure, kind : str
        Name and kind (dark, flat) of the exposure.
    files : Mapping
        `jump` and `uncal` -> path. A jump file that has been removed in the meantime is ignored.
    y, x : np.ndarray
        Indices of the pixels, 0-based.
    """
    jump, uncal = files.get("jump"), files.get("uncal")
    if jump and Path(jump).exists():
        with fits.open(jump) as hdus:
            signal = np.moveaxis(hdus["SCI"].data[:, :, y, x], -1, 0).astype(np.float32)
            dq = np.moveaxis(hdus["GROUPDQ"].data[:, :, y, x], -1, 0)
            flags = np.zeros(dq.shape, np.uint8)
            for name, bit in FLAG_BITS.items():
                flags |= np.where(dq & GROUP_FLAGS[name], np.uint8(bit), np.uint8(0))
            return Ramps(exposure, kind, "jump", signal, flags, float(hdus[0].header["TGROUP"]))
    if uncal:
        with fits.open(uncal, do_not_scale_image_data=True) as hdus:
            return Ramps(exposure, kind, "uncal", _raw(hdus, y, x), None, float(hdus[0].header["TGROUP"]))
    return None
