"""Measure the reference pixels of a raw dark: noise, level, and groups at a rail. Measurements without thresholds.

The refpix step subtracts reference pixels before a ramp is fitted, so its products do not show which of them are bad:
the raw file is needed. All readings of a group of reference pixels share the drift of their amplifier, which is removed
as the median of the group in each read group.
"""

import warnings
from collections.abc import Sequence

import numpy as np

from badpix.formats.reference_statistics_file import ReferenceStatistics
from badpix.instrument.irs2 import ScienceSection, Section
from badpix.instrument.reference_groups import ReferenceGroups

# The converter's lowest and highest number.
RAILS = (0, 65535)
# n readings with noise of sigma DN are all equal with a probability of (2 pi sigma^2)^-((n - 1) / 2) / sqrt(n): for 10
# readings 8e-12 at 6 DN, 2e-7 at 2 DN (averaged frames); for 4 readings 1e-4 at 6 DN, too many of 32,704 pixels.
MIN_READINGS_CONSTANT = 10


def read_reference_pixels(section: Section | ScienceSection, groups: ReferenceGroups) -> np.ndarray:
    """The raw values of the reference pixels: float32 DN (integration, group, pixel).

    `section` is the raw array (integration, group, y, x); it is read group by group.
    """
    n_integrations, n_groups, n_rows = section.shape[:3]
    values = np.empty((n_integrations, n_groups, groups.y.size), np.float32)
    for integration in range(n_integrations):
        for group in range(n_groups):
            image = section[integration, group, slice(0, n_rows)]
            values[integration, group] = image[groups.y, groups.x]
    return values


def measure_reference_pixels(values: np.ndarray, groups: ReferenceGroups) -> ReferenceStatistics:
    """The ReferenceStatistics of raw `values` (DN, (integration, group, pixel)) of the pixels in `groups`.

    Values at a rail, and integrations (of at least 10 groups) or exposures without any change, are counted and take no
    part in noise and level.
    """
    n_integrations, n_groups, n_pixels = values.shape
    railed = np.isin(values, RAILS)
    if n_groups >= MIN_READINGS_CONSTANT:
        railed |= (values == values[:, :1]).all(axis=1, keepdims=True)
    if n_groups * n_integrations >= MIN_READINGS_CONSTANT:
        railed |= (values == values[:1, :1]).all(axis=(0, 1))
    used = np.where(railed, np.nan, values)
    with warnings.catch_warnings():
        # A group without values has no median.
        warnings.simplefilter("ignore", RuntimeWarning)
        for members in _members(groups):
            used[..., members] -= np.nanmedian(used[..., members], axis=-1, keepdims=True)
        deviation = used - np.nanmean(used, axis=1, keepdims=True)
        level = np.nanmean(used, axis=(0, 1))
    n_used = np.isfinite(used).sum(axis=1)
    degrees = np.maximum(n_used - 1, 0).sum(axis=0)
    squares = np.nansum(deviation.astype(np.float64) ** 2, axis=(0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        noise = np.where(degrees > 0, np.sqrt(squares / degrees), np.nan)
    return ReferenceStatistics(
        groups.x.astype(np.int16),
        groups.y.astype(np.int16),
        noise.astype(np.float32),
        degrees.astype(np.int32),
        level.astype(np.float32),
        n_used.sum(axis=0).astype(np.int32),
        railed.sum(axis=(0, 1)).astype(np.int32),
        n_integrations * n_groups,
    )


def _members(groups: ReferenceGroups) -> Sequence[np.ndarray]:
    """Indices of the pixels of each group."""
    return [np.flatnonzero(groups.group == number) for number in range(len(groups.names))]
