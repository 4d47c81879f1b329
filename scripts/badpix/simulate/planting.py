"""Positions, types and strengths of the planted pixels."""

import numpy as np

from badpix.simulate.clusters import PAIR_HOT_RATE, plan_clusters, text_of
from badpix.simulate.headers import Geometry, science_bounds, unlit_columns
from badpix.simulate.populations import PlantedType, Population
from badpix.simulate.realistic import Positions, place_realistic

DEMO_GRID_PITCH = 5  # a planted pixel per 5 x 5 cell, shifted by at most 1: distance at least 4, rings do not touch
DEMO_SCIENCE_MARGIN = 4  # distance of planted pixels from the edge of the science area

SURVEY_GRID_PITCH = 6  # shifted by at most 3: distance at least 3, so rings of eight neighbours do not overlap
SURVEY_SHIFTS = 4
SURVEY_SCIENCE_MARGIN = 3  # pixels nearer to the edge belong to the group "border"
SURVEY_MINIMUM = 3  # pixels of each type, also in small arrays
UNLIT_MARGIN = 6  # distance from the unlit strip of pixels that need light

PIXEL_DTYPE = np.dtype(
    [
        ("y", "i4"), ("x", "i4"), ("code", "i2"), ("strength", "f4"), ("second", "f4"), ("phase", "i2"),
        ("bad_exposures", "i2"), ("group", "U8"),
    ]
)  # fmt: skip


def plan_pixels(geometry: Geometry, population: Population, rng: np.random.Generator) -> np.ndarray:
    """All planted pixels, PIXEL_DTYPE: positions and types first, then their parameters."""
    plan = {"demo": place_demo, "survey": place_survey, "realistic": place_measured}[population.name]
    pixels = plan(geometry, population, rng)
    draw_parameters(pixels, population, rng)
    return pixels


def draw_parameters(pixels: np.ndarray, population: Population, rng: np.random.Generator) -> None:
    """Set strength, second parameter and exposures of `pixels` in place, by the type of each."""
    for code, planted in enumerate(population.types, start=1):
        of_type = pixels["code"] == code
        number = int(np.count_nonzero(of_type))
        pixels["strength"][of_type] = planted.strength.draw(rng, number)
        pixels["second"][of_type] = planted.second.draw(rng, number)
        pixels["phase"][of_type] = -1 if planted.permanent else rng.integers(0, population.period, number)
        pixels["bad_exposures"][of_type] = population.period if planted.permanent else 1
    if population.name != "demo":
        refine_survey(pixels, population, rng)


