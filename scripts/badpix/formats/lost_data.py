"""Data that were lost under sound headers: blocks of zero bytes, and images without any measurement."""

import numpy as np

from badpix.core.errors import BadExposure
from badpix.instrument.dq import PIXEL_FLAGS

# Each pixel has its own noise, so that so many neighbours (in the order of the file) never have one value by chance.
# A lost sector of a disk (512 bytes) holds at least one such run, however it lies.
RUN_PIXELS = 64
# Zero bytes are 0 in floating point numbers, and BZERO in raw ones; others may have filled these with 0.
RAW_LOST = (0, 32768)
UNUSABLE = PIXEL_FLAGS["SATURATED"] | PIXEL_FLAGS["DO_NOT_USE"]


def lost_runs(planes, values=(0,)):
    """Boolean array (plane, run), True where RUN_PIXELS neighbouring pixels of a plane are all one of `values`.

    `planes` has the plane as its first axis. A rest that is shorter than a run is not looked at.
    """
    flat = planes.reshape(len(planes), -1)
    runs = flat[:, : flat.shape[1] // RUN_PIXELS * RUN_PIXELS].reshape(len(planes), -1, RUN_PIXELS)
    lost = np.isin(runs[:, :, 0], values) & (runs[:, :, 0] == runs[:, :, -1])
    # All pixels are looked at where the first and the last say that there may be something only, which is seldom.
    lost[lost] = (runs[lost] == runs[lost][:, :1]).all(axis=1)
    return lost


def check_raw(hdu, groups=slice(None)):
    """Raise BadExposure where the raw ramps of image `hdu` (integration, group, y, x) have lost data.

    A part of the detector that reads zero in all groups is dead, which the vote judges, unless it is most of it.
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


def check_ramps(sci, groupdq, science, integration, first_row):
    """Raise BadExposure where the corrected ramps (group, y, x) of an integration have lost data in usable pixels.

    `science` is the boolean image (y, x) of the science pixels, `first_row` the number of its first row, from 0.
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


def check_image(image, where, name):
    """Raise BadExposure when a measured image (y, x; NaN where it has no value) has no values, or lost ones.

    `where` is the boolean image of the pixels that should have one; `name` says what the image is.
    """
    values = image[where & np.isfinite(image)]
    if where.any() and values.size == 0:
        raise BadExposure(f"{name} has no valid value in any of {int(where.sum())} pixels")
    lost = lost_runs(values[np.newaxis])
    if lost.any():
        raise BadExposure(f"{lost.mean():.2%} of {name} has no data (zeros)")


def check_variances(slope, variance, name):
    """Raise BadExposure when no pixel with a slope above zero has a variance above zero (images (y, x))."""
    positive = slope > 0
    if positive.any() and not (variance[positive] > 0).any():
        raise BadExposure(f"{name} is above zero in none of the {int(positive.sum())} pixels of positive slope")
