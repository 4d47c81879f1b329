"""The number of healthy pixels that each test flags because of noise alone, from measured typical levels and scatter.

The values of healthy pixels are assumed to follow the distribution named in each function. Real deviations of healthy
pixels from it (a tail that is not normal, jumps that come in showers) are not included and add to these numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import ndtr
from scipy.stats import binom, chi2, poisson

from badpix.vote.dark_official import EXPOSURE_FRACTION
from badpix.vote.significance import typical_level_and_scatter
from badpix.vote.tally import votes_needed

# Grid for the integral over the fixed pattern of the pedestals, in standard deviations of the pattern.
FIXED_PART = np.linspace(-8, 8, 1601)


def majority_probability(n_votes: int, fraction: float, probability: float) -> float:
    """Probability that at least `fraction` of `n_votes` independent votes are positive, each with `probability`."""
    return binom.sf(votes_needed(n_votes, fraction) - 1, n_votes, probability)


@dataclass(frozen=True)
class VoteCounts:
    """The numbers that decide a vote.

    `counts` maps a number of valid votes to the number of pixels with so many. `fraction` is the required fraction of
    positive votes. A vote is the majority of `integrations` integrations, or a single integration (1).
    """

    counts: Mapping[int, int]
    fraction: float
    integrations: int = 1

    def expected(self, probability: float) -> float:
        """Number of pixels flagged if a pixel fails the test with `probability` in each integration, independently."""
        positive = majority_probability(self.integrations, EXPOSURE_FRACTION, probability)
        return float(
            sum(pixels * majority_probability(n, self.fraction, positive) for n, pixels in self.counts.items())
        )


def vote_counts_of(
    n_valid: np.ndarray, science: np.ndarray, min_valid: int, fraction: float, integrations: int = 1
) -> VoteCounts:
    """The VoteCounts of a test.

    Parameters
    ----------
    n_valid : int array (y, x)
        Number of valid votes of the test.
    science : bool array (y, x)
        The pixels to count.
    min_valid : int
        Pixels with fewer valid votes are not counted.
    fraction, integrations
        As in VoteCounts.
    """
    numbers, pixels = np.unique(n_valid[science], return_counts=True)
    enough = numbers >= max(1, min_valid)
    return VoteCounts(dict(zip(numbers[enough].tolist(), pixels[enough].tolist(), strict=True)), fraction, integrations)


def expected_noisy(n_clean: np.ndarray, science: np.ndarray, std: np.ndarray, cut: float) -> float:
    """Number of pixels whose scatter of slopes exceeds `cut` (DN/s) by chance, because they have few slopes.

    `std`, float (y, x): population standard deviation of `n_clean`, int (y, x), slopes; NaN with too few slopes.
    `science`: bool (y, x). All pixels are assumed to have the same true sigma. Then n std^2 / sigma^2 is chi-squared
    with n - 1 degrees of freedom, and sigma follows from its median.
    """
    valid = science & np.isfinite(std)
    numbers, pixels = np.unique(n_clean[valid], return_counts=True)
    numbers, pixels = numbers[numbers > 1], pixels[numbers > 1]
    if not len(numbers):
        return 0.0
    variances = [n * np.median(std[valid & (n_clean == n)]) ** 2 / chi2.ppf(0.5, n - 1) for n in numbers]
    variance = np.average(variances, weights=pixels)
    return float(np.sum(pixels * chi2.sf(numbers * cut**2 / variance, numbers - 1)))


def jump_rate(n_jump: np.ndarray) -> float:
    """Mean number of jumps per integration of healthy pixels, from the fraction of pixels without jumps.

    `n_jump`: int, any shape. The mean is -ln P(0) of a Poisson distribution; if less than 5% of the pixels have no
    jump, it is the median of `n_jump`.
    """
    if not n_jump.size:
        return 0.0
    without_jump = np.mean(n_jump == 0)
    return float(-np.log(without_jump)) if without_jump > 0.05 else float(np.median(n_jump))


def jump_probability(rate: float, limit: int) -> float:
    """Probability that an integration has at least `limit` jumps if the mean number is `rate` (Poisson)."""
    return float(poisson.sf(limit - 1, rate))


@dataclass
class Spread:
    """The scatter of the pedestals over the detector, divided into a fixed pattern and noise of each integration.

    `total` (float, pixel): sum over the integrations of the deviation from the typical level, in units of the typical
    scatter. `n_valid` (int, pixel): number of valid integrations. `thresholds`: for each integration the distances of
    the upper and the lower threshold from the typical level, in units of the typical scatter.
    """

    total: np.ndarray
    n_valid: np.ndarray
    thresholds: list[tuple[float, float]]

    @classmethod
    def empty(cls, n_pixels: int) -> Self:
        """A Spread of `n_pixels` pixels without integrations."""
        return cls(np.zeros(n_pixels), np.zeros(n_pixels, int), [])

    def add(self, values: np.ndarray, mean: float, limit: float) -> None:
        """Add an integration: `values` (pixel), NaN not valid, which the vote compared with `mean` +- `limit`."""
        centre, sigma = typical_level_and_scatter(values)
        if not sigma > 0:
            return
        valid = np.isfinite(values)
        self.total += np.where(valid, (values - centre) / sigma, 0)
        self.n_valid += valid
        self.thresholds.append(((mean + limit - centre) / sigma, (centre - mean + limit) / sigma))

    @property
    def share_fixed(self) -> float:
        """The fraction of the variance that is fixed pattern.

        The variance of the pixels' means over n integrations is fixed + noise / n, where fixed + noise = 1.
        """
        n = int(self.n_valid.max(initial=0))
        always_valid = (self.n_valid == n) & (n > 1)
        if not always_valid.any():
            return 0.0
        _, sigma = typical_level_and_scatter(self.total[always_valid] / n)
        return float(np.clip((n * sigma**2 - 1) / (n - 1), 0, 1))

    def expected(self, votes: VoteCounts, side: int) -> float:
        """Number of pixels flagged by `votes` on a side (0: high, 1: low), with normal pattern and normal noise."""
        if not self.thresholds:
            return 0.0
        threshold = float(np.median([both[side] for both in self.thresholds]))
        fixed = np.sqrt(self.share_fixed)
        noise = np.sqrt(max(1 - self.share_fixed, 1e-6))
        # All votes of a pixel share its fixed part; given the fixed part, the votes are independent.
        weight = np.exp(-(FIXED_PART**2) / 2)
        exceeding = ndtr((fixed * FIXED_PART - threshold) / noise)
        flagged = np.array([votes.expected(probability) for probability in exceeding])
        return float(np.sum(weight * flagged) / np.sum(weight))


def expected_below(values: np.ndarray, cut: float) -> float:
    """Number of healthy pixels below `cut`, if `values` (any shape; NaN ignored) are normally distributed."""
    centre, sigma = typical_level_and_scatter(values)
    if not sigma > 0:
        return 0.0
    return float(np.isfinite(values).sum() * ndtr((cut - centre) / sigma))
