"""Noisy pixels, by the scatter of their group-to-group differences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from badpix.instrument.readout import GroupTimes
from badpix.numerics.row_blocks import in_blocks
from badpix.vote.searches.base import Integration, Measure, Measured, Search, SearchRun, VoteCount

# Smallest noise in units of the typical noise. Noise is compared as a logarithm, and subtracting the shot noise can
# leave nothing for a hot pixel.
NOISE_FLOOR = 0.1


def typical_noise(noise: np.ndarray, sample: np.ndarray) -> np.floating:
    """Median of image `noise` over the pixels at the indices `sample`; NaN without values."""
    return typical(noise.reshape(-1)[sample])


def typical(values: np.ndarray) -> np.floating:
    """Median of `values` (any shape, float) that are not NaN; NaN without any."""
    values = values[~np.isnan(values)]
    return np.median(values) if values.size else np.float32(np.nan)


def read_noise_of_differences(planes: Mapping[str, np.ndarray], times: GroupTimes, sample: np.ndarray) -> np.ndarray:
    """Logarithm of the noise of group differences (DN) without the shot noise of the pixel's slope, image (y, x).

    `planes` maps VAR_POISSON, CDS_NOISE and NGOOD to images (y, x). `times` are the times of the groups. `sample` are
    the indices of the pixels (`badpix.vote.significance.subsample`) whose median noise is the typical noise.

    The Poisson variance of a slope from ramp_fit is rate / (gain x group time x (groups - 1)). The Poisson variance of
    a difference is rate x `GroupTimes.shot_noise_time_s` / gain.
    """
    time_squared = times.group_time_s * times.shot_noise_time_s
    noise, n_good, variance_of_slope = (planes[name] for name in ("CDS_NOISE", "NGOOD", "VAR_POISSON"))
    floor = (NOISE_FLOOR * typical_noise(noise, sample)) ** 2

    def of_rows(rows: slice) -> np.ndarray:
        shot = variance_of_slope[rows] * (np.maximum(n_good[rows], 1) - 1) * time_squared
        variance = noise[rows] ** 2 - np.maximum(shot, 0)
        return np.log(np.maximum(variance, floor)) / 2

    with np.errstate(invalid="ignore"):
        return in_blocks(noise, of_rows)


def noise_ratio(run: SearchRun) -> np.ndarray:
    """Noise of each pixel in units of the typical noise, float32 (y, x), at least 1; `run` is of a NoiseSearch."""
    noise = run.tests["noise"].mean()
    return np.maximum(1, np.exp(np.where(np.isfinite(noise), noise, 0)))


@dataclass(frozen=True)
class NoiseSearch(Search):
    """noisy: the noise of group differences, without the shot noise, compared within the amplifier."""

    noisy_test: str
    noisy_fraction: float

    planes = ("VAR_POISSON", "CDS_NOISE", "NGOOD")
    measures = {
        "noise": Measure(
            "READ_NOISE", "ln DN", "Noise of group differences, without shot noise", by_amplifier=True, scaled=False
        )
    }
    counts = (VoteCount("cds_noise", "Noise of group differences", ("noisy",), "noise"),)
    replaces = ("noisy",)

    def is_on(self) -> bool:
        return self.noisy_test == "cds"

    def header_keys(self) -> tuple[str, ...]:
        return "noisy_test", "noisy_fraction"

    def fraction(self, measure: str) -> float:  # noqa: ARG002 - there is a single measure
        return self.noisy_fraction

    def measured(self, integration: Integration) -> Iterator[Measured]:
        planes, sample = integration.planes, integration.sample
        yield Measured("noise", read_noise_of_differences(planes, integration.times, sample))
