"""The spread of a pixel's values over the exposures, without its most deviating exposure."""

import numpy as np

from badpix.numerics.row_blocks import cached_blocks, in_blocks
from badpix.vote.kernels import add_deviations, add_exposure, add_exposure_sums
from badpix.vote.significance import Distribution, significance
from badpix.vote.tally import widened

# Without the most deviating exposure at least this many values must remain.
MIN_VALUES = 3

Sums = tuple[np.ndarray, np.ndarray, np.ndarray]


def _widened(sums: Sums, n_added: int) -> Sums:
    n, total, squares = sums
    return widened(n, n_added), total, squares


def _rows(sums: Sums, rows: slice) -> Sums:
    n, total, squares = sums
    return n[rows], total[rows], squares[rows]


class ExposureSpread:
    """Collects the deviations of all integrations, exposure by exposure, and compares their variances.

    A deviation counts in units of the scale of its integration, so that integrations of different noise have equal
    weight. The exposure with the largest mean square deviation of a pixel is left out: a single bad exposure does not
    make a pixel variable. The variances of the healthy pixels are compared through their cube roots, which are nearly
    normal (Wilson & Hilferty 1931, Proc. Nat. Acad. Sci. 17, 684), with the scatter measured on the detector itself.

    Memory is 18 bytes per pixel (9 after `end`), 27 with exposures of several integrations, and grows with the number
    of exposures at FEW_VOTES alone.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.kept, self.worst = self._sums(shape), self._sums(shape)
        self.exposure: Sums | None = None
        self.n_added = 0

    @staticmethod
    def _sums(shape: tuple[int, int]) -> Sums:
        return np.zeros(shape, np.uint8), np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    def add(self, deviation: np.ndarray, scale: float, alone: bool = False, rows: slice = slice(None)) -> None:
        """Add an integration: its deviations (image (y, x), NaN abstains) and their typical `scale`.

        `alone`: the exposure has no other integration. The image may be a block of `rows`.
        """
        if not rows.start:
            self.n_added += 1
            self.kept, self.worst = _widened(self.kept, self.n_added), _widened(self.worst, self.n_added)
        if not scale > 0:
            return
        deviation, weight = deviation.astype(np.float32, copy=False), np.float32(1 / scale)
        if alone:
            add_exposure(deviation, weight, _rows(self.kept, rows), _rows(self.worst, rows))
            return
        self.exposure = _widened(self.exposure or self._sums(self.kept[0].shape), self.n_added)
        add_deviations(deviation, weight, *_rows(self.exposure, rows))

    def end_exposure(self) -> None:
        """All integrations of the exposure are added."""
        if self.exposure is not None:
            add_exposure_sums(self.exposure, self.kept, self.worst)

    def end(self) -> None:
        """All exposures are added: only the sums without the most deviating exposure are needed."""
        del self.exposure, self.worst

    def root(self, noise: np.ndarray | float = 1.0) -> np.ndarray:
        """Cube root of the variance, float32 image; NaN with fewer than MIN_VALUES values.

        `noise` (number or image) is the noise of the pixels in units of the typical noise, which their spread contains.
        """
        every_n, every_total, every_squares = self.kept

        def of_rows(rows: slice) -> np.ndarray:
            n, total, squares = every_n[rows].astype(np.int16), every_total[rows], every_squares[rows]
            count = np.where(n >= MIN_VALUES, n, 1).astype(np.float32)
            variance = np.maximum(squares - total**2 / count, 0) / np.maximum(count - 1, 1)
            scale = np.square(noise[rows] if isinstance(noise, np.ndarray) else noise, dtype=np.float32)
            return np.where(n >= MIN_VALUES, np.cbrt(variance / scale), np.float32(np.nan))

        return in_blocks(every_total, of_rows)

    def significant(
        self, sample: np.ndarray, probability: float, noise: np.ndarray | float = 1.0
    ) -> tuple[np.ndarray, float]:
        """The pixels whose spread noise does not explain, boolean image (y, x), and the limit of the spread.

        `sample` are the indices of the pixels that show the typical spread. A healthy pixel is found with
        `probability`. The limit is in units of the typical spread; a pixel with fewer values needs more.
        """
        root = self.root(noise)
        typical = Distribution.of(root.ravel()[sample])
        centre = typical.median
        # Of few values the distribution is skewed: its narrower side would give up to three times the false pixels.
        margin = significance(probability) * typical.scale
        most, found = max(1, int(self.kept[0].max(initial=0)) - 1), np.zeros(root.shape, bool)
        for rows in cached_blocks(root):
            degrees = np.maximum(self.kept[0][rows].astype(np.int16) - 1, 1) / most
            with np.errstate(invalid="ignore"):
                found[rows] = root[rows] - centre > margin / np.sqrt(degrees)
        return found, float(((centre + margin) / centre) ** 1.5) if centre > 0 else np.nan
