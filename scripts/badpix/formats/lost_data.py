"""Lost data in files with valid headers: blocks of zero bytes, and images without any measurement."""

from collections.abc import Sequence

import numpy as np
from astropy.io import fits

from badpix.core.errors import BadExposure
from badpix.instrument.dq import PIXEL_FLAGS

# Pixels have independent noise, so RUN_PIXELS neighbours in the order of the file never share a value by chance. A lost
# sector of a disk (512 bytes) holds at least one such run, wherever it starts.
RUN_PIXELS = 64
# Zero bytes are 0 in floating point data and BZERO = 32768 in raw data; raw data may also have been filled with 0.
RAW_LOST = (0, 32768)
UNUSABLE = PIXEL_FLAGS["SATURATED"] | PIXEL_FLAGS["DO_NOT_USE"]


def lost_runs(planes: np.ndarray, values: Sequence[int] = (0,)) -> np.ndarray:
    """Boolean array (plane, run), True where RUN_PIXELS neighbouring pixels of a plane all have the same lost value.

    The first axis of `planes` is the plane; `values` are the values of lost data. A remainder of the plane that is
    shorter than a run is not checked.
    """
    flat = planes.reshape(len(planes), -1)
    runs = flat[:, : flat.shape[1] // RUN_PIXELS * RUN_PIXELS].reshape(len(planes), -1, RUN_PIXELS)
    lost = np.isin(runs[:, :, 0], values) & (runs[:, :, 0] == runs[:, :, -1])
    # All pixels are compared only where the first and the last are lost, which is rare.
    lost[lost] = (runs[lost] == runs[lost][:, :1]).all(axis=1)
    return lost


def check_raw(hdu: fits.ImageHDU, groups: slice = slice(None)) -> None:
    """Raise BadExposure if the raw ramps of image `hdu` (integration, group, y, x) have lost data in `groups`.

    A part of the detector that reads zero in all groups is dead and left to the vote, unless it is most of the
    detector.
    """
    lost = np.stack([lost_runs(hdu.section[i, groups], RAW_LOST) for i in range(hdu.shape[0])])
    if lost.size == 0:
        return
    dead = lost.all(axis=(0, 1))
    if dead.mean() <= 0.5:
        lost &= ~dead
    if lost.any():
        integration, group, _ = (int(index[0]) + 1 for index in np.nonzero(lost))
        group += groups.indices(hdu.shape[1])[0]
        raise BadExposure(
            f"{lost.mean():.2%} of SCI of the uncal file has no data (zero bytes), first in integration {integration},"
            f" group {group}"
        )


def check_ramps(sci: np.ndarray, groupdq: np.ndarray, science: np.ndarray, integration: int, first_row: int) -> None:
    """Raise BadExposure if the corrected ramps of an integration have lost data in usable pixels.

    Parameters
    ----------
    sci : float array (group, y, x)
        The ramps, all rows or some.
    groupdq : uint8 array (group, y, x)
        Flags of the groups.
    science : bool array (y, x)
        The science pixels.
    integration : int
        Number of the integration, 0-based, for the message.
    first_row : int
        Number of the first row of the arrays, 0-based, for the message.
    """
    for group, run in np.argwhere(lost_runs(sci)):
        pixels = slice(run * RUN_PIXELS, (run + 1) * RUN_PIXELS)
        usable = (groupdq[group] & UNUSABLE == 0) & science
        if usable.reshape(-1)[pixels].any():
            row = first_row + pixels.start // sci.shape[2] + 1
            raise BadExposure(
                f"SCI of the jump file has no data (zeros) in integration {integration + 1}, group {group + 1}, from"
                f" row {row} on"
            )


def check_image(image: np.ndarray, where: np.ndarray, name: str) -> None:
    """Raise BadExposure if a measured image (y, x), NaN without a value, has no values or lost values.

    `where` is the boolean image (y, x) of the pixels that should have a value; `name` is the image's name for the
    message.
    """
    values = image[where & np.isfinite(image)]
    if where.any() and values.size == 0:
        raise BadExposure(f"{name} has no valid value in any of {int(where.sum())} pixels")
    lost = lost_runs(values[np.newaxis])
    if lost.any():
        raise BadExposure(f"{lost.mean():.2%} of {name} has no data (zeros)")


def check_variances(slope: np.ndarray, variance: np.ndarray, name: str) -> None:
    """Raise BadExposure if no pixel with a slope above zero has a variance above zero (images (y, x))."""
    positive = slope > 0
    if positive.any() and not (variance[positive] > 0).any():
        raise BadExposure(f"{name} is above zero in none of the {int(positive.sum())} pixels of positive slope")