def place_demo(geometry: Geometry, population: Population, rng: np.random.Generator) -> np.ndarray:
    """Positions and codes of the demo; numbers scale with the area, with a minimum per type."""
    first_y, last_y, first_x, last_x = science_bounds(geometry)
    margin = DEMO_SCIENCE_MARGIN
    y_cells = np.arange(first_y + margin, last_y - margin - 1, DEMO_GRID_PITCH)
    x_cells = np.arange(first_x + margin, last_x - margin - 1, DEMO_GRID_PITCH)
    counts = [planted_count(planted, geometry.relative_area) for planted in population.types]
    cells = rng.permutation(len(y_cells) * len(x_cells))[: sum(counts)]
    if len(cells) < sum(counts):
        raise ValueError(f"{sum(counts)} planted pixels do not fit into an array of {text_of(geometry.shape)}")
    pixels = np.zeros(len(cells), PIXEL_DTYPE)
    pixels["y"] = y_cells[cells // len(x_cells)] + rng.integers(0, 2, len(cells))
    pixels["x"] = x_cells[cells % len(x_cells)] + rng.integers(0, 2, len(cells))
    pixels["code"] = np.repeat(np.arange(1, len(counts) + 1), counts)
    return pixels


def place_measured(geometry: Geometry, population: Population, rng: np.random.Generator) -> np.ndarray:
    """Positions, codes and groups of the realistic population."""
    return planted_pixels(place_realistic(geometry, population, rng))


def planted_pixels(positions: Positions) -> np.ndarray:
    """Pixels (PIXEL_DTYPE) at these positions, with codes and groups."""
    pixels = np.zeros(len(positions), PIXEL_DTYPE)
    for name, values in zip(("y", "x", "code", "group"), zip(*positions, strict=True), strict=True):
        pixels[name] = values
    return pixels


def planted_count(planted: PlantedType, relative_area: float) -> int:
    """Number of planted pixels of a demo type in an array of area `relative_area`, in units of 256 x 256."""
    minimum = max(2, planted.count // 10)  # a 64 x 64 array still has 6 of each main type
    return max(minimum, round(planted.count * relative_area))


def place_survey(geometry: Geometry, population: Population, rng: np.random.Generator) -> np.ndarray:
    """Positions, codes and groups of the survey: the clusters, then single pixels on a grid around them."""
    lit_from_x = unlit_columns(geometry)[1] + UNLIT_MARGIN
    clusters, free = plan_clusters(geometry, population, lit_from_x, rng)
    y, x = free_cells(science_bounds(geometry), free, rng)
    lit = x >= lit_from_x
    needs_light = np.array([planted.needs_light for planted in population.types])
    counts = survey_counts(population, geometry, len(x), int(np.count_nonzero(lit)), needs_light)
    cells, kinds = assign_cells(lit, counts, needs_light)
    pixels = np.zeros(len(clusters) + len(cells), PIXEL_DTYPE)
    for name in ("y", "x", "code", "group"):
        pixels[name][: len(clusters)] = [row[name] for row in clusters]
    single = pixels[len(clusters) :]
    single["y"], single["x"] = y[cells], x[cells]
    single["code"] = kinds + 1
    return pixels


def assign_cells(lit: np.ndarray, counts: np.ndarray, needs_light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells and kinds of the planted pixels: two int arrays (pixel), numbers from 0.

    `lit` is bool (cell), with cells in random order, `counts` int (kind), `needs_light` bool (kind). Pixels that need
    light take the first lit cells; all remaining pixels take the first of the remaining cells.
    """
    kinds = np.arange(len(counts))
    light_kinds = np.repeat(kinds[needs_light], counts[needs_light])
    other_kinds = np.repeat(kinds[~needs_light], counts[~needs_light])
    for_light = np.flatnonzero(lit)[: len(light_kinds)]
    for_others = np.setdiff1d(np.arange(len(lit)), for_light)[: len(other_kinds)]
    return np.concatenate([for_light, for_others]), np.concatenate([light_kinds, other_kinds])


def free_cells(
    bounds: tuple[int, int, int, int], free: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A free position (y, x) per grid cell, in random order; cells without a free position are left out.

    `bounds`: first and last row, first and last column of the science pixels. `free`: bool (y, x).
    """
    first_y, last_y, first_x, last_x = bounds
    margin, shift = SURVEY_SCIENCE_MARGIN, SURVEY_SHIFTS - 1
    y_cells = np.arange(first_y + margin, last_y - margin - shift + 1, SURVEY_GRID_PITCH)
    x_cells = np.arange(first_x + margin, last_x - margin - shift + 1, SURVEY_GRID_PITCH)
    cell_y, cell_x = (cells.ravel() for cells in np.meshgrid(y_cells, x_cells, indexing="ij"))
    order = rng.permutation(len(cell_y))
    cell_y, cell_x = cell_y[order], cell_x[order]
    shifts = rng.permuted(np.tile(np.arange(SURVEY_SHIFTS**2), (len(order), 1)), axis=1)
    y, x = cell_y[:, None] + shifts // SURVEY_SHIFTS, cell_x[:, None] + shifts % SURVEY_SHIFTS
    possible = free[y, x]
    chosen = np.argmax(possible, axis=1)  # the first free position
    usable = np.flatnonzero(possible.any(axis=1))
    return y[usable, chosen[usable]], x[usable, chosen[usable]]


def survey_counts(
    population: Population, geometry: Geometry, n_cells: int, n_lit: int, needs_light: np.ndarray
) -> np.ndarray:
    """Number of single pixels per type, int (type): proportional to the area, all reduced by a factor if necessary.

    Parameters
    ----------
    population : Population
        The planted types.
    geometry : Geometry
        The array.
    n_cells, n_lit : int
        Number of free cells, and of illuminated free cells.
    needs_light : np.ndarray
        Bool (type).

    Raises
    ------
    ValueError
        If SURVEY_MINIMUM pixels of each type do not fit.
    """
    wanted = np.array([planted.count for planted in population.types]) * geometry.relative_area
    for scale in np.linspace(1, 0, 101):
        counts = np.maximum(SURVEY_MINIMUM, np.rint(scale * wanted).astype(int))
        if counts.sum() <= n_cells and counts[needs_light].sum() <= n_lit:
            return counts
    raise ValueError(f"the survey's bad pixels do not fit into an array of {text_of(geometry.shape)} with this seed")


def refine_survey(pixels: np.ndarray, population: Population, rng: np.random.Generator) -> None:
    """Set values in place: bad exposures of intermittent pixels; in the survey, rates of pairs of hot pixels."""
    for code, planted in enumerate(population.types, start=1):
        if not planted.permanent:
            of_type = np.flatnonzero(pixels["code"] == code)
            bad_exposures = 1 + rng.permutation(population.period - 1)  # 1 to 7 of 8 in equal numbers
            pixels["bad_exposures"][of_type] = np.resize(bad_exposures, len(of_type))
    hot_pairs = (pixels["code"] == population.codes["hot"]) & (pixels["group"] == "pair")
    pixels["strength"][hot_pairs] = PAIR_HOT_RATE.draw(rng, int(np.count_nonzero(hot_pairs)))
