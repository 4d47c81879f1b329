"""More bad pixels than the population has, at random positions: detectors with several percent of bad pixels."""

import numpy as np

from badpix.simulate.effects import Effects, effect_stream
from badpix.simulate.headers import Geometry, science_bounds, unlit_columns
from badpix.simulate.planting import PIXEL_DTYPE, UNLIT_MARGIN
from badpix.simulate.populations import Population

GROUP = "dense"


def chosen_types(population: Population, name: str) -> list[int]:
    """The codes of the types that the effect `name` plants: permanent, and expected to be found."""
    wanted = {"more_hot": ("hot",), "more_low_qe": ("low_qe",)}.get(name)
    return [
        code
        for code, planted in enumerate(population.types, 1)
        if planted.permanent and planted.expected and planted.behaviour not in ("open", "healthy")
        if not planted.name.startswith("crds") and (wanted is None or planted.behaviour in wanted)
    ]


def with_more(
    pixels: np.ndarray, geometry: Geometry, population: Population, effects: Effects, seed: int
) -> np.ndarray:
    """`pixels` (PIXEL_DTYPE) with those of the effects `more_...` added; at free positions, which may touch.

    Pixels that need light are not planted in the unlit strip. ValueError if more pixels are wanted than are free.
    """
    first_y, last_y, first_x, last_x = science_bounds(geometry)
    free = np.zeros(geometry.shape, bool)
    free[first_y : last_y + 1, first_x : last_x + 1] = True
    n_science = int(free.sum())
    # Planted pixels keep their neighbours, so that pixels next to open ones stay as they are.
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            y = np.clip(pixels["y"] + dy, 0, geometry.n_rows - 1)
            free[y, np.clip(pixels["x"] + dx, 0, geometry.n_columns - 1)] = False
    lit_from_x = unlit_columns(geometry)[1] + UNLIT_MARGIN if population.physics.unlit_strip else 0
    free[:, :lit_from_x] = False
    parts = [pixels]
    for name in ("more_bad", "more_hot", "more_low_qe"):
        number = round(getattr(effects, name) * n_science)
        if not number:
            continue
        rng = effect_stream(name, seed)
        places = rng.permutation(np.flatnonzero(free))[:number]
        if len(places) < number:
            raise ValueError(f"effect {name}: {number} pixels do not fit, only {len(places)} pixels are free")
        free.ravel()[places] = False
        added = np.zeros(number, PIXEL_DTYPE)
        added["y"], added["x"] = np.divmod(places, geometry.n_columns)
        codes = chosen_types(population, name)
        added["code"] = np.resize(codes, number)
        added["phase"], added["bad_exposures"], added["group"] = -1, population.period, GROUP
        for code in codes:
            of_type, planted = added["code"] == code, population.types[code - 1]
            added["strength"][of_type] = planted.strength.draw(rng, int(of_type.sum()))
            added["second"][of_type] = planted.second.draw(rng, int(of_type.sum()))
        parts.append(added)
    return np.concatenate(parts) if len(parts) > 1 else pixels
