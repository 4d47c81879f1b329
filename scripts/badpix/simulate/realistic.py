"""Positions like those of bad pixels in flight: single pixels, small clusters and, rarely, hundreds together.

Measured in lists of pixels that went bad in flight (source distribution of grizli 1.14.3 on PyPI, images of 2048 x 2048
pixels; borders left out; a cluster is a set of pixels that touch, also at corners; quarters: of 1024 x 1024, without
clusters of more than 20 pixels; variance: of the number in cells of 64 x 64 pixels):

====================================  ======  ======  ====== ====== ====  =================  ===============
list                                  pixels  single  2 to 5  6-20  > 20  densest / sparsest  variance / mean
                                                                          quarter
====================================  ======  ======  ====== ====== ====  =================  ===============
newhot NRCA1, 2023-11-29                2601    0.21    0.71   0.06 0.02  2.3                 5.0
newhot NRCA2, 2023-11-29                1952    0.14    0.82   0.04 0     1.3                 4.5
newhot NRCB1, 2023-11-29                3038    0.26    0.69   0.05 0     1.5                 5.6
badpix NIRISS, 2023-07-10              75122    0.66    0.30   0.04 0.00  1.2                 4.2
badpix NRCALONG, 2024-06 to 2025-10     1044    0.83    0.15   0.03 0     1.2
badpix NRCALONG, 2025-10 to 2026-06    18790    0.60    0.39   0.01 0     1.2                 3.5
lowpix NRCA1                             304    0.27    0.06   0.19 0.47  3.7                 9.0
====================================  ======  ======  ====== ====== ====  =================  ===============

Half of the pixels of the newhot lists are the four direct neighbours of a pixel that is not listed: capacitive
coupling, which the simulator adds by itself. Half of the pixels in clusters of 2 to 5, and quarters that differ by 1.3
to 1.6, are within the range of these lists. Largest clusters: 144 pixels of low response in NRCA1; in the NIRISS list
of 2024-10-01 554 and 271 pixels, and a region of 41432. No pixel of NRCALONG was removed in these two years.
"""

import numpy as np

from badpix.simulate.clusters import TRIES, text_of
from badpix.simulate.headers import Geometry, science_bounds
from badpix.simulate.populations import PlantedType, Population

MINIMUM = 3  # pixels of each type, also in small arrays
CLUSTERED_SHARE = 0.5  # of the planted pixels
CLUSTER_SIZES, SIZE_WEIGHTS = (2, 3, 4, 5), (0.55, 0.30, 0.10, 0.05)
SAME_TYPE_CHANCE = 0.7  # that a pixel of a cluster has the type of its first pixel
QUARTER_RATIO = (1.3, 1.6)  # density of the densest quarter over that of the sparsest
# Share of the detectors with a large dead cluster; its number of pixels, at most 2% of the array.
LARGE_CHANCE, LARGE_SIZE = 0.25, (100, 300)
SMALL, LARGE = "small", "large"  # groups of clusters

Positions = list[tuple[int, int, int, str]]  # y, x, code, group


