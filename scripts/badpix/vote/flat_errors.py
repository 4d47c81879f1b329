"""Which pixels of a flat of the sky can be classified: the error of their response against the limits of the types.

The sky is fainter than a lamp, and the pixels under sources are measured in fewer flats: the errors of the response
decide where a limit separates bad pixels from healthy pixels, whose response is 1.
"""

import numpy as np

# A limit is used where a healthy pixel is so many standard deviations above it: 3 in 100,000 are below by chance.
HEALTHY_SIGMA = 4
# A pixel whose response is so many standard deviations above 0 is not dead.
DEAD_SIGMA = 3
# The mean of the neighbours of a pixel of low response must be so exact; there are few such pixels.
NEIGHBOUR_SIGMA = 3


def below_is_bad(limit: float, error: np.ndarray) -> np.ndarray:
    """Boolean image (y, x): a healthy pixel with this `error` of its response is clearly above `limit`."""
    with np.errstate(invalid="ignore"):
        return HEALTHY_SIGMA * error <= 1 - limit


def may_be_dead(norm: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Boolean image (y, x): the response `norm` with its `error` does not exclude a pixel without response."""
    with np.errstate(invalid="ignore"):
        return norm < DEAD_SIGMA * error


def neighbours_are_exact(
    limit: float, n_usable: np.ndarray, error_of_mean: np.ndarray, min_neighbours: int
) -> np.ndarray:
    """Boolean image (y, x): the mean of the neighbours shows whether they are brighter than healthy pixels.

    Parameters
    ----------
    limit : float
        `max_open_adj_norm_signal`.
    n_usable : int array (y, x)
        Number of usable neighbours.
    error_of_mean : float array (y, x)
        Standard deviation of the mean of the usable neighbours.
    min_neighbours : int
        The smallest number of neighbours.
    """
    with np.errstate(invalid="ignore"):
        return (n_usable >= min_neighbours) & (NEIGHBOUR_SIGMA * error_of_mean <= limit - 1)
