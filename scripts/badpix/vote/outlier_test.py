"""Vote and significance of one measured quantity: the pixels that deviate from the detector in most integrations."""

from collections.abc import Sequence

import numpy as np

from badpix.vote.kernels import count_outliers
from badpix.vote.significance import significance, subsample, typical_level_and_scatter, vote_sigma
from badpix.vote.tally import check_n_votes, decide

HIGH, LOW = 1, -1

# Slices (y, x) of an image.
Region = tuple[slice, slice]
WHOLE_ARRAY: tuple[Region, ...] = ((slice(None), slice(None)),)


class OutlierTest:
    """Finds the pixels whose values lie above or below the typical level of the detector.

    Method `add` takes the image of each integration. A pixel is found when at least `fraction` of its votes lie beyond
    a threshold and its mean does too. The false-alarm rate is then `probability`, whatever the number of integrations.

    Parameters
    ----------
    science : image (y, x), boolean
        Pixels that may be flagged.
    n_votes : int
        Number of integrations that will be added.
    fraction : float
        Fraction of valid votes that must be yes.
    probability : float
        Probability that a healthy pixel is found.
    regions : sequence of slices (y, x)
        Parts of the detector with a typical level and scatter of their own, such as its amplifiers.

    Attributes
    ----------
    n_valid : image (y, x), int16
        Number of votes.
    votes, strong : dicts of side (HIGH, LOW) -> image (y, x), int16
        Votes beyond the threshold, and integrations that are significant by themselves.
    total : image (y, x), float32
        Sum of the deviations from the typical level.
    levels : list
        For each integration the (typical level, standard deviation) of every region.
    mean_limits : dict of side -> list
        After `found` of a side: the (centre, margin) of the limit on the means in every region.

    Memory is 14 bytes per pixel and does not grow with the number of integrations.
    """

    def __init__(
        self,
        science: np.ndarray,
        n_votes: int,
        fraction: float,
        probability: float,
        regions: Sequence[Region] = WHOLE_ARRAY,
    ) -> None:
        check_n_votes(n_votes)
        self.science = science
        self.fraction = fraction
        self.regions = regions
        self.samples = [subsample(science[region]) for region in regions]
        self.sigma = significance(probability)
        self.vote_sigma = vote_sigma(n_votes, fraction, probability)
        self.single_sigma = significance(probability / n_votes)
        self.n_valid = np.zeros(science.shape, np.int16)
        self.votes = {side: np.zeros(science.shape, np.int16) for side in (HIGH, LOW)}
        self.strong = {side: np.zeros(science.shape, np.int16) for side in (HIGH, LOW)}
        self.total = np.zeros(science.shape, np.float32)
        self.levels: list[list[tuple[float, float]]] = []
        self.mean_limits: dict[int, list[tuple[float, float]]] = {}

    def add(self, values: np.ndarray, min_deviation: np.ndarray | float = 0.0, min_certain: float = 0.0) -> np.ndarray:
        """Count one integration: `values` is an image (y, x), NaN abstains.

        A vote also needs a deviation of more than `min_deviation` (number or image). A single integration is
        significant by itself only with a deviation of more than `min_certain` as well.

        Returns the deviation from the typical level (float32 image, NaN where `values` is NaN).
        """
        values = values.astype(np.float32, copy=False)
        deviation = np.full(values.shape, np.nan, np.float32)
        floor = min_deviation if isinstance(min_deviation, np.ndarray) else np.float32(min_deviation)
        floor = np.broadcast_to(floor, values.shape)
        self.levels.append([])
        for region, sample in zip(self.regions, self.samples, strict=True):
            centre, sigma = typical_level_and_scatter(values[region].ravel()[sample])
            self.levels[-1].append((centre, sigma))
            count_outliers(
                values[region],
                np.float32(centre),
                np.float32(self.vote_sigma * sigma),
                np.float32(max(self.single_sigma * sigma, min_certain)),
                floor[region],
                self.n_valid[region],
                (self.votes[HIGH][region], self.votes[LOW][region]),
                (self.strong[HIGH][region], self.strong[LOW][region]),
                self.total[region],
                deviation[region],
            )
        return deviation

    def mean(self) -> np.ndarray:
        """Mean deviation per pixel (float32 image), NaN without votes."""
        return np.where(self.n_valid > 0, self.total / np.maximum(self.n_valid, 1), np.float32(np.nan))

    def found(self, side: int, min_valid: int, scale: np.ndarray | float = 1.0) -> np.ndarray:
        """Boolean image (y, x) of the pixels found on `side` (HIGH, LOW).

        The scatter of the means is measured on the detector itself, so it includes natural differences between pixels
        as well as noise. A mean of fewer values has more scatter, and so has a pixel whose noise is `scale` (number or
        image, at least 1) times the typical noise: both need a larger mean.
        """
        share = np.maximum(self.n_valid, 1) / max(1, self.n_valid.max(initial=0))
        standard = side * self.mean() * np.sqrt(share, dtype=np.float32) / scale
        significant = np.zeros(standard.shape, bool)
        self.mean_limits[side] = []
        for region, sample in zip(self.regions, self.samples, strict=True):
            centre, sigma = typical_level_and_scatter(standard[region].ravel()[sample])
            self.mean_limits[side].append((side * centre, self.sigma * sigma))
            with np.errstate(invalid="ignore"):
                significant[region] = standard[region] - centre > self.sigma * sigma
        return significant & self.majority(side, min_valid)

    def majority(self, side: int, min_valid: int) -> np.ndarray:
        """Boolean image of the science pixels with enough votes on `side`."""
        return decide(self.votes[side], self.n_valid, self.fraction, min_valid) & self.science

    def has_enough_votes(self, min_valid: int) -> np.ndarray:
        """Boolean image of the pixels with at least `min_valid` valid votes, and at least 1."""
        return self.n_valid >= max(1, min_valid)

    def intermittent(self, side: int) -> np.ndarray:
        """Boolean image of the science pixels with at least one integration that is significant by itself."""
        return (self.strong[side] > 0) & self.science
