"""The measures in which exposures of a kind are compared, from the sampled planes of their integrations.

`pattern` is the difference of each pixel from its neighbour. The fixed pattern of a detector is the same in all its
exposures; temperature, light, glow, cosmic rays and read pattern change its noise, not the pattern.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from badpix.comparison.robust import centre_and_scatter, slope_on
from badpix.comparison.sample import Sample, neighbours


@dataclass(frozen=True)
class Measure:
    """A measure: its name in words, the variation that is usual among good exposures, and its unit.

    `usual` is in the unit of the measure; the unit `ln` is the natural logarithm of a ratio. `read_noise`: the measure
    is a logarithm of a noise, which falls with the root of the number of frames per group. `pattern`: the measure is
    the coefficient of a regression on the pattern of the others.
    """

    title: str
    usual: float
    unit: str
    read_noise: bool = False
    pattern: bool = False

    def text(self, value: float, others: float) -> str:
        """The measure with its value and that of the others, in words."""
        if self.unit == "ln":
            return f"{self.title} {np.exp(value - others):.3g} times as large as in the others"
        scale, unit = (100, "%") if self.unit in (SHARE, PATTERN) else (1, f" {self.unit}")
        return f"{self.title} {scale * value:.3g}{unit}, in the others {scale * others:.3g}{unit}"


SHARE, PATTERN = "share", "part of the pattern"
DARK_MEASURES = {
    "pedestal": Measure("pedestal", 0, "DN"),
    "pedestal_scatter": Measure("scatter of the pedestal about that of the other darks", 0.13, "ln", read_noise=True),
    "noise": Measure("noise of the group differences", 0.13, "ln", read_noise=True),
    "noise_pattern": Measure("pattern of the noise", 0.1, PATTERN, pattern=True),
    "slope_scatter": Measure("scatter of the slopes about those of the other darks, over its expectation,", 0.2, "ln"),
    "light": Measure("difference of the slope from that of the other darks in a fifth of the area", 0.05, "DN/s"),
    "deviating": Measure("pixels with another slope than in the other darks", 0.007, SHARE),
    "noise_changed": Measure("area with less than half or more than twice the noise", 0.02, SHARE),
    "without_slope": Measure("pixels without a slope", 0.01, SHARE),
}
FLAT_MEASURES = {
    "pattern": Measure("pattern of the response", 0.1, PATTERN, pattern=True),
    "illumination": Measure("area with less than half or more than twice the light", 0.02, SHARE),
    "scatter": Measure("scatter of the response about that of the other flats, over its expectation,", 0.2, "ln"),
    "deviating": Measure("pixels with another response than in the other flats", 0.01, SHARE),
    "without_slope": Measure("pixels without a slope", 0.01, SHARE),
}
MEASURES = {"darks": DARK_MEASURES, "flats": FLAT_MEASURES}

# A scatter or a level is that of the fifth of the area where it is highest (or lowest).
FIFTH = 0.2
# The usual variation of the level of a dark, as a part of the noise of a slope and of the dark's own level.
LIGHT_PER_NOISE, LIGHT_PER_LEVEL = 1.0, 0.5
# A pixel deviates beyond so many scatters of the pixels of its own exposure.
DEVIATING_SIGMA = 6
# A part of the area has another noise or another illumination beyond this ratio to the typical value.
CELL_RATIO = 2
# A cell of a flat has light if its slope is above so many of its standard deviations.
LIT_SIGMA = 3
# Cells below this part of the median of all cells have no light in the other flats.
UNLIT = 0.2
# Differences of the response between lamps, filters and levels, beside the noise; relative.
RESPONSE_DIFFERENCE = 0.005

# Name of a sampled quantity -> array.
Sampled = Mapping[str, np.ndarray]
# Measure -> its value, and the variation that is usual.
Measured = dict[str, tuple[float, float]]


def _log(values: np.ndarray | np.floating) -> np.ndarray:
    """Natural logarithm; NaN where `values` are not positive."""
    return np.log(np.where(values > 0, values, np.nan))


def _share(where: np.ndarray, of: np.ndarray) -> float:
    """The share of True in `where` among True in `of`; NaN if there are none."""
    return float(np.count_nonzero(where & of) / of.sum()) if of.any() else np.nan


def _beyond(residual: np.ndarray, of: np.ndarray | bool = True) -> float:
    """The share of the finite values more than DEVIATING_SIGMA scatters from the median."""
    centre, scatter = centre_and_scatter(residual)
    return _share(np.abs(residual - centre) > DEVIATING_SIGMA * scatter, np.isfinite(residual) & of)


def _quantile(values: np.ndarray, share: float) -> float:
    """The quantile of the finite values; NaN without finite values."""
    finite = values[np.isfinite(values)]
    return float(np.quantile(finite, share)) if finite.size else np.nan


def _log_scatter(scatters: np.ndarray, expected: np.ndarray | float = 1.0) -> float:
    """Logarithm of the scatter of cells, over the expected scatter, in the fifth of the cells where it is largest."""
    return float(_log(np.float64(_quantile(scatters / expected, 1 - FIFTH))))


def _changed(own: np.ndarray, others: np.ndarray, of: np.ndarray) -> float:
    """The share of the cells `of` whose ratio to the others is beyond CELL_RATIO times the typical ratio."""
    ratio = _log(own / others)
    return _share(~(np.abs(ratio - centre_and_scatter(ratio[of])[0]) <= np.log(CELL_RATIO)), of)


def _without_slope_error(pedestal: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """`pedestal` without the part that is proportional to `slope`.

    The pedestal is extrapolated with the slope: few groups make both noisy, and their errors are proportional.
    """
    coefficient, _ = slope_on(slope, pedestal)
    return pedestal - coefficient * slope if np.isfinite(coefficient) else pedestal


def dark_sample(planes: Sampled, sample: Sample) -> dict[str, np.ndarray]:
    """The compared quantities of an integration of a dark, from its planes as read by `Sample.read`."""
    return {
        "pedestal": planes["PEDESTAL"][0],
        "slope": sample.differences(planes["SLOPE"]),
        "noise_pattern": sample.differences(_log(planes["CDS_NOISE"])),
        "noise": sample.cell_medians(planes["CDS_NOISE"]),
        "cells": sample.cell_medians(planes["SLOPE"]),
        "variance": sample.cell_medians(planes["VAR_SLOPE"]),
    }


def flat_sample(planes: Sampled, sample: Sample) -> dict[str, np.ndarray]:
    """The compared quantities of an integration of a flat, from its planes as read by `Sample.read`."""
    cells = sample.cell_medians(planes["SLOPE"])
    return {
        "pattern": sample.differences(_log(planes["SLOPE"])),
        "cells": cells,
        "variance": sample.cell_medians(planes["VAR_SLOPE"]) / cells**2,
    }


def measure_dark(planes: Sampled, own: Sampled, others: Sampled, sample: Sample) -> Measured:
    """The measures of an integration of a dark.

    Parameters
    ----------
    planes : mapping
        The planes of the integration as read by `Sample.read`.
    own, others : mapping
        The `dark_sample` of the integration, and of the median of the other darks.
    sample : Sample
        The sampled pixels.
    """
    pedestal, slope = own["pedestal"] - others["pedestal"], own["slope"] - others["slope"]
    expected = np.sqrt(2 * (own["variance"] + others["variance"]))
    no_jump = (planes["NJUMP"][0] == 0) & (neighbours(planes["NJUMP"]) == 0)
    level, noise = (centre_and_scatter(cells)[0] for cells in (others["cells"], expected / np.sqrt(2)))
    found: dict[str, float | tuple[float, float]] = {
        "pedestal": centre_and_scatter(pedestal),
        "pedestal_scatter": _log_scatter(sample.cell_scatters(_without_slope_error(pedestal, planes["SLOPE"][0]))),
        "noise": float(_log(np.float64(centre_and_scatter(own["noise"])[0]))),
        "noise_pattern": slope_on(others["noise_pattern"], own["noise_pattern"]),
        "slope_scatter": _log_scatter(sample.cell_scatters(np.where(no_jump, slope, np.nan)), expected),
        "light": _light(own["cells"] - others["cells"], level, noise),
        "deviating": _beyond(slope, no_jump),
        "noise_changed": _changed(own["noise"], others["noise"], others["noise"] > 0),
        "without_slope": _share(~np.isfinite(planes["SLOPE"][0]), sample.inside),
    }
    return _with_usual(found, DARK_MEASURES)


def _light(excess: np.ndarray, level: float, noise: float) -> tuple[float, float]:
    """The difference (DN/s) in the fifth of the cells with the most or the least light, and its usual variation."""
    low, high = _quantile(excess, FIFTH), _quantile(excess, 1 - FIFTH)
    usual = max(DARK_MEASURES["light"].usual, LIGHT_PER_NOISE * noise, LIGHT_PER_LEVEL * abs(level))
    return max(abs(low), abs(high)), usual


def measure_flat(planes: Sampled, own: Sampled, others: Sampled, sample: Sample) -> Measured:
    """The measures of an integration of a flat; parameters as for `measure_dark`."""
    lit = (own["cells"] > 0) & (own["variance"] < 1 / LIT_SIGMA**2)
    lit_in_others = others["cells"] > UNLIT * centre_and_scatter(others["cells"])[0]
    residual = own["pattern"] - others["pattern"]
    expected = np.sqrt(2 * (own["variance"] + others["variance"] + RESPONSE_DIFFERENCE**2))
    found: dict[str, float | tuple[float, float]] = {
        "pattern": slope_on(others["pattern"], own["pattern"]),
        "illumination": _changed(np.where(lit, own["cells"], np.nan), others["cells"], lit_in_others),
        "scatter": _log_scatter(sample.cell_scatters(residual), expected),
        "deviating": _beyond(residual),
        "without_slope": _share(~np.isfinite(planes["GIVEN"][0]), sample.inside),
    }
    return _with_usual(found, FLAT_MEASURES)


def _with_usual(found: Mapping[str, float | tuple[float, float]], measures: Mapping[str, Measure]) -> Measured:
    """The value of each measure with its usual variation; a pair has a variation, or the error of a pattern."""
    return {name: value if isinstance(value, tuple) else (value, measures[name].usual) for name, value in found.items()}
