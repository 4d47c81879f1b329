"""The number of votes that chance does not explain, from the measured share of pixels with a yes in each vote."""

from collections.abc import Sequence

import numpy as np

from badpix.vote.tally import votes_needed

# A pixel that is bad in a minority of the exposures may get the votes that it lacks by chance with this probability.
MINORITY_PROBABILITY = 0.002


def tail_probabilities(shares: np.ndarray) -> list[np.ndarray]:
    """For the first 0, 1, ... n votes: the probability of at least 0, 1, ... yes votes.

    Vote i is yes with the probability `shares[i]`. The number of yes votes has the Poisson-binomial distribution, the
    convolution of the distributions of all votes.
    """
    distributions = [np.ones(1)]
    for share in shares:
        distributions.append(np.convolve(distributions[-1], [1 - share, share]))
    return [np.cumsum(distribution[::-1])[::-1] for distribution in distributions]


def votes_beyond_chance(
    shares: Sequence[float] | np.ndarray, fraction: float, probability: float, votes_per_exposure: float = 1.0
) -> np.ndarray:
    """Number of yes votes that a pixel needs, int64, by its number of valid votes 0, 1, ... n.

    It is the largest of three numbers: `fraction` of the valid votes; the number that a healthy pixel reaches with at
    most `probability`; and the number that a pixel reaches with at most MINORITY_PROBABILITY that is bad in the largest
    minority of the exposures. It can be larger than the number of votes. Of fewer votes than n, those with the largest
    shares are assumed.

    Parameters
    ----------
    shares : sequence of float
        Share of the detector's pixels with a yes in each vote.
    fraction : float
        Fraction of the valid votes that must be yes in any case.
    probability : float
        Probability that a healthy pixel has as many.
    votes_per_exposure : float
        Number of votes of an exposure: 1, or its mean number of integrations.
    """
    tails = tail_probabilities(np.sort(np.asarray(shares, float))[::-1])
    needed = np.ones(len(tails), np.int64)
    for n in range(1, len(tails)):
        by_chance = int(np.sum(tails[n] > probability))
        # A pixel with fewer votes than half an exposure has no minority.
        minority = max(0, int(votes_per_exposure * ((round(n / votes_per_exposure) - 1) // 2)))
        completed = minority + int(np.sum(tails[n - minority] > MINORITY_PROBABILITY))
        needed[n] = max(int(votes_needed(n, fraction)), by_chance, completed)
    return needed
