"""Thresholds from the configured false-alarm rate, and the typical level and scatter of the healthy pixels.

Each test that compares a pixel with the rest of the detector has a false-alarm probability per healthy pixel
(`false_flags_per_million` / 1e6), not a number of sigmas. A flag needs two conditions: a majority of votes, so that no
single exposure decides, and a significant mean, so that the false-alarm rate is the configured rate.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, ndtr, ndtri, pdtrc

from badpix.vote.tally import votes_needed

# With a lower threshold noise could decide a vote: a pixel that is bad in three of eight exposures must not reach six
# votes through the noise of the remaining five.
MIN_VOTE_SIGMA = 2.5
MAX_FALSE_VOTES = float(ndtr(-MIN_VOTE_SIGMA))
# Quantiles of a normal distribution two and one standard deviations below its median, its median, and above.
QUANTILES = ndtr([-2, -1, 0, 1, 2])
# This many values give a standard deviation to 0.4%. Of many more, every 7th or 13th is used: neither number divides
# the width of an array or an amplifier, so the sample is spread over all columns.
SUBSAMPLE_SIZE = 2**17
STRIDES = (13, 7)


def significance(probability: float) -> float:
    """Number of standard deviations that a normal variable exceeds with `probability` (one-sided)."""
    return float(-ndtri(probability))


def vote_probability(n_votes: int, fraction: float, probability: float) -> float:
    """Probability of a false yes per vote for which a false majority has `probability`.

    A majority is `votes_needed(n_votes, fraction)` = k votes. P(at least k of n independent votes) is the
    regularised incomplete beta function I_p(k, n - k + 1) (Clopper & Pearson 1934), solved for p.
    """
    k = int(votes_needed(n_votes, fraction))
    return float(betaincinv(k, n_votes - k + 1, probability))


def vote_sigma(n_votes: int, fraction: float, probability: float, sides: int = 1) -> float:
    """Threshold of a single vote in standard deviations, at least MIN_VOTE_SIGMA.

    With `sides` = 2 deviations on both sides vote; each side may have half of the false votes.
    """
    per_vote = min(vote_probability(n_votes, fraction, probability), MAX_FALSE_VOTES)
    return significance(per_vote / sides)


def poisson_threshold(rate: float, probability: float) -> int:
    """Smallest count that a Poisson variable of mean `rate` reaches with at most `probability`; at least 1."""
    count = 1
    while pdtrc(count - 1, rate) > probability:
        count += 1
    return count


def subsample(chosen: np.ndarray) -> np.ndarray:
    """Indices (int32) into the ravelled image of a sample of the pixels in `chosen` (boolean image).

    All pixels, unless there are many more than SUBSAMPLE_SIZE.
    """
    indices = np.flatnonzero(chosen)
    stride = next((stride for stride in STRIDES if indices.size >= stride * SUBSAMPLE_SIZE), 1)
    return indices[::stride].astype(np.int32)


@dataclass(frozen=True)
class Distribution:
    """The middle of a distribution: its median, and the distances of the quantiles one and two sigma below and above.

    All are in the unit of the values, and NaN without finite values.
    """

    median: float
    below: tuple[float, float]
    above: tuple[float, float]

    @classmethod
    def of(cls, values: np.ndarray) -> "Distribution":
        """The Distribution of the finite `values` (any shape)."""
        finite = values[np.isfinite(values)]
        if finite.size == 0:
            return cls(np.nan, (np.nan, np.nan), (np.nan, np.nan))
        # Of sorted values numpy selects quantiles faster: half the time, sorting included.
        quantiles = np.quantile(np.sort(finite), QUANTILES, overwrite_input=True)
        low2, low1, median, high1, high2 = (float(quantile) for quantile in quantiles)
        return cls(median, (median - low1, median - low2), (high1 - median, high2 - median))

    @property
    def scatter(self) -> float:
        """Standard deviation of the healthy majority: from the narrower side, because bad pixels lie on one side."""
        return min(self.below[0], self.above[0])

    @property
    def scale(self) -> float:
        """Standard deviation of all but the outliers, at least `scatter`.

        From the wider side, because the narrower side may contain values without noise (a part of the array that lost
        its signal). Such values may also lie on both sides of the median; then the quantiles two sigma away contain
        the noise.
        """
        return max(self.below[0], self.above[0], min(self.below[1], self.above[1]) / 2)


def typical_level_and_scatter(values: np.ndarray) -> tuple[float, float]:
    """Median and standard deviation of the healthy majority of `values` (any shape; only finite values count).

    The standard deviation is the distance from the median to the quantile one sigma away, on the narrower of the two
    sides, because bad pixels lie on one side. NaN for both without finite values.
    """
    distribution = Distribution.of(values)
    return distribution.median, distribution.scatter
