"""Intervals of the numbers of the science check, and what they decide.

Both masks are applied to the same pixels, so that only the pixels on which they differ tell them apart: the interval of
the difference is that of McNemar's test. Bad pixels lie in clusters, which are events of their own: an interval is that
of the number of clusters.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.stats import beta

from badpix.science_check.words import BETTER, MIXED, OPEN, SAME, WORSE

CONFIDENCE = 0.95
_TOUCHING = np.ones((3, 3), bool)


def share_interval(number: float, of: float, cluster: float = 1.0) -> tuple[float, float]:
    """Interval (CONFIDENCE, Clopper-Pearson) of the share `number` / `of`; (0, 1) of nothing.

    `cluster` is the mean size of the clusters that `number` comes in.
    """
    found, missing, tail = number / cluster, (of - number) / cluster, (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, found, missing + 1)) if found > 0 else 0.0
    high = float(beta.ppf(1 - tail, found + 1, missing)) if missing > 0 else 1.0
    return low, high


def cluster_size(pixels: np.ndarray) -> float:
    """The mean size of the clusters of touching True pixels of `pixels` (bool (y, x)), weighted by size; at least 1.

    It is the factor by which clusters widen the variance of a number of pixels (design effect).
    """
    labels, n_clusters = ndimage.label(pixels, _TOUCHING)
    sizes = np.bincount(labels.ravel())[1:] if n_clusters else np.ones(1, int)
    return float((sizes**2).sum() / sizes.sum())


@dataclass(frozen=True)
class Count:
    """How many pixels a mask harms, of the measured ones, for the mask before and the new mask.

    `old` and `new` are numbers of pixels; `only_old` and `only_new` are those that the other mask does not harm.
    `open_old` and `open_new` are pixels that the exposures could not decide on, which would be harmed by one mask only.
    `cluster` and `cluster_of_difference` are sizes of clusters (`cluster_size`) of the harmed pixels, and of the pixels
    that only one mask harms; `cluster_with_open` is that of the latter and of the pixels `open_new` together.
    """

    measured: int
    old: int
    new: int
    only_old: int
    only_new: int
    open_old: int
    open_new: int
    cluster: float = 1.0
    cluster_of_difference: float = 1.0
    cluster_with_open: float = 1.0

    def share(self, number: int) -> tuple[float, float, float]:
        """`number` per thousand measured pixels, with the ends of its interval."""
        low, high = share_interval(number, self.measured, self.cluster)
        return tuple(1000 * value for value in (number / max(1, self.measured), low, high))  # type: ignore[return-value]

    def difference(self, more_new: int = 0) -> tuple[float, float, float]:
        """Harmed by the new mask less harmed by the old mask, per thousand measured pixels, with its interval.

        `more_new` further pixels are taken to be harmed by the new mask only. The interval is conditional on the number
        of pixels on which the masks differ.
        """
        only_new = self.only_new + more_new
        differing = self.only_old + only_new
        if not differing:
            return 0.0, 0.0, 0.0
        # Single open pixels are events of their own beside clusters; the smaller size has more of them.
        cluster = min(self.cluster_of_difference, self.cluster_with_open) if more_new else self.cluster_of_difference
        low, high = share_interval(only_new, differing, cluster)
        scale = 1000 * differing / max(1, self.measured)
        return tuple(scale * (2 * share - 1) for share in (only_new / differing, low, high))  # type: ignore[return-value]

    @property
    def result(self) -> str:
        """BETTER, WORSE or SAME; OPEN if the pixels that were not decided on could make the new mask WORSE."""
        found, worst = (_result(*self.difference(more)[1:]) for more in (0, self.open_new))
        if WORSE in (found, worst):
            return WORSE if found == WORSE else OPEN
        return BETTER if found == worst == BETTER else SAME


def _result(low: float, high: float) -> str:
    return WORSE if low > 0 else BETTER if high < 0 else SAME


def verdict(results: list[str]) -> str:
    """BETTER only if a result is BETTER and none is WORSE or OPEN; else WORSE, MIXED or SAME."""
    if WORSE in results:
        return MIXED if BETTER in results else WORSE
    return BETTER if BETTER in results and OPEN not in results else SAME
