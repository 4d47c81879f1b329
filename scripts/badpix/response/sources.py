"""Sources in a flat of the sky: stars and galaxies on the diffuse light, found by connected pixels (photutils)."""

import warnings

import numpy as np
from astropy.stats import SigmaClip
from photutils.background import Background2D, SExtractorBackground, StdBackgroundRMS
from photutils.segmentation import detect_sources
from photutils.utils.exceptions import NoDetectionsWarning
from scipy.ndimage import convolve, correlate1d

from badpix.config.settings import SkySettings
from badpix.numerics.growth import grown
from badpix.response.background import local_plane

# Full widths at half maximum (pixels) of the filters: that of a star, and that of the wings of stars and of galaxies.
FILTER_FWHM = (2.0, 6.0)
# Smallest number of connected pixels of a source.
MIN_PIXELS = 5
# Light of sources below this part of the diffuse light has no effect on a type of pixel.
MIN_LIGHT = 0.03
# Side (pixels) of the boxes of the diffuse light; smaller arrays have at least MIN_BOXES boxes along a side.
BOX, MIN_BOXES = 32, 4
# Pixels beyond so many standard deviations have no part in the diffuse light; number of fits of planes.
CLIP_SIGMA, PLANES = 3, 2
# With less sky than this part of the science pixels there is no level to find sources on: all pixels are covered.
MIN_SKY = 0.1
# The sources of a pass are left out of the diffuse light of the next pass.
PASSES = 3
# A pixel is no part of a star if its four neighbours together have less than this part of its light. A star that is
# narrower than a pixel (NIRCam below 1 micrometre) has more, a hot pixel with capacitive coupling has 0.02 to 0.03.
SHARPEST_STAR = 0.2
# Only pixels beyond so many standard deviations can be called too sharp for a star.
SHARP_SIGMA = 5
# Full width at half maximum of a normal distribution / its standard deviation.
SIGMA_TO_FWHM = 2.3548
_NEIGHBOURS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], float)


def diffuse_light(image: np.ndarray, ignored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level of the diffuse light and scatter of the pixels about it, float64 (y, x), both smooth.

    The medians of boxes do not follow a gradient up to the border, so planes are fitted to the pixels near them, and
    the boxes are those of the difference. `ignored` is a boolean image (y, x) of the pixels that do not count. A box
    with few pixels takes the values of its surroundings; ValueError if no box has enough pixels.
    """
    level, scatter = _boxes(image, ignored)
    for _ in range(PLANES):
        near = ~ignored & (np.abs(image - level) < CLIP_SIGMA * scatter)
        plane = local_plane(image, near, 2 * BOX + 1)
        level = np.where(np.isfinite(plane), plane, level)
    rest, scatter = _boxes(image - level, ignored)
    return level + rest, scatter


def _boxes(image: np.ndarray, ignored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mode and standard deviation of the pixels of boxes, clipped, as smooth images (y, x); arguments as above."""
    box = tuple(min(BOX, max(8, n // MIN_BOXES)) for n in image.shape)
    result = Background2D(
        np.where(ignored, 0.0, image),
        box,
        mask=ignored,
        exclude_percentile=90,
        filter_size=3,
        sigma_clip=SigmaClip(CLIP_SIGMA, maxiters=10),
        bkg_estimator=SExtractorBackground(),
        bkg_rms_estimator=StdBackgroundRMS(),
    )
    return result.background, result.background_rms


def smooth_level(image: np.ndarray, science: np.ndarray) -> np.ndarray:
    """Level of a flat without sources, float64 (y, x); `science` is the boolean image (y, x) of the science pixels."""
    return diffuse_light(image, ~science | ~np.isfinite(image))[0]


def single_pixels(excess: np.ndarray, scatter: np.ndarray) -> np.ndarray:
    """Boolean image (y, x) of the bright pixels whose neighbours are not bright: hot pixels and cosmic rays."""
    around = convolve(np.where(np.isfinite(excess), excess, 0.0), _NEIGHBOURS, mode="constant")
    with np.errstate(invalid="ignore"):
        return (excess > SHARP_SIGMA * scatter) & (around < SHARPEST_STAR * excess)


def find_sources(image: np.ndarray, science: np.ndarray, settings: SkySettings) -> tuple[np.ndarray, np.ndarray]:
    """The pixels of sources in a flat of the sky, and the level of the diffuse light.

    Parameters
    ----------
    image : float array (y, x)
        The flat (DN/s); NaN where there is no value.
    science : bool array (y, x)
        The science pixels.
    settings : SkySettings
        Threshold in standard deviations of the filtered image.

    Returns
    -------
    sources : bool array (y, x)
        The pixels of sources, without their surroundings.
    level : float array (y, x)
        The diffuse light (DN/s).
    """
    unusable = ~science | ~np.isfinite(image)
    sources, level = np.zeros(image.shape, bool), np.full(image.shape, np.nan)
    for _ in range(PASSES):
        ignored = unusable | grown(sources, settings.source_growth)
        if np.count_nonzero(~ignored) < MIN_SKY * np.count_nonzero(science):
            # The sources hide the sky.
            return science.copy(), level
        try:
            level, scatter = diffuse_light(image, ignored)
        except ValueError:  # no box has enough pixels
            return science.copy(), level
        excess = np.where(unusable, np.nan, image - level)
        excess[single_pixels(excess, scatter)] = np.nan
        found = np.zeros(image.shape, bool)
        for fwhm in FILTER_FWHM:
            # The wide filter would spread the light of the stars that the narrow filter has found.
            found |= _detected(np.where(found, np.nan, excess), scatter, level, fwhm, settings.source_threshold)
        sources = found & science
    return sources, level


def _detected(excess: np.ndarray, scatter: np.ndarray, level: np.ndarray, fwhm: float, threshold: float) -> np.ndarray:
    """Boolean image (y, x) of connected pixels with light in the filtered image; pixels that are NaN have no part.

    Parameters
    ----------
    excess, scatter, level : float arrays (y, x)
        The light above the diffuse light, the scatter of a pixel, and the diffuse light.
    fwhm : float
        Width of the filter (pixels).
    threshold : float
        In standard deviations of the filtered image; at least MIN_LIGHT of the diffuse light.
    """
    position = np.arange(-np.ceil(1.5 * fwhm), np.ceil(1.5 * fwhm) + 1)
    weights = np.exp(-0.5 * (position * SIGMA_TO_FWHM / fwhm) ** 2)
    valid = np.isfinite(excess)
    total = np.maximum(_filtered(valid.astype(float), weights), 1e-6)
    signal = _filtered(np.where(valid, excess, 0.0), weights) / total
    noise = scatter * np.sqrt(np.maximum(_filtered(valid.astype(float), weights**2), 0)) / total
    limit = np.maximum(threshold * noise, MIN_LIGHT * np.maximum(level, 0))
    with warnings.catch_warnings():
        # A flat may have no sources.
        warnings.simplefilter("ignore", NoDetectionsWarning)
        found = detect_sources(np.where(noise > 0, signal, -np.inf), limit, MIN_PIXELS, connectivity=8)
    return np.zeros(valid.shape, bool) if found is None else found.data > 0


def _filtered(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum of the pixels around each pixel with `weights` along x and along y; zeros beyond the border."""
    return correlate1d(correlate1d(image, weights, axis=0, mode="constant"), weights, axis=1, mode="constant")
