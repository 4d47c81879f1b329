"""How many healthy pixels noise alone makes each test flag: from what the bulk of the detector was measured to do.

Pure functions. A pixel is healthy here when it belongs to the bulk, whose distribution is taken to be the named one;
pixels that really differ from it a little (a tail that is not normal, jumps that come in showers) add to these numbers.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from scipy.stats import binom, chi2, poisson

from badpix.vote.dark_official import EXPOSURE_FRACTION
from badpix.vote.significance import typical_level_and_scatter
from badpix.vote.tally import votes_needed

# Of the integral over the part of a pedestal that stays from exposure to exposure, in its standard deviations.
FIXED_PART = np.linspace(-8, 8, 1601)


def majority_probability(n_votes, fraction, probability):
    """Probability that at least `fraction` of `n_votes` independent votes say yes, each with `probability`."""
    return binom.sf(votes_needed(n_votes, fraction) - 1, n_votes, probability)


@dataclass(frozen=True)
class VoteCounts:
    """How a vote comes about: `counts` maps a number of valid votes to the number of pixels that have as many;
    `fraction` of them must say yes, and a ballot is the majority of so many `integrations` (1: itself)."""

    counts: dict
    fraction: float
    integrations: int = 1

    def expected(self, probability):
        """Pixels flagged when an integration says yes with `probability`, independently."""
        ballot = majority_probability(self.integrations, EXPOSURE_FRACTION, probability)
        return float(sum(number * majority_probability(n, self.fraction, ballot) for n, number in self.counts.items()))


def vote_counts_of(n_valid, science, min_valid, fraction, integrations=1):
    """The VoteCounts of a test: `n_valid`, int (y, x), of the pixels `science`, bool (y, x), with `min_valid` or more."""
    numbers, pixels = np.unique(n_valid[science], return_counts=True)
    enough = numbers >= max(1, min_valid)
    return VoteCounts(dict(zip(numbers[enough].tolist(), pixels[enough].tolist(), strict=True)), fraction, integrations)


def expected_noisy(n_clean, science, std, cut):
    """Pixels whose scatter of slopes lies beyond `cut` (DN/s) by the luck of few slopes.

    `std`, float (y, x): population standard deviation of `n_clean`, int (y, x), slopes, NaN where they are too few. All
    pixels are taken to have one true sigma; n std^2 / sigma^2 is then chi-squared with n - 1 degrees of freedom, and
    its median tells sigma.
    """
    judged = science & np.isfinite(std)
    numbers, pixels = np.unique(n_clean[judged], return_counts=True)
    numbers, pixels = numbers[numbers > 1], pixels[numbers > 1]
    if not len(numbers):
        return 0.0
    variances = [n * np.median(std[judged & (n_clean == n)]) ** 2 / chi2.ppf(0.5, n - 1) for n in numbers]
    variance = np.average(variances, weights=pixels)
    return float(np.sum(pixels * chi2.sf(numbers * cut**2 / variance, numbers - 1)))


def jump_rate(n_jump):
    """Mean number of jumps per integration of the bulk, from the share without any: -ln P(0) of a Poisson distribution.

    `n_jump`: int, any shape. Where hardly any pixel is without a jump, the median.
    """
    if not n_jump.size:
        return 0.0
    quiet = np.mean(n_jump == 0)
    return float(-np.log(quiet)) if quiet > 0.05 else float(np.median(n_jump))


def jump_probability(rate, limit):
    """Probability that an integration has at least `limit` jumps at a mean of `rate`."""
    return float(poisson.sf(limit - 1, rate))


@dataclass
class Spread:
    """What the pedestals of the bulk do, of integrations given one after the other: how much of the scatter over the
    detector is noise, new in every integration, and how much a pattern that stays.

    `share_fixed` is the pattern's share of the variance; `thresholds` of the integrations are in standard deviations of
    the bulk, upwards and downwards.
    """

    total: np.ndarray
    n_valid: np.ndarray
    thresholds: list

    @classmethod
    def empty(cls, n_pixels):
        """Nothing yet, of so many pixels."""
        return cls(np.zeros(n_pixels), np.zeros(n_pixels, int), [])

    def add(self, values, mean, limit):
        """One integration: `values` (pixel), NaN abstains, that are compared with `mean` +- `limit`."""
        centre, sigma = typical_level_and_scatter(values)
        if not sigma > 0:
            return
        valid = np.isfinite(values)
        self.total += np.where(valid, (values - centre) / sigma, 0)
        self.n_valid += valid
        self.thresholds.append(((mean + limit - centre) / sigma, (centre - mean + limit) / sigma))

    @property
    def share_fixed(self):
        """From the variance of the pixels' means: fixed + noise / n, where fixed + noise = 1."""
        n = int(self.n_valid.max(initial=0))
        full = (self.n_valid == n) & (n > 1)
        if not full.any():
            return 0.0
        _, sigma = typical_level_and_scatter(self.total[full] / n)
        return float(np.clip((n * sigma**2 - 1) / (n - 1), 0, 1))

    def expected(self, votes, side):
        """Pixels flagged by the vote `votes` on one side (0: high, 1: low), both parts normal."""
        if not self.thresholds:
            return 0.0
        threshold = float(np.median([both[side] for both in self.thresholds]))
        fixed = np.sqrt(self.share_fixed)
        noise = np.sqrt(max(1 - self.share_fixed, 1e-6))
        # The same pixel is asked again in every ballot: given its fixed part, votes are independent.
        weight = np.exp(-(FIXED_PART**2) / 2)
        yes = ndtr((fixed * FIXED_PART - threshold) / noise)
        flagged = np.array([votes.expected(one) for one in yes])
        return float(np.sum(weight * flagged) / np.sum(weight))


def expected_below(values, cut):
    """Pixels of a normal bulk of `values` (any shape; NaN ignored) that lie below `cut`."""
    centre, sigma = typical_level_and_scatter(values)
    if not sigma > 0:
        return 0.0
    return float(np.isfinite(values).sum() * ndtr((cut - centre) / sigma))
