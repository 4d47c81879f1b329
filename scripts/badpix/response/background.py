"""The lamp's light on the detector: its local level under a gradient, at the border and around clusters, and where
there is none."""

import numpy as np
from scipy.ndimage import binary_dilation, binary_opening, find_objects, label, uniform_filter

# A pixel that differs from its surroundings by this part says nothing about the light that falls on it.
OUTLIER = 0.2
# So many passes let the plane forget the outliers that the pass before found.
PASSES = 3
# A plane is fitted where at least this part of the box has values; elsewhere the box is doubled.
MIN_FILLED = 0.25
# First guess: the median of blocks of this size, larger than the clusters that should not bend it.
BLOCK = 64
# Below this part of the detector's median a block or pixel is dark.
DARK = 0.2
# The light fades over a few pixels at the edge of what is lit.
UNLIT_MARGIN = 5


def block_median(image, block=BLOCK):
    """Median of the finite values in blocks of `block` pixels, spread over the blocks again: float64 (y, x)."""
    result = np.empty(image.shape)
    for y in range(0, image.shape[0], block):
        for x in range(0, image.shape[1], block):
            part = image[y : y + block, x : x + block]
            finite = part[np.isfinite(part)]
            result[y : y + block, x : x + block] = np.median(finite) if finite.size else np.nan
    return result


def _box_sum(image, width):
    return uniform_filter(image, width, mode="constant", cval=0.0) * width**2


def local_plane(image, weights, width):
    """Value of the plane fitted, by weighted least squares, to the box of `width` pixels around every pixel.

    `weights` is boolean (y, x); what it leaves out may be NaN. Float64 (y, x), NaN where less than MIN_FILLED of a
    full box counts. The normal equations are solved in closed form from nine box sums.
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
    # Values in one line say nothing about the slope across it.
    value = np.where(determinant > 1e-3, value, mean_z)
    return np.where(n > MIN_FILLED * width**2 - 0.5, value, np.nan)


def background(image, science, width):
    """Local level of a flat, float64 (y, x), from planes in boxes of `width` pixels without its outliers.

    Where a box holds too few pixels that count, as inside a cluster, the next larger box does it. NaN where there is
    no light around, and at reference pixels.
    """
    values = np.where(science, image, np.nan)
    first = block_median(values)
    dark = ~(first > DARK * np.nanmedian(values))
    reference = np.where(dark, np.nan, first)
    limit = 0.5  # the medians of blocks know no gradient
    for _ in range(PASSES):
        with np.errstate(invalid="ignore", divide="ignore"):
            weights = np.abs(values / reference - 1) < limit
        reference, box = local_plane(values, weights, width), width
        while box < min(image.shape) and np.isnan(reference[science]).any():
            box = 2 * box + 1
            fill_gaps(reference, values, weights, science, box)
        limit = OUTLIER
    return np.where(science, reference, np.nan)


def fill_gaps(reference, values, weights, science, width):
    """Put local planes of a larger box into the gaps (NaN) of `reference`, in place, looking at their places only."""
    gaps, _ = label(np.isnan(reference) & science)
    for place in find_objects(gaps):
        around = tuple(slice(max(0, s.start - width), s.stop + width) for s in place)
        # A plane does not depend on where its coordinates start.
        filled = local_plane(values[around], weights[around], width)
        missing = np.isnan(reference[around]) & (gaps[around] > 0)
        reference[around][missing] = filled[missing]


def unlit(image, science, smallest):
    """Boolean image (y, x): the parts of the detector that the lamp does not reach, and their edge.

    Such a part is dark, at least three pixels wide, touches the border of the science area, and covers `smallest` of
    the science pixels or more. A cluster of dead pixels is none: it is smaller, or lies inside.
    """
    values = np.where(science, image, np.nan)
    with np.errstate(invalid="ignore"):
        dark = science & ~(values > DARK * np.nanmedian(values))
    inside = science & ~binary_dilation(~science, border_value=1)
    # What lies outside the science area is dark too, so that the opening does not eat the parts at its border.
    parts, number = label(binary_opening(dark | ~science, np.ones((3, 3), bool)) & science)
    sizes = np.bincount(parts.ravel(), minlength=number + 1)
    at_border = np.zeros(number + 1, bool)
    at_border[np.unique(parts[science & ~inside])] = True
    chosen = at_border & (sizes >= smallest * science.sum())
    chosen[0] = False
    return binary_dilation(chosen[parts], np.ones((3, 3), bool), iterations=UNLIT_MARGIN) & science
