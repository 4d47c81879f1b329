"""Thresholds from the number of false flags that is asked for, and the distribution of healthy pixels to apply them to.

A test that compares a pixel with the rest of the detector is given the probability that a healthy pixel fails it
(`false_flags_per_million` / 1e6), never a number of sigmas. Two things must happen for a flag: a majority of votes,
so that no single exposure decides, and a significant mean, so that the false flags are as many as asked.
"""

import numpy as np
from scipy.special import betaincinv, ndtr, ndtri, pdtrc

from badpix.vote.tally import votes_needed

# Below this a ballot says too little: a pixel that is bad in three exposures of eight must not reach six votes by the
# noise of the other five.
MIN_VOTE_SIGMA = 2.5
# Quantiles of a normal distribution one standard deviation below and above its median.
LOWER, UPPER = ndtr(-1), ndtr(1)
# So many values tell a standard deviation to 0.4%. Of many more every 7th or 13th is looked at; neither divides the
# width of an array or an amplifier, so that the sample is spread over all columns.
SUBSAMPLE_SIZE = 2**17
STRIDES = (13, 7)


def significance(probability):
    """Standard deviations that a normal variable exceeds with `probability` (one-sided)."""
    return float(-ndtri(probability))


def vote_probability(n_votes, fraction, probability):
    """Probability of a false yes per ballot with which a false majority has `probability`.

    A majority is `votes_needed(n_votes, fraction)` = k votes. P(at least k of n independent votes) is the
    regularised incomplete beta function I_p(k, n - k + 1) (Clopper & Pearson 1934), solved for p.
    """
    k = int(votes_needed(n_votes, fraction))
    return float(betaincinv(k, n_votes - k + 1, probability))


def vote_sigma(n_votes, fraction, probability):
    """Standard deviations beyond which one ballot says yes, at least MIN_VOTE_SIGMA."""
    return max(MIN_VOTE_SIGMA, significance(vote_probability(n_votes, fraction, probability)))


def poisson_threshold(rate, probability):
    """Smallest count that a Poisson variable of mean `rate` reaches with at most `probability`; at least one."""
    count = 1
    while pdtrc(count - 1, rate) > probability:
        count += 1
    return count


def subsample(chosen):
    """Indices into the ravelled image of pixels that stand for those `chosen` (boolean image): all, unless too many."""
    indices = np.flatnonzero(chosen)
    stride = next((stride for stride in STRIDES if indices.size >= stride * SUBSAMPLE_SIZE), 1)
    return indices[::stride].astype(np.int32)


def typical_level_and_scatter(values):
    """Median and standard deviation of the healthy majority of `values` (any shape; what is not finite is ignored).

    The standard deviation is the narrower of the two sides, median to the quantile one sigma away, because bad pixels
    lie on one side. NaN for both when nothing is finite.
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return np.nan, np.nan
    low, median, high = np.quantile(finite, [LOWER, 0.5, UPPER])
    return float(median), float(min(median - low, high - median))
