"""Vote and significance of one measured quantity: the pixels that deviate from the detector in most integrations."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import numpy as np

from badpix.numerics.row_blocks import row_blocks
from badpix.vote.kernels import count_outliers
from badpix.vote.significance import Distribution, significance, subsample, typical_level_and_scatter, vote_sigma
from badpix.vote.tally import FEW_VOTES, check_n_votes, decide, votes_needed

HIGH, LOW = 1, -1

# A mean must reach this part of its limit without its largest deviation too: a cosmic ray in a single integration
# must not be what makes a mean significant. Noise alone hardly changes a mean by so much.
PART_WITHOUT_LARGEST = 0.8

# Slices (y, x) of an image.
Region = tuple[slice, slice]
WHOLE_ARRAY: tuple[Region, ...] = ((slice(None), slice(None)),)

# An image that the compiled code does not use.
NO_IMAGE = np.zeros((0, 0), np.float32)
# Deviations in memory at a time: they stay in the cache of the processor.
BLOCK_BYTES = 2**19
# A pixel in an area with a local level must also deviate by this part of the level, because the level is known to about
# 10% between cells, and persistence differs from pixel to pixel.
PART_OF_LEVEL = np.float32(0.25)


class Level(Protocol):
    """A local level: float32 images (y, x), or None where there is none; `smooth` is interpolated between cells."""

    @property
    def image(self) -> np.ndarray | None: ...
    @property
    def smooth(self) -> np.ndarray | None: ...


class _NoLevel:
    image = smooth = None


NO_LEVEL: Level = _NoLevel()


def _corners(region: Region, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """First row, end row, first column and end column of a region of an array of `shape`."""
    (first, end, _), (left, right, _) = (part.indices(size) for part, size in zip(region, shape, strict=True))
    return first, end, left, right


def _in_array(indices: np.ndarray, region: Region, shape: tuple[int, ...]) -> np.ndarray:
    """Flat indices in an array of `shape` of the pixels with the flat `indices` in its part `region`."""
    first, _, left, right = _corners(region, shape)
    y, x = np.divmod(indices, max(1, right - left))
    return ((y + first) * shape[1] + x + left).astype(np.int32)


def _inverse(scales: np.ndarray | float) -> np.ndarray:
    """1 / `scales`, and 0 where a scale is 0 or NaN: the integration has no noise, or no values."""
    return np.divide(1.0, scales, out=np.zeros(np.shape(scales)), where=np.asarray(scales) > 0)


def relative_weights(scales: np.ndarray) -> np.ndarray:
    """Weights 1 / `scales` over their mean along the last axis, the integrations; 0 where there is no scale."""
    return _inverse(scales) * np.nan_to_num(harmonic_mean(scales))[..., None]


def harmonic_mean(scales: np.ndarray) -> np.ndarray:
    """Harmonic mean of `scales` along the last axis, the integrations; NaN if all are 0 or NaN.

    NaN (an integration without values) does not count, 0 (an integration without noise) counts as infinity.
    """
    total = _inverse(scales).sum(axis=-1)
    return np.isfinite(scales).sum(axis=-1) / np.where(total > 0, total, np.nan)


def samples_of(science: np.ndarray, regions: Sequence[Region]) -> list[np.ndarray]:
    """Flat indices of a sample of the `science` pixels (boolean image (y, x)) of each region, int32."""
    return [_in_array(subsample(science[region]), region, science.shape) for region in regions]


class OutlierTest:
    """Finds the pixels whose values lie above or below the typical level of the detector.

    Method `add` takes the image of each integration. A pixel is found when at least `fraction` of its votes lie beyond
    a threshold and its mean does too. The false-alarm rate is then `probability`, whatever the number of integrations.

    In the mean a deviation has the weight 1 / scale, with the scale of its integration
    (`badpix.vote.significance.Distribution`). An integration with a light leak, whose deviations are large everywhere,
    hardly widens the limit on the mean then: each integration adds deviations of the same scatter (the combination of
    standard deviates of Stouffer et al. 1949, The American Soldier 1).

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
    sides : collection of int
        The sides (HIGH, LOW) on which pixels are searched for.
    samples : sequence of int32 arrays, optional
        `samples_of` the regions, if several tests have the same.
    only_votes : bool
        Count votes alone, for a search that decides by other sums: no `strong`, `total` and `largest`.

    Attributes
    ----------
    n_valid : image (y, x), uint8 or int16
        Number of votes.
    votes, strong : dicts of side (HIGH, LOW) -> image (y, x), uint8 or int16
        Votes beyond the threshold, and integrations that are significant by themselves.
    total : image (y, x), float32
        Sum of the deviations from the typical level, each in units of the scale of its integration.
    largest : dict of side -> image (y, x), float32
        The largest deviation on the side in `total`.
    levels, scales : lists
        For each integration the (typical level, standard deviation) of every region, and the scale of every region.
    mean_limits : dict of side -> list
        After `found` of a side: the (centre, margin) of the limit on the means in every region.

    Memory is 5 bytes per pixel and 6 per pixel and side (`only_votes`: 1 and 1), and grows with the number of
    integrations at FEW_VOTES alone.
    """

    def __init__(
        self,
        science: np.ndarray,
        n_votes: int,
        fraction: float,
        probability: float,
        regions: Sequence[Region] = WHOLE_ARRAY,
        sides: Collection[int] = (HIGH, LOW),
        only_votes: bool = False,
        samples: Sequence[np.ndarray] | None = None,
    ) -> None:
        check_n_votes(n_votes)
        self.science = science
        self.fraction = fraction
        self.regions = regions
        self.corners = [_corners(region, science.shape) for region in regions]
        self.samples = samples_of(science, regions) if samples is None else samples
        self.sigma = significance(probability)
        self.vote_sigma = vote_sigma(n_votes, fraction, probability)
        self.single_sigma = significance(probability / n_votes)
        count = np.uint8 if n_votes <= FEW_VOTES else np.int16
        self.n_valid = np.zeros(science.shape, count)
        shapes = {side: science.shape if side in sides else (0, 0) for side in (HIGH, LOW)}
        self.votes = {side: np.zeros(shape, count) for side, shape in shapes.items()}
        sums = {side: (0, 0) if only_votes else shape for side, shape in shapes.items()}
        self.strong = {side: np.zeros(shape, count) for side, shape in sums.items()}
        self.largest = {side: np.zeros(shape, np.float32) for side, shape in sums.items()}
        self.total: np.ndarray = np.zeros((0, 0) if only_votes else science.shape, np.float32)
        self.levels: list[list[tuple[float, float]]] = []
        self.scales: list[list[float]] = []
        self.mean_limits: dict[int, list[tuple[float, float]]] = {}

    def add(
        self,
        values: np.ndarray,
        min_deviation: np.ndarray | float = 0.0,
        min_certain: float = 0.0,
        level: Level = NO_LEVEL,
        take: Callable[[slice, np.ndarray], None] | None = None,
    ) -> None:
        """Count one integration: `values` is an image (y, x), NaN abstains.

        A vote also needs a deviation of more than `min_deviation` (number or image) and of the part of the local
        `level` that may be wrong. A single integration is significant by itself only with a deviation of more than
        `min_certain` as well. `take` gets the deviations from the typical level, block by block: the rows, and an array
        (row, x), float32, NaN where `values` is NaN, which is only valid during the call.
        """
        values = values.astype(np.float32, copy=False)
        floor, least = NO_IMAGE, np.float32(-np.inf)
        if isinstance(min_deviation, np.ndarray):
            floor = min_deviation.astype(np.float32, copy=False)
        else:
            least = np.float32(min_deviation)
        self.levels.append([])
        self.scales.append([])
        for sample in self.samples:
            of_sample = values.reshape(-1)[sample]
            if level.image is not None:
                of_sample -= level.image.reshape(-1)[sample]
            distribution = Distribution.of(of_sample)
            self.levels[-1].append((distribution.median, distribution.scatter))
            self.scales[-1].append(distribution.scale)
        blocks = row_blocks(values.shape[0], values[:1].nbytes, BLOCK_BYTES if take else values.nbytes)
        deviation = np.empty((blocks[0].stop, values.shape[1]), np.float32) if take else NO_IMAGE
        for rows in blocks:
            deviations = deviation[: rows.stop - rows.start]
            deviations.fill(np.nan)  # outside of the regions
            for (first, end, left, right), (centre, sigma), scale in zip(
                self.corners, self.levels[-1], self.scales[-1], strict=True
            ):
                count_outliers(
                    values,
                    NO_IMAGE if level.image is None else level.image,
                    NO_IMAGE if level.smooth is None else level.smooth,
                    PART_OF_LEVEL,
                    (max(first, rows.start), min(end, rows.stop), left, right),
                    np.float32(centre),
                    np.float32(self.vote_sigma * sigma),
                    np.float32(max(self.single_sigma * sigma, min_certain)),
                    np.float32(_inverse(scale)),
                    floor,
                    least,
                    self.n_valid,
                    (self.votes[HIGH], self.votes[LOW]),
                    (self.strong[HIGH], self.strong[LOW]),
                    self.total,
                    (self.largest[HIGH], self.largest[LOW]),
                    deviations,
                )
            if take:
                take(rows, deviations)

    def deviations_at(self, pixels: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Deviations of `values` (float32 (pixel), without the local level) in the integration added last, and limits.

        `pixels` are flat indices. The limits are the deviations that a vote needs, without `min_deviation`: float32.
        """
        y, x = np.divmod(pixels, self.science.shape[1])
        deviations, limits = np.full(pixels.shape, np.nan, np.float32), np.empty(pixels.shape, np.float32)
        for (first, end, left, right), (centre, sigma) in zip(self.corners, self.levels[-1], strict=True):
            here = (y >= first) & (y < end) & (x >= left) & (x < right)
            deviations[here] = values[here] - np.float32(centre)
            limits[here] = self.vote_sigma * sigma
        return deviations, limits

    def typical_scales(self) -> np.ndarray:
        """Harmonic mean of the scales of the integrations, float64 (region); NaN if no integration has a scale."""
        return harmonic_mean(self._scales())

    def weights(self) -> np.ndarray:
        """Relative weight of each integration in the mean, float64 (integration, region); the average is 1."""
        return relative_weights(self._scales()).T

    def _scales(self) -> np.ndarray:
        """The scales, float64 (region, integration)."""
        return np.array(self.scales).reshape(-1, len(self.regions)).T

    def _sum_over(self, divisor: np.ndarray) -> np.ndarray:
        """`total` over `divisor` (image), NaN without votes."""
        return np.where(self.n_valid > 0, self.total / divisor, np.float32(np.nan))

    def forget_sums(self) -> None:
        """Free the sums: after `found` and `intermittent` of all sides."""
        self.total = NO_IMAGE
        self.largest, self.strong = {}, {}

    def mean(self) -> np.ndarray:
        """Mean of the weighted deviations per pixel (float32 image), NaN without votes."""
        mean = self._sum_over(np.maximum(self.n_valid, 1))
        for region, scale in zip(self.regions, self.typical_scales(), strict=True):
            mean[region] *= np.float32(np.nan_to_num(scale))
        return mean

    def found(self, side: int, min_valid: int, scale: np.ndarray | float = 1.0) -> np.ndarray:
        """Boolean image (y, x) of the pixels found on `side` (HIGH, LOW).

        The scatter of the means is measured on the detector itself, so it includes natural differences between pixels
        as well as noise. A mean of fewer values has more scatter, and so has a pixel whose noise is `scale` (number or
        image, at least 1) times the typical noise: both need a larger mean. No single deviation decides: without the
        largest the mean must reach PART_WITHOUT_LARGEST of the limit. Without noise in any integration the votes alone
        decide.
        """
        every_n_valid = self.n_valid.astype(np.int16)  # the square root of 8 bits has 16
        n = max(1, every_n_valid.max(initial=0))
        standard = side * self._sum_over(np.sqrt(np.maximum(every_n_valid, 1), dtype=np.float32)) / scale
        significant = np.zeros(standard.shape, bool)
        self.mean_limits[side] = []
        for region, sample, unit in zip(self.regions, self.samples, self.typical_scales() / np.sqrt(n), strict=True):
            values = standard[region]
            centre, sigma = typical_level_and_scatter(standard.reshape(-1)[sample])
            self.mean_limits[side].append((side * centre * unit, self.sigma * sigma * unit))
            n_valid = every_n_valid[region]
            with np.errstate(invalid="ignore"):  # NaN and infinity are no reason to doubt
                without = side * (self.total[region] - self.largest[side][region]) / np.sqrt(np.maximum(n_valid - 1, 1))
                without /= scale[region] if isinstance(scale, np.ndarray) else scale
                alone = (n_valid < 2) | ~(without - centre < PART_WITHOUT_LARGEST * self.sigma * sigma)
                significant[region] = (values - centre > self.sigma * sigma) & alone | np.isnan(unit)
        return significant & self.majority(side, min_valid)

    def noise_limit(self, side: int, scale: np.ndarray | float = 1.0) -> np.ndarray:
        """The smallest deviation on `side` with which noise allows a pixel to be found, float32 image (y, x).

        A pixel must exceed the limits of as many integrations as a majority needs, and the limit of the mean, which is
        larger for a pixel with fewer votes or more noise (`scale` as in `found`). Call it after `found`.
        """
        n_valid = self.n_valid.astype(np.int16)
        n = max(1, n_valid.max(initial=0))
        limit = np.empty(n_valid.shape, np.float32)
        of_mean = np.sqrt(n / np.maximum(n_valid, 1)) * scale
        for number, region in enumerate(self.regions):
            margins = np.sort([self.vote_sigma * levels[number][1] for levels in self.levels])
            margins = margins[np.isfinite(margins)]
            of_votes = (
                margins[min(int(votes_needed(len(margins), self.fraction)), len(margins)) - 1] if len(margins) else 0
            )
            margin = np.nan_to_num(self.mean_limits[side][number][1])
            limit[region] = np.maximum(of_votes, margin * of_mean[region])
        return limit

    def typical_vote_limit(self, min_margin: float) -> float:
        """The median over integrations and regions of the deviation that a vote needs, at least `min_margin`."""
        margins = [self.vote_sigma * sigma for levels in self.levels for _, sigma in levels if np.isfinite(sigma)]
        return max(float(np.median(margins)) if margins else np.inf, min_margin)

    def majority(self, side: int, min_valid: int) -> np.ndarray:
        """Boolean image of the science pixels with enough votes on `side`."""
        return decide(self.votes[side], self.n_valid, self.fraction, min_valid) & self.science

    def has_enough_votes(self, min_valid: int) -> np.ndarray:
        """Boolean image of the pixels with at least `min_valid` valid votes, and at least 1."""
        return self.n_valid >= max(1, min_valid)

    def intermittent(self, side: int) -> np.ndarray:
        """Boolean image of the science pixels with at least one integration that is significant by itself."""
        return (self.strong[side] > 0) & self.science
