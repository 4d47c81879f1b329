"""The response of a flat of the sky with its error, without the light of stars; and that of all flats together."""

from collections.abc import Mapping, Sequence

import numpy as np

from badpix.config.settings import ResponseSettings, SkySettings
from badpix.formats.response_file import FlatResponse
from badpix.formats.sky_file import SkyFlat, read_plane, read_sky_flat
from badpix.formats.statistics_file import open_statistics
from badpix.numerics.growth import grown
from badpix.numerics.row_blocks import row_blocks
from badpix.response.background import block_median
from badpix.response.covered import covered_pixels
from badpix.response.normalise import STACK_BYTES, clipped_stack, combine_flats, reference_level

# Pixels that are brighter than the level by so many standard deviations of all pixels do not enter the local level.
BRIGHT_SIGMA = 5
# Standard deviation of a normal distribution / its median absolute deviation.
SIGMA_PER_MAD = 1.4826


def mean_slope(paths: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Mean slope (DN/s) of all integrations of a flat and its variance, float64 (y, x); NaN without a value."""
    total, variance, number = np.zeros(1), np.zeros(1), np.zeros(1)
    for path in paths:
        with open_statistics(path) as statistics:
            for slope, of_slope in zip(statistics["SLOPE"].data, statistics["VAR_SLOPE"].data, strict=True):
                valid = np.isfinite(slope) & np.isfinite(of_slope)
                total = total + np.where(valid, slope, 0.0)
                variance = variance + np.where(valid, of_slope, 0.0)
                number = number + valid
    with np.errstate(divide="ignore", invalid="ignore"):
        return total / number, variance / number**2


def without_bright_pixels(image: np.ndarray, level: np.ndarray, science: np.ndarray) -> np.ndarray:
    """`image` with its bright pixels replaced by the `level`, float (y, x); `science` is a boolean image (y, x).

    A hot pixel can be a hundred times as bright as the sky, and would raise the mean of its surroundings.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = image / level
        centre = np.nanmedian(ratio[science])
        scatter = SIGMA_PER_MAD * np.nanmedian(np.abs(ratio[science] - centre))
        return np.where(ratio > centre + BRIGHT_SIGMA * scatter, level, image)


def measure_sky_flat(
    paths: Sequence[str],
    science: np.ndarray,
    has_sources: bool,
    settings: ResponseSettings,
    sky: SkySettings,
    slices: str | None = None,
) -> SkyFlat:
    """The SkyFlat of the statistics files `paths` of an exposure.

    Parameters
    ----------
    paths : sequence of str
        The statistics files of its segments.
    science : bool array (y, x)
        The science pixels.
    has_sources : bool
        False for a flat of a lamp, in which all structure is of the lamp and the detector.
    settings : ResponseSettings
        Method and parameters of the normalisation.
    sky : SkySettings
        Parameters of the search of sources.
    slices : str, optional
        Axis of the slices of an image slicer, as in `normalise.smooth`.
    """
    # Takes a second to import: only where a flat is measured.
    from badpix.response.sources import find_sources, smooth_level

    slope, variance = mean_slope(paths)
    slope = np.where(science, slope, np.nan)
    if has_sources:
        sources, level = find_sources(slope, science, sky)
    else:
        sources, level = np.zeros(science.shape, bool), smooth_level(slope, science)
    if sources[science].all():
        # The sources hide the sky, or the flat has no values: nothing is measured.
        nothing = np.full(science.shape, np.float32(np.nan))
        return SkyFlat(nothing, nothing, nothing, sources)
    usable = np.where(grown(sources, sky.source_growth), level, without_bright_pixels(slope, level, science))
    # The noise that a healthy pixel has here: a dead pixel has no shot noise, a noisy pixel has more.
    expected = np.fmax(variance, block_median(np.where(science, variance, np.nan)))
    with np.errstate(divide="ignore", invalid="ignore"):
        reference = reference_level(usable, science, settings, slices)
        reference = np.where(reference > 0, reference, np.nan)
        response, error = slope / reference, np.sqrt(expected) / reference
    return SkyFlat(response.astype(np.float32), error.astype(np.float32), level.astype(np.float32), sources)


def combine(
    flats: Mapping[str, Sequence[str]],
    singles: Mapping[str, str],
    science: np.ndarray,
    settings: ResponseSettings,
    slices: str | None = None,
) -> FlatResponse:
    """The FlatResponse of the flats of a mask, of the sky or of lamps alone.

    Parameters
    ----------
    flats : mapping
        Exposure -> its statistics files.
    singles : mapping
        Exposure -> its file of a flat of the sky; empty for flats of lamps alone.
    science : bool array (y, x)
        The science pixels.
    settings : ResponseSettings
        Parameters of clipping and normalisation.
    slices : str, optional
        Axis of the slices of an image slicer, as in `normalise.smooth`.
    """
    if not singles:
        return combine_flats([path for paths in flats.values() for path in paths], science, settings, slices)
    both = {name: (paths, singles[name]) for name, paths in flats.items()}
    return combine_sky_flats(both, science, settings, slices)


def combine_sky_flats(
    flats: Mapping[str, tuple[Sequence[str], str]],
    science: np.ndarray,
    settings: ResponseSettings,
    slices: str | None = None,
) -> FlatResponse:
    """The FlatResponse of flats of the sky: each is brought to the mean diffuse light, without its sources.

    Parameters
    ----------
    flats : mapping
        Exposure -> (its statistics files, its file of a flat of the sky).
    science : bool array (y, x)
        The science pixels.
    settings : ResponseSettings
        Parameters of clipping and normalisation.
    slices : str, optional
        Axis of the slices of an image slicer, as in `normalise.smooth`.
    """
    n_rows, n_columns = science.shape
    # The files are verified here; afterwards they are read by rows. A flat that sources cover whole has no level.
    common, n_with_level = np.zeros(science.shape), 0
    for _, sky_file in flats.values():
        level = read_sky_flat(sky_file).level
        if np.isfinite(level).any():
            common, n_with_level = common + level, n_with_level + 1
    common /= max(1, n_with_level)
    covered = covered_pixels([sky_file for _, sky_file in flats.values()])
    mean, std, error = (np.full(science.shape, np.nan) for _ in range(3))
    number = np.zeros(science.shape, np.int32)
    n_integrations = sum(n_integrations_of(path) for paths, _ in flats.values() for path in paths)
    for rows in row_blocks(n_rows, 4 * n_columns * n_integrations, STACK_BYTES):
        stack: list[np.ndarray] = []
        squares, counts = np.zeros(science[rows].shape), np.zeros(science[rows].shape)
        for name, (paths, sky_file) in flats.items():
            hidden = covered[name][rows] | ~science[rows]
            own = _scaled(paths, read_plane(sky_file, "LEVEL", rows), common[rows], hidden, rows)
            valid = np.isfinite(own).sum(axis=0)
            # The mean is over integrations, so a flat has the weight of its number of integrations.
            squares += np.where(valid > 0, valid * read_plane(sky_file, "ERROR", rows), 0.0) ** 2
            counts += valid
            stack += own
        mean[rows], std[rows], number[rows] = clipped_stack(
            np.array(stack, np.float32), settings.flat_mean_sigma_threshold
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            error[rows] = np.sqrt(squares) / counts
    usable = without_bright_pixels(np.where(np.isfinite(mean), mean, common), common, science)
    reference = reference_level(usable, science, settings, slices)
    with np.errstate(divide="ignore", invalid="ignore"):
        normalised = np.where(reference > 0, mean / reference, np.nan)
    return FlatResponse(mean, std, number, normalised, error, sum(covered.values(), np.zeros(science.shape, np.int16)))


def _scaled(
    paths: Sequence[str], level: np.ndarray, common: np.ndarray, hidden: np.ndarray, rows: slice
) -> list[np.ndarray]:
    """The slopes (DN/s) of each integration of a flat in `rows`, float32 (rows, x), brought to the `common` level.

    NaN where `hidden` (boolean) is true, and where the flat has no light.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where((level > 0) & ~hidden, common / level, np.nan)
    found = []
    for path in paths:
        with open_statistics(path) as statistics:
            found += [(slope[rows] * factor).astype(np.float32) for slope in statistics["SLOPE"].data]
    return found


def n_integrations_of(path: str) -> int:
    """Number of integrations of a statistics file."""
    with open_statistics(path) as statistics:
        return statistics["SLOPE"].shape[0]
