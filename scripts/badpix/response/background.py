"""The local level of a flat: it follows gradients, is valid up to the border, and is not biased by bad pixels."""

import numpy as np
from scipy.ndimage import distance_transform_edt, find_objects, label, uniform_filter

from badpix.response.dark_parts import DARK, typical_light
from badpix.response.slices import find_slices

# Pixels that differ from the local level by more than this fraction do not enter the fit.
OUTLIER = 0.2
# Number of fits; each leaves out the outliers from the fit before.
PASSES = 3
# A plane is fitted where at least this fraction of the box has values; elsewhere the box is doubled.
MIN_FILLED = 0.25
# First estimate: the median of blocks of this size (pixels), larger than the clusters of bad pixels.
BLOCK = 64


def block_median(image: np.ndarray, block: int = BLOCK) -> np.ndarray:
    """Median of the finite values in the block (`block` x `block` pixels) of each pixel, or NaN: float64 (y, x)."""
    result = np.empty(image.shape)
    for y in range(0, image.shape[0], block):
        for x in range(0, image.shape[1], block):
            part = image[y : y + block, x : x + block]
            finite = part[np.isfinite(part)]
            result[y : y + block, x : x + block] = np.median(finite) if finite.size else np.nan
    return result


def _box_sum(image: np.ndarray, width: int) -> np.ndarray:
    return uniform_filter(image, width, mode="constant", cval=0.0) * width**2


def local_plane(image: np.ndarray, weights: np.ndarray, width: int) -> np.ndarray:
    """Value at each pixel of the plane fitted by least squares to the box of `width` pixels around it: float64 (y, x).

    `weights`, bool (y, x), selects the pixels that enter the fit; all others may be NaN. The result is NaN where less
    than MIN_FILLED of a full box is selected. The normal equations are solved in closed form from nine box sums.
    """
    w = weights.astype(np.float64)
    z = np.where(weights, image, 0.0)
    y, x = (np.arange(n, dtype=np.float64) - n / 2 for n in image.shape)
    y = y[:, np.newaxis]
    n = _box_sum(w, width)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_x, mean_y, mean_z = (_box_sum(v, width) / n for v in (w * x, w * y, z))
        # Central moments over the box.
        xx = _box_sum(w * x * x, width) / n - mean_x**2
        yy = _box_sum(w * y * y, width) / n - mean_y**2
        xy = _box_sum(w * x * y, width) / n - mean_x * mean_y
        xz = _box_sum(z * x, width) / n - mean_x * mean_z
        yz = _box_sum(z * y, width) / n - mean_y * mean_z
        determinant = xx * yy - xy**2
        slope_x = (xz * yy - yz * xy) / determinant
        slope_y = (yz * xx - xz * xy) / determinant
        value = mean_z + slope_x * (x - mean_x) + slope_y * (y - mean_y)
    # Pixels on a line do not determine the slope across the line.
    value = np.where(determinant > 1e-3, value, mean_z)
    return np.where(n > MIN_FILLED * width**2 - 0.5, value, np.nan)


def background(image: np.ndarray, science: np.ndarray, width: int, slices: str | None = None) -> np.ndarray:
    """Local level of a flat, float64 (y, x), from planes in boxes of `width` pixels, without outliers.

    `science` is the boolean image (y, x) of the science pixels. Where a box has too few valid pixels, as inside a
    cluster, a larger box is used, and at last the nearest level. NaN at reference pixels. `slices` is the axis (x, y)
    of the slices of an image slicer: in a flat with gaps between slices, the level is that along the slices.
    """
    if (behind_slicer := find_slices(image, science, slices)) is not None:
        return behind_slicer.level
    values = np.where(science, image, np.nan)
    first = block_median(values)
    dark = ~(first > DARK * typical_light(values))
    reference = np.where(dark, np.nan, first)
    limit = 0.5  # wide, because the medians of blocks do not follow a gradient
    for _ in range(PASSES):
        with np.errstate(invalid="ignore", divide="ignore"):
            weights = np.abs(values / reference - 1) < limit
        reference, box = local_plane(values, weights, width), width
        while box < min(image.shape) and np.isnan(reference[science]).any():
            box = 2 * box + 1
            fill_gaps(reference, values, weights, science, box)
        limit = OUTLIER
    # In a corner even the largest box may have too few pixels.
    if (missing := np.isnan(reference) & science).any() and not missing[science].all():
        y, x = distance_transform_edt(np.isnan(reference), return_distances=False, return_indices=True)
        reference[missing] = reference[y[missing], x[missing]]
    return np.where(science, reference, np.nan)


def fill_gaps(reference: np.ndarray, values: np.ndarray, weights: np.ndarray, science: np.ndarray, width: int) -> None:
    """Fill the gaps (NaN) of `reference` in place with local planes of a larger box, computed only around the gaps.

    Parameters
    ----------
    reference : float64 array (y, x)
        The local level so far; changed in place.
    values : float array (y, x)
        The flat, NaN at reference pixels.
    weights, science : bool array (y, x)
        The pixels that enter the fit, and the science pixels.
    width : int
        Width of the box in pixels.
    """
    gaps, _ = label(np.isnan(reference) & science)
    for bounding_box in find_objects(gaps):
        around = tuple(slice(max(0, s.start - width), s.stop + width) for s in bounding_box)
        # A plane does not depend on the origin of its coordinates, so it can be fitted in a cut-out.
        filled = local_plane(values[around], weights[around], width)
        missing = np.isnan(reference[around]) & (gaps[around] > 0)
        reference[around][missing] = filled[missing]
