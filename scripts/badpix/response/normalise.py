"""The response of the detector from its flats: mean of all integrations, clipped, and normalised."""

import numpy as np
from scipy.ndimage import correlate1d, median_filter

from badpix.formats.response_file import FlatResponse
from badpix.formats.statistics_file import open_statistics
from badpix.numerics.clipping import CLIP_ITERATIONS, clipped_mean_std
from badpix.numerics.row_blocks import row_blocks
from badpix.numerics.stack_clipping import clip_along
from badpix.response.background import background

# Bytes of slopes stacked at a time.
STACK_BYTES = 16 * 2**20


def clipped_stack(stack, sigma):
    """Mean, standard deviation and number of values along a stack (integration, y, x), float32, after sigma clipping.

    NaN abstains. Returns float64 mean and population std (y, x), NaN where nothing is left, and int32 number.
    """
    shape = stack.shape[1:]
    mean, std, number = np.empty(shape), np.empty(shape), np.empty(shape, np.int32)
    clip_along(stack, float(sigma), CLIP_ITERATIONS, mean, std, number)
    return mean, std, number


def _place_of_slopes(path):
    """Where the slopes of a statistics file lie, as arguments of `np.memmap`: opening it as FITS takes longer."""
    with open_statistics(path) as statistics:
        offset, shape = statistics.fileinfo("SLOPE")["datLoc"], statistics["SLOPE"].shape
    return {"filename": path, "dtype": ">f4", "mode": "r", "offset": offset, "shape": shape}


def mean_flat(paths, science, sigma):
    """Stack the integrations of the statistics files `paths`, by rows, and clip along the stack.

    `science` is the boolean image (y, x) of the pixels that count; others abstain. Returns as `clipped_stack`, images.
    """
    n_rows, n_columns = science.shape
    mean, std = np.full(science.shape, np.nan), np.full(science.shape, np.nan)
    number = np.zeros(science.shape, dtype=np.int32)
    places = [_place_of_slopes(path) for path in paths]
    n_integrations = sum(place["shape"][0] for place in places)
    for rows in row_blocks(n_rows, 4 * n_columns * n_integrations, STACK_BYTES):
        # Mapped anew for each block: a map holds its file open, and there may be more flats than a process may open.
        stack = np.concatenate([np.memmap(**place)[:, rows] for place in places], dtype=np.float32)
        stack[:, ~science[rows]] = np.nan
        mean[rows], std[rows], number[rows] = clipped_stack(stack, sigma)
    return mean, std, number


def box_weights(width):
    """Weights of a box of `width` pixels about a pixel; of an even number of them half of one on either side.

    As `astropy.convolution.Box1DKernel`, which takes four tenths of a second to load.
    """
    weights = np.ones(width // 2 * 2 + 1)
    if width % 2 == 0:
        weights[[0, -1]] = 0.5
    return weights / width


def box_mean(image, width, beyond):
    """Mean of the finite pixels of `image` (float64 (y, x)) in a box of `width` pixels; `beyond` its borders.

    As `astropy.convolution.convolve` with a Box2DKernel, boundary `fill` and NaN interpolated; but along one axis after
    the other, which is faster by the width of the box.
    """
    weights = box_weights(width)

    def blurred(values, outside):
        for axis in (0, 1):
            values = correlate1d(values, weights, axis=axis, mode="constant", cval=outside)
        return values

    finite = np.isfinite(image)
    total, share = blurred(np.where(finite, image, 0.0), beyond), blurred(finite.astype(np.float64), 1.0)
    with np.errstate(invalid="ignore"):
        return np.where(share > 0, total / share, np.nan)


def smooth(image, science, smoothing_type, width):
    """Local mean (`Box2D`), median (`Median`) or plane (`Plane`) of `image` (y, x) in a box of `width` pixels.

    Beyond the border the image continues with the median of its science pixels. `Box2D` interpolates NaN; `Median`
    takes that median for NaN.
    """
    fill = np.nanmedian(image[science])
    if smoothing_type == "Plane":
        return background(image, science, width)
    if smoothing_type == "Box2D":
        return box_mean(image, width, fill)
    return median_filter(np.where(np.isfinite(image), image, fill), size=width, mode="constant", cval=fill)


def normalise(mean, science, settings):
    """Divide the mean flat (y, x) by its smoothed self (`smoothed`), by its clipped mean (`mean`), or not (`none`).

    `settings` are ResponseSettings, `science` is the boolean image (y, x) of the pixels that count.
    """
    method = settings.flat_mean_normalization_method
    if method == "smoothed":
        # Where the local mean is zero or not finite the response is unknown, not infinite.
        with np.errstate(divide="ignore", invalid="ignore"):
            response = mean / smooth(mean, science, settings.smoothing_type, settings.smoothing_box_width)
        return np.where(np.isfinite(response), response, np.nan)
    if method == "mean":
        return mean / clipped_mean_std(mean[science], settings.flat_mean_sigma_threshold, CLIP_ITERATIONS)[0]
    return mean.copy()


def combine_flats(paths, science, settings):
    """The FlatResponse of the statistics files `paths`.

    `science` is the boolean image (y, x) of the pixels that count, `settings` are ResponseSettings.
    """
    mean, std, n_valid = mean_flat(paths, science, settings.flat_mean_sigma_threshold)
    return FlatResponse(mean, std, n_valid, normalise(mean, science, settings))
