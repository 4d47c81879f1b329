"""The response of the detector from its flats: the sigma-clipped mean of all integrations, normalised."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import correlate1d, median_filter

from badpix.config.settings import ResponseSettings
from badpix.formats.response_file import FlatResponse
from badpix.formats.statistics_file import open_statistics
from badpix.numerics.clipping import CLIP_ITERATIONS, clipped_mean_std
from badpix.numerics.row_blocks import row_blocks
from badpix.numerics.stack_clipping import clip_along
from badpix.response.background import background

# Bytes of slopes stacked at a time.
STACK_BYTES = 16 * 2**20
# The largest deviation of a single value among n is n / sqrt(n - 1) standard deviations: 2.86 for 7, 3.02 for 8.
MIN_INTEGRATIONS_TO_CLIP = 8


def clipped_stack(stack: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard deviation and number of values along a stack (integration, y, x), float32, after sigma clipping.

    Values that are not finite are ignored. Returns mean and population standard deviation, float64 (y, x), NaN where
    no value is left, and the number of values left, int32 (y, x).
    """
    shape = stack.shape[1:]
    mean, std, number = np.empty(shape), np.empty(shape), np.empty(shape, np.int32)
    clip_along(stack, float(sigma), CLIP_ITERATIONS, mean, std, number)
    return mean, std, number


def _location_of_slopes(path: str | Path) -> dict:
    """The position of the slopes in a statistics file as arguments of `np.memmap`, faster than to open FITS again."""
    with open_statistics(path) as statistics:
        offset, shape = statistics["SLOPE"].fileinfo()["datLoc"], statistics["SLOPE"].shape
    return {"filename": path, "dtype": ">f4", "mode": "r", "offset": offset, "shape": shape}


def mean_flat(
    paths: Sequence[str | Path], science: np.ndarray, sigma: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stack the integrations of the statistics files `paths` in blocks of rows, and clip along the stack.

    `science` is the boolean image (y, x) of the science pixels; reference pixels get NaN. Returns mean, population
    standard deviation and number of values as `clipped_stack`.
    """
    n_rows, n_columns = science.shape
    mean, std = np.full(science.shape, np.nan), np.full(science.shape, np.nan)
    number = np.zeros(science.shape, dtype=np.int32)
    locations = [_location_of_slopes(path) for path in paths]
    n_integrations = sum(location["shape"][0] for location in locations)
    for rows in row_blocks(n_rows, 4 * n_columns * n_integrations, STACK_BYTES):
        stack = np.empty((n_integrations, rows.stop - rows.start, n_columns), np.float32)
        first = 0
        for location in locations:
            # One at a time: a map keeps its file open, and flats may outnumber the files that a process may open.
            slopes = np.memmap(**location)[:, rows]
            stack[first : first + len(slopes)] = slopes
            first += len(slopes)
        stack[:, ~science[rows]] = np.nan
        mean[rows], std[rows], number[rows] = clipped_stack(stack, sigma)
    return mean, std, number


def box_weights(width: int) -> np.ndarray:
    """Weights of a box of `width` pixels around a pixel, float64; with an even width the two end pixels count half.

    As `astropy.convolution.Box1DKernel`, whose import takes 0.4 s.
    """
    weights = np.ones(width // 2 * 2 + 1)
    if width % 2 == 0:
        weights[[0, -1]] = 0.5
    return weights / width


def box_mean(image: np.ndarray, width: int, beyond: float) -> np.ndarray:
    """Mean of the finite pixels of `image`, float64 (y, x), in a box of `width` pixels; `beyond` is the value outside.

    As `astropy.convolution.convolve` with a Box2DKernel, boundary `fill` and NaN interpolated, but axis by axis, which
    is faster by a factor of the box width.
    """
    weights = box_weights(width)

    def blurred(values: np.ndarray, outside: float) -> np.ndarray:
        for axis in (0, 1):
            values = correlate1d(values, weights, axis=axis, mode="constant", cval=outside)
        return values

    finite = np.isfinite(image)
    total, share = blurred(np.where(finite, image, 0.0), beyond), blurred(finite.astype(np.float64), 1.0)
    with np.errstate(invalid="ignore"):
        return np.where(share > 0, total / share, np.nan)


def smooth(
    image: np.ndarray, science: np.ndarray, smoothing_type: str, width: int, slices: str | None = None
) -> np.ndarray:
    """Local mean (`Box2D`), median (`Median`) or plane (`Plane`) of `image` (y, x) in a box of `width` pixels.

    `science` is the boolean image (y, x) of the science pixels. For `Box2D` and `Median` the image is continued beyond
    its border with the median of the science pixels. `Box2D` interpolates NaN; `Median` replaces NaN by this median.
    `slices` is the axis (x, y) of the slices of an image slicer, which `Plane` knows, None without.
    """
    fill = np.nanmedian(image[science])
    if smoothing_type == "Plane":
        return background(image, science, width, slices)
    if smoothing_type == "Box2D":
        return box_mean(image, width, fill)
    return median_filter(np.where(np.isfinite(image), image, fill), size=width, mode="constant", cval=fill)


def reference_level(
    image: np.ndarray, science: np.ndarray, settings: ResponseSettings, slices: str | None = None
) -> np.ndarray:
    """The level by which a flat is divided, float64: the smoothed flat (y, x), its clipped mean (), or 1 ().

    `image` is the flat (y, x), `science` the boolean image (y, x) of the science pixels, `slices` as in `smooth`.
    """
    method = settings.flat_mean_normalization_method
    if method == "smoothed":
        return smooth(image, science, settings.smoothing_type, settings.smoothing_box_width, slices)
    if method == "mean":
        return np.array(clipped_mean_std(image[science], settings.flat_mean_sigma_threshold, CLIP_ITERATIONS)[0])
    return np.array(1.0)


def normalise(
    mean: np.ndarray, science: np.ndarray, settings: ResponseSettings, slices: str | None = None
) -> np.ndarray:
    """Divide the mean flat (y, x) by the smoothed flat (`smoothed`), by its clipped mean (`mean`), or not (`none`).

    `science` is the boolean image (y, x) of the science pixels, `slices` as in `smooth`.
    """
    # Where the smoothed flat is zero or not finite, the response is unknown (NaN), not infinite.
    with np.errstate(divide="ignore", invalid="ignore"):
        response = mean / reference_level(mean, science, settings, slices)
    return np.where(np.isfinite(response), response, np.nan)


def combine_flats(
    paths: Sequence[str], science: np.ndarray, settings: ResponseSettings, slices: str | None = None
) -> FlatResponse:
    """The FlatResponse of the statistics files `paths`.

    `science` is the boolean image (y, x) of the science pixels, `slices` as in `smooth`.
    """
    mean, std, n_valid = mean_flat(paths, science, settings.flat_mean_sigma_threshold)
    return FlatResponse(mean, std, n_valid, normalise(mean, science, settings, slices))
