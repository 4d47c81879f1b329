"""One measured quantity, vote and significance: which pixels stand out from the detector in most integrations."""

import numpy as np

from badpix.vote.kernels import count_outliers
from badpix.vote.significance import significance, subsample, typical_level_and_scatter, vote_sigma
from badpix.vote.tally import check_n_votes, decide

HIGH, LOW = 1, -1


class OutlierTest:
    """Finds the pixels whose values lie above or below the bulk of the detector.

    Give it the image of every integration with `add`. A pixel is found when `fraction` of its votes lie beyond a
    threshold, and its mean does, which makes the false flags as many as asked whatever the number of integrations.
    `n_votes` is the number of integrations to come, `probability` that of a healthy pixel to be found. `regions` are
    the parts (slices of y and x) of the detector that have a bulk each, such as its amplifiers.

    Memory does not grow with the integrations, 14 bytes a pixel: `n_valid` counts the votes (int16 image (y, x)),
    `votes` and `strong` those beyond the threshold on each side, and those significant by themselves; `total` sums
    the deviations over the bulk (float32). `levels` has for each integration the (centre, standard deviation) of every
    region, `mean_limits` for each side asked for the (centre, margin) of the means in every region.
    """

    def __init__(self, science, n_votes, fraction, probability, regions=(np.s_[:, :],)):
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
        self.levels, self.mean_limits = [], {}

    def add(self, values, min_deviation=0.0, min_certain=0.0):
        """Count one integration: image (y, x), NaN abstains; a vote needs `min_deviation` (number or image) as well.

        Only what exceeds `min_certain` too is beyond doubt by itself.

        Returns the deviation over the bulk (float32 image, NaN where it abstains).
        """
        values = values.astype(np.float32, copy=False)
        deviation = np.full(values.shape, np.nan, np.float32)
        least = np.broadcast_to(
            np.float32(min_deviation) if np.isscalar(min_deviation) else min_deviation, values.shape
        )
        self.levels.append([])
        for region, judged in zip(self.regions, self.samples, strict=True):
            centre, sigma = typical_level_and_scatter(values[region].ravel()[judged])
            self.levels[-1].append((centre, sigma))
            limits = (centre, self.vote_sigma * sigma, max(self.single_sigma * sigma, min_certain))
            count_outliers(
                values[region],
                *map(np.float32, limits),
                least[region],
                self.n_valid[region],
                tuple(self.votes[side][region] for side in (HIGH, LOW)),
                tuple(self.strong[side][region] for side in (HIGH, LOW)),
                self.total[region],
                deviation[region],
            )
        return deviation

    def mean(self):
        """Mean deviation per pixel (float32), NaN without a ballot."""
        return np.where(self.n_valid > 0, self.total / np.maximum(self.n_valid, 1), np.float32(np.nan))

    def found(self, side, min_valid, scale=1.0):
        """Boolean image of the pixels found on one side.

        The spread of the means is measured on the detector itself, so that natural differences between pixels count
        as well as noise does. A mean of fewer values than others scatters more, as does a pixel whose noise is `scale`
        (number or image, at least 1) times the usual: both must lie higher.
        """
        share = np.maximum(self.n_valid, 1) / max(1, self.n_valid.max(initial=0))
        standard = side * self.mean() * np.sqrt(share, dtype=np.float32) / scale
        significant = np.zeros(standard.shape, bool)
        self.mean_limits[side] = []
        for region, judged in zip(self.regions, self.samples, strict=True):
            centre, sigma = typical_level_and_scatter(standard[region].ravel()[judged])
            self.mean_limits[side].append((side * centre, self.sigma * sigma))
            with np.errstate(invalid="ignore"):
                significant[region] = standard[region] - centre > self.sigma * sigma
        return significant & self.majority(side, min_valid)

    def majority(self, side, min_valid):
        """Boolean image of the science pixels for which enough votes said yes."""
        return decide(self.votes[side], self.n_valid, self.fraction, min_valid) & self.science

    def has_enough_votes(self, min_valid):
        """Boolean image of the pixels that have votes enough."""
        return self.n_valid >= max(1, min_valid)

    def intermittent(self, side):
        """Boolean image of the science pixels that one integration or more puts beyond doubt."""
        return (self.strong[side] > 0) & self.science
