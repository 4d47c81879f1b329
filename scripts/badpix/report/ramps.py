"""The ramps of a few pixels, from what is there: jump files where they were kept or given, else the raw files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.instrument import irs2
from badpix.instrument.dq import GROUP_FLAGS


@dataclass(frozen=True)
class Ramps:
    """The ramps of some pixels in one exposure: `signal` (pixel, integration, group), int32 or float32, DN.

    `source` is `jump` (calibrated, with `flags`: 1 jump, 2 saturated, 4 do not use; uint8 as `signal`) or `uncal` (raw
    numbers, no flags: None). `group_time_s` is the time between groups.
    """

    exposure: str
    kind: str
    source: str
    signal: np.ndarray
    flags: np.ndarray | None
    group_time_s: float


FLAG_BITS = {"JUMP_DET": 1, "SATURATED": 2, "DO_NOT_USE": 4}


def _raw(hdus, y, x):
    """Raw ramps of the pixels (y, x), int32 (pixel, integration, group): touches their pages of the file only."""
    header = hdus[0].header
    if irs2.is_irs2(header.get("READPATT")):
        y = np.flatnonzero(irs2.science_rows(header["DETECTOR"]))[y]
    signed = hdus["SCI"].data[:, :, y, x]
    # Read as it is stored, signed with an offset, so that the file is mapped and not converted as a whole.
    return np.moveaxis(signed, -1, 0).astype(np.int32) + int(hdus["SCI"].header.get("BZERO", 0))


def read_ramps(exposure, kind, files, y, x):
    """The Ramps of the pixels at `y`, `x` (index arrays) in an exposure, or None where no file has them.

    `files` maps `jump` and `uncal` to paths; a jump file that has been removed in the meantime is passed over.
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
