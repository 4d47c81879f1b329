"""Clusters of bad pixels: a block, a scratch, a bad column, pairs, and pixels at the edge of the detector."""

from collections.abc import Iterable

import numpy as np

from badpix.simulate.headers import Geometry, science_bounds
from badpix.simulate.populations import Population, logarithmic

CLEARANCE = 3  # pixels between planted pixels of different clusters: their rings of eight neighbours do not overlap
BORDER_WIDTH = 3  # number of outermost rows and columns of the science area with the group "border"

BLOCK_SIDE, SCRATCH_LENGTH = 30, 60  # for 256 x 256 and larger; less in smaller arrays
AREA_PER_BLOCK = 1024**2  # one block and one scratch each
PAIRS_PER_TYPE = 8  # in 256 x 256
BORDER_PER_TYPE = 4  # in 256 x 256; grows with the side length
MINIMUM = 3
PAIR_HOT_RATE = logarithmic(100.0, 5000.0)  # DN/frame
BORDER_TYPES = ("dead", "low_qe", "open", "hot", "rc", "inverse_rc", "telegraph", "noisy", "low_pedestal")

TRIES = 2000  # random positions to try before an array counts as full


def text_of(shape: tuple[int, int]) -> str:
    """A shape (rows, columns) as text."""
    return f"{shape[0]} rows and {shape[1]} columns"


class Ground:
    """The science area with its free pixels: puts clusters at random positions that do not touch."""

    def __init__(self, geometry: Geometry, lit_from_x: int, rng: np.random.Generator) -> None:
        self.first_y, self.last_y, self.first_x, self.last_x = science_bounds(geometry)
        self.lit_from_x = lit_from_x
        self.rng = rng
        self.free = np.zeros(geometry.shape, bool)
        self.free[self.first_y : self.last_y + 1, self.first_x : self.last_x + 1] = True
        self.rows: list[dict] = []

    def fits(self, y: np.ndarray, x: np.ndarray, needs_light: bool) -> bool:
        """Whether all pixels (`y`, `x`) are free science pixels, and illuminated if they need light."""
        return bool(self.free[y, x].all()) and (not needs_light or x.min() >= self.lit_from_x)

    def take(self, y: np.ndarray, x: np.ndarray, code: int, group: str) -> None:
        """Plant the pixels (`y`, `x`) and mark their surroundings as not free."""
        reach = CLEARANCE - 1
        for row, column in zip(y, x, strict=True):
            self.free[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1] = False
            self.rows.append({"y": int(row), "x": int(column), "code": code, "group": group})

    def put(self, dy: np.ndarray, dx: np.ndarray, code: int, group: str, needs_light: bool) -> None:
        """Plant a cluster at a random free position away from the border.

        Parameters
        ----------
        dy, dx : np.ndarray
            Offsets of its pixels, from 0 on.
        code : int
            Code of the planted type.
        group : str
            Kind of cluster.
        needs_light : bool
            Whether all pixels must be illuminated.

        Raises
        ------
        ValueError
            If there is no free position.
        """
        low_x = max(self.first_x + BORDER_WIDTH, self.lit_from_x if needs_light else 0)
        high_y, high_x = self.last_y - BORDER_WIDTH - dy.max(), self.last_x - BORDER_WIDTH - dx.max()
        for _ in range(TRIES):
            y = self.rng.integers(self.first_y + BORDER_WIDTH, high_y + 1) + dy
            x = self.rng.integers(low_x, high_x + 1) + dx
            if self.fits(y, x, needs_light):
                return self.take(y, x, code, group)
        n_y, n_x = self.free.shape
        raise ValueError(f"no room for a {group} in an array of {text_of((n_y, n_x))} with this seed")

    def put_column(self, code: int) -> None:
        """Plant a column over the full height of the science area, well inside the illuminated part."""
        x = self.rng.integers(self.lit_from_x + BORDER_WIDTH, self.last_x - BORDER_WIDTH + 1)
        y = np.arange(self.first_y, self.last_y + 1)
        self.take(y, np.full(len(y), x), code, "column")

    def put_border(self, codes: Iterable[tuple[int, bool]], number: int) -> None:
        """Plant `number` pixels of each (code, needs light) near the edge of the science area."""
        band = self.free.copy()
        inner_y = slice(self.first_y + BORDER_WIDTH, self.last_y + 1 - BORDER_WIDTH)
        inner_x = slice(self.first_x + BORDER_WIDTH, self.last_x + 1 - BORDER_WIDTH)
        band[inner_y, inner_x] = False
        positions = self.rng.permutation(np.argwhere(band))
        for code, needs_light in sorted(codes, key=lambda item: not item[1]):  # types with less room first
            planted = 0
            for y, x in positions:
                if planted == number:
                    break
                here = np.array([y]), np.array([x])
                if self.fits(*here, needs_light):
                    self.take(*here, code, "border")
                    planted += 1
            if planted < number:
                n_y, n_x = self.free.shape
                raise ValueError(f"no room at the border of an array of {text_of((n_y, n_x))} with this seed")


def plan_clusters(
    geometry: Geometry, population: Population, lit_from_x: int, rng: np.random.Generator
) -> tuple[list[dict], np.ndarray]:
    """Pixels of clusters as rows of y, x, code and group; and the pixels still free for single pixels, bool (y, x).

    Pixels that need light lie at x >= `lit_from_x`.
    """
    ground = Ground(geometry, lit_from_x, rng)
    dead, hot = population.codes["dead"], population.codes["hot"]
    ground.put_column(dead)
    side, length = (round(full * min(1, geometry.relative_side)) for full in (BLOCK_SIDE, SCRATCH_LENGTH))
    block_y, block_x = (offsets.ravel() for offsets in np.indices((side, side)))
    along = np.arange(length)
    for _ in range(max(1, geometry.n_rows * geometry.n_columns // AREA_PER_BLOCK)):
        ground.put(block_y, block_x, dead, "block", needs_light=True)
        across = along if rng.random() < 0.5 else along[::-1]
        ground.put(along, across, dead, "scratch", needs_light=True)
    for code, needs_light in ((dead, True), (hot, False)):
        for _ in range(max(MINIMUM, round(PAIRS_PER_TYPE * geometry.relative_area))):
            pair = np.array([0, 0]), np.array([0, 1])
            if rng.random() < 0.5:
                pair = pair[::-1]
            ground.put(*pair, code, "pair", needs_light)
    border = [(population.codes[p.name], p.needs_light) for p in population.types if p.name in BORDER_TYPES]
    mean_side = (geometry.n_rows + geometry.n_columns) / 512
    ground.put_border(border, max(MINIMUM, round(BORDER_PER_TYPE * mean_side)))
    return ground.rows, ground.free