class Surface:
    """The science pixels that are free, and the density of bad pixels in the four quarters of the science area."""

    def __init__(self, geometry: Geometry, rng: np.random.Generator) -> None:
        self.rng = rng
        self.first_y, last_y, self.first_x, last_x = science_bounds(geometry)
        self.n_y, self.n_x = last_y - self.first_y + 1, last_x - self.first_x + 1
        self.free = np.zeros(geometry.shape, bool)
        self.free[self.first_y : last_y + 1, self.first_x : last_x + 1] = True
        ratio = rng.uniform(*QUARTER_RATIO)
        density = rng.permutation([1.0, ratio, *rng.uniform(1.0, ratio, 2)])
        self.quarter_shares = density / density.sum()

    @classmethod
    def around(cls, pixels: np.ndarray, geometry: Geometry, rng: np.random.Generator) -> "Surface":
        """The surface beside the planted `pixels` (PIXEL_DTYPE)."""
        surface = cls(geometry, rng)
        surface.block(pixels["y"], pixels["x"])
        return surface

    def block(self, y: np.ndarray, x: np.ndarray) -> None:
        """Planted pixels and their eight neighbours are no longer free: clusters do not touch."""
        for row, column in zip(y, x, strict=True):
            self.free[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = False

    def find(self, offsets: np.ndarray, margin: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Free position of the pixels with `offsets`, int (pixel, 2) from their first pixel: y and x, int (pixel).

        `margin`: least distance from the edge of the science area. ValueError if the array is full.
        """
        for _ in range(TRIES):
            row, column = divmod(int(self.rng.choice(4, p=self.quarter_shares)), 2)
            y = self.first_y + int((row + self.rng.random()) * self.n_y / 2) + offsets[:, 0]
            x = self.first_x + int((column + self.rng.random()) * self.n_x / 2) + offsets[:, 1]
            inside_y = y.min() >= self.first_y + margin and y.max() < self.first_y + self.n_y - margin
            inside_x = x.min() >= self.first_x + margin and x.max() < self.first_x + self.n_x - margin
            if inside_y and inside_x and self.free[y, x].all():
                self.block(y, x)
                return y, x
        n_y, n_x = self.free.shape
        raise ValueError(f"the bad pixels do not fit into an array of {text_of((n_y, n_x))} with this seed")

    def put(self, codes: list[int], group: str = "", margin: int = 0) -> Positions:
        """Plant a cluster of pixels with these codes, or a single one."""
        y, x = self.find(cluster_shape(len(codes), self.rng), margin)
        return [(int(row), int(column), code, group) for row, column, code in zip(y, x, codes, strict=True)]


def cluster_shape(number: int, rng: np.random.Generator) -> np.ndarray:
    """Offsets of `number` touching pixels from their first, int (pixel, 2): each is a neighbour of an earlier one."""
    pixels = [(0, 0)]
    while len(pixels) < number:
        y, x = pixels[rng.integers(len(pixels))]
        dy, dx = rng.integers(-1, 2, 2)
        if (y + dy, x + dx) not in pixels:
            pixels.append((y + int(dy), x + int(dx)))
    return np.array(pixels)


def place_realistic(geometry: Geometry, population: Population, rng: np.random.Generator) -> Positions:
    """Positions, codes and groups of all planted pixels."""
    surface = Surface(geometry, rng)
    wanted = [planted.count * geometry.relative_area for planted in population.types]
    counts = np.maximum(MINIMUM, np.rint(wanted).astype(int))
    placed: Positions = []
    if rng.random() < LARGE_CHANCE:
        number = min(int(rng.integers(LARGE_SIZE[0], LARGE_SIZE[1] + 1)), surface.free.size // 50)
        placed += surface.put([population.codes["dead"]] * number, LARGE)
    return placed + place_counts(surface, population.types, counts)


def place_counts(surface: Surface, types: tuple[PlantedType, ...], counts: np.ndarray) -> Positions:
    """Plant `counts` pixels, int (type): CLUSTERED_SHARE in clusters as far as the types allow, then the rest alone."""
    left = counts.copy()
    able = np.array([in_clusters(planted) for planted in types])
    placed: Positions = []
    for codes in draw_clusters(left, able, round(CLUSTERED_SHARE * int(counts.sum())), surface.rng):
        placed += surface.put(codes, SMALL)
    # Open pixels have four neighbours.
    for number in sorted(range(len(types)), key=lambda number: types[number].behaviour != "open"):
        margin = 1 if types[number].behaviour == "open" else 0
        for _ in range(left[number]):
            placed += surface.put([number + 1], margin=margin)
    return placed


def in_clusters(planted: PlantedType) -> bool:
    """Whether pixels of this type may have bad neighbours; an open pixel is defined by its neighbours."""
    return planted.permanent and planted.behaviour not in ("open", "healthy")


def draw_clusters(left: np.ndarray, able: np.ndarray, number: int, rng: np.random.Generator) -> list[list[int]]:
    """Codes of the pixels of each cluster, largest first: about `number` pixels, taken out of `left` in place.

    `left`: pixels to plant, int (type); `able`: bool (type), allowed in clusters.
    """
    clusters: list[list[int]] = []
    taken = 0
    while taken < number:
        size = int(rng.choice(CLUSTER_SIZES, p=SIZE_WEIGHTS))
        if left[able].sum() < size:
            break
        codes: list[int] = []
        for _ in range(size):
            if codes and left[codes[0] - 1] and rng.random() < SAME_TYPE_CHANCE:
                kind = codes[0] - 1
            else:
                shares = np.where(able, left, 0)
                kind = int(rng.choice(len(left), p=shares / shares.sum()))
            left[kind] -= 1
            codes.append(kind + 1)
        clusters.append(codes)
        taken += size
    return sorted(clusters, key=len, reverse=True)
