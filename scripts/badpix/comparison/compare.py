"""Compare each exposure with the others of its kind: one distance in each measure, and one limit.

The distance is the difference from the median of the other exposures, in units of the variation: the scatter of the
others and the usual variation of good exposures (`Measure.usual`), added in quadrature.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from badpix.comparison.measures import (
    MEASURES,
    Measure,
    Measured,
    dark_sample,
    flat_sample,
    measure_dark,
    measure_flat,
)
from badpix.comparison.others import Others
from badpix.comparison.robust import centre_and_scatter, median_along
from badpix.comparison.sample import Sample
from badpix.formats.comparison_file import GOOD, NO_MAJORITY, OUTLIER, OUTLIER_OF_FEW, ComparisonRow
from badpix.formats.sky_file import growth_of, read_sky_flat
from badpix.formats.statistics_file import open_statistics
from badpix.formats.statistics_set import Exposure
from badpix.instrument.depth import similar_depth
from badpix.numerics.growth import grown

# With fewer exposures there is nothing to compare; with fewer than MIN_TO_REJECT no outlier is rejected.
MIN_EXPOSURES, MIN_TO_REJECT = 3, 5
PLANES = {"darks": ("SLOPE", "VAR_SLOPE", "PEDESTAL", "CDS_NOISE", "NJUMP"), "flats": ("SLOPE", "VAR_SLOPE")}
# The read patterns SLOW and SLOWR1 of MIRI average 8 samples of a pixel in each frame, all others have 1.
SLOW_SAMPLES = 8
# A pattern is compared if its coefficient is above so many standard errors.
PATTERN_SIGMA = 5
# Measures in units of the expected noise of slopes.
SLOPE_NOISE = ("slope_scatter", "scatter")
SAMPLES = {"darks": dark_sample, "flats": flat_sample}
FUNCTIONS = {"darks": measure_dark, "flats": measure_flat}


def integrations(
    exposure: Exposure, kind: str, sample: Sample, sources: Mapping[str, str]
) -> Iterator[dict[str, np.ndarray]]:
    """The sampled planes (name -> array of `Sample.read`) of each integration.

    SLOPE is NaN at the sources of the sky, by the files `sources` (exposure -> file of a flat of the sky), and GIVEN is
    the slope with them.
    """
    hidden = None
    if exposure.name in sources:
        path = sources[exposure.name]
        hidden = sample.read(grown(read_sky_flat(path).sources, growth_of(path)).astype(np.float32)) > 0
    for path in exposure.paths:
        with open_statistics(path) as statistics:
            for number in range(statistics["SLOPE"].shape[0]):
                planes = {name: sample.read(statistics[name].data[number]) for name in PLANES[kind]}
                planes["GIVEN"] = planes["SLOPE"]
                if hidden is not None:
                    planes["SLOPE"] = np.where(hidden, np.float32(np.nan), planes["SLOPE"])
                yield planes


def medians(exposure: Exposure, kind: str, sample: Sample, sources: Mapping[str, str]) -> dict[str, np.ndarray]:
    """The compared quantities of an exposure, each the median of its integrations: quantity -> array."""
    samples = [SAMPLES[kind](planes, sample) for planes in integrations(exposure, kind, sample, sources)]
    if len(samples) == 1:
        return samples[0]
    return {name: median_along(np.array([one[name] for one in samples])) for name in samples[0]}


def measured(
    exposures: Sequence[Exposure], kind: str, science: np.ndarray, sources: Mapping[str, str]
) -> list[list[Measured]]:
    """The measures of each integration of each exposure; `science` is the boolean image (y, x) of science pixels.

    `sources` maps flats of the sky to their files.
    """
    sample = Sample(science)
    result = []
    with (
        np.errstate(all="ignore"),
        Others(medians(exposure, kind, sample, sources) for exposure in exposures) as others,
    ):
        for number, exposure in enumerate(exposures):
            of_others = others.of(number)
            # Variance of the median of normal values.
            of_others["variance"] *= np.pi / 2 / (len(exposures) - 1)
            found = [
                FUNCTIONS[kind](planes, SAMPLES[kind](planes, sample), of_others, sample)
                for planes in integrations(exposure, kind, sample, sources)
            ]
            result.append(found)
    return result


def reads_averaged(header: Mapping[str, Any]) -> int:
    """Number of reads of a pixel that are averaged in a group: NFRAMES, times the samples of a frame."""
    slow = str(header.get("READPATT", "")).upper().startswith("SLOW")
    return int(header.get("NFRAMES") or 1) * (SLOW_SAMPLES if slow else 1)


def compare(
    exposures: Sequence[Exposure],
    kind: str,
    science: np.ndarray,
    limit: float,
    sources: Mapping[str, str] | None = None,
) -> list[ComparisonRow]:
    """The distance of each exposure in each measure, and its status; empty with fewer than MIN_EXPOSURES.

    The noise of a slope depends on the number of groups, and the noise of the reference on those of the others.
    Exposures of similar depth are therefore compared with each other. Fewer than MIN_EXPOSURES of a depth are compared
    with all exposures, in the measures that do not depend on the noise of slopes.

    Parameters
    ----------
    exposures : sequence of Exposure
        The usable exposures of a kind.
    kind : str
        darks or flats.
    science : array
        The science pixels, bool (y, x).
    limit : float
        The distance beyond which an exposure is an outlier.
    sources : mapping, optional
        Exposure -> its file of a flat of the sky: its sources are left out.
    """
    if len(exposures) < MIN_EXPOSURES:
        return []
    rows: list[ComparisonRow] = []
    for members in similar_depth([exposure.header["NGROUPS"] for exposure in exposures]):
        alike = [exposures[number] for number in members]
        if len(alike) >= MIN_EXPOSURES:
            rows += _rows(alike, kind, science, limit, sources or {})
        else:
            names = {exposure.name for exposure in alike}
            of_all = _rows(exposures, kind, science, limit, sources or {})
            rows += [row for row in of_all if row.exposure in names and row.measure not in SLOPE_NOISE]
    status = statuses(rows, len(exposures))
    return [replace(row, status=status[row.exposure]) for row in rows]


def _rows(
    exposures: Sequence[Exposure], kind: str, science: np.ndarray, limit: float, sources: Mapping[str, str]
) -> list[ComparisonRow]:
    """The rows of `compare` without a status, of exposures that are all compared with each other."""
    values = measured(exposures, kind, science, sources)
    frames = [reads_averaged(exposure.header) for exposure in exposures]
    owners = np.repeat(np.arange(len(values)), [len(of_one) for of_one in values])
    rows = []
    for name, measure in MEASURES[kind].items():
        of_all = np.array([one[name] for of_one in values for one in of_one])
        for number, exposure in enumerate(exposures):
            own, others = of_all[owners == number], of_all[owners != number]
            most = most_distant(measure, own, others, frames[number] / np.median(np.delete(frames, number)))
            if most is not None:
                rows.append(_row(kind, exposure.name, name, most, limit))
    return rows


def most_distant(
    measure: Measure, own: np.ndarray, others: np.ndarray, frames: float
) -> tuple[int, float, float, float] | None:
    """The integration of an exposure with the largest distance: number from 1, value, value of the others, variation.

    Parameters
    ----------
    measure : Measure
        The measure.
    own, others : float array (integration, 2)
        Value and usual variation of the integrations of the exposure, and of all other exposures.
    frames : float
        Frames per group, as a ratio to the median of the other exposures.

    Returns
    -------
    tuple or None
        None if the measure cannot be compared: no finite values, or no pattern above its error.
    """
    centre, scatter = centre_and_scatter(others[:, 0])
    value, usual = own.T
    if measure.pattern:
        # A noisy reference makes all coefficients smaller: they are compared as ratios.
        if not centre > PATTERN_SIGMA * centre_and_scatter(others[:, 1])[0]:
            return None
        value, usual, scatter, centre = value / centre, np.hypot(measure.usual, usual / centre), scatter / centre, 1.0
    low = high = centre
    if measure.read_noise:
        # The part of the noise that falls with the root of the number of frames is unknown: from none of it to all.
        low, high = sorted((centre, centre - 0.5 * np.log(frames)))
    nearest, variation = np.clip(value, low, high), np.hypot(scatter, usual)
    distance = np.abs(value - nearest) / variation
    if not np.isfinite(distance).any():
        return None
    worst = int(np.nanargmax(distance))
    return worst + 1, float(value[worst]), float(nearest[worst]), float(variation[worst])


def _row(kind: str, exposure: str, name: str, most: tuple[int, float, float, float], limit: float) -> ComparisonRow:
    """The row of an exposure from the result of `most_distant`, without a status."""
    integration, value, others, variation = most
    text = MEASURES[kind][name].text(value, others)
    distance = abs(value - others) / variation
    return ComparisonRow(kind, exposure, name, integration, value, others, variation, distance, limit, "", text)


def statuses(rows: Sequence[ComparisonRow], n_exposures: int) -> dict[str, str]:
    """Exposure -> status, from the rows of all `n_exposures` exposures of a kind."""
    outliers = {row.exposure for row in rows if row.distance > row.limit}
    if n_exposures < MIN_TO_REJECT:
        status = OUTLIER_OF_FEW
    else:
        status = OUTLIER if 2 * len(outliers) < n_exposures else NO_MAJORITY
    return {row.exposure: status if row.exposure in outliers else GOOD for row in rows}
