"""The plan of planted pixels on a real detector: types, strengths, positions.

The types are types of the simulator's survey. The configuration lists discrete strengths, so that the found share can
be measured for each strength.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import ndimage

from badpix.simulate.planting import assign_cells, free_cells
from badpix.simulate.populations import SURVEY, PlantedType, Range, logarithmic

# Chance to switch per group: a pixel that switches more rarely cannot be recognised in a few ramps.
_SECOND = {"telegraph": logarithmic(0.1, 0.5)}
_SURVEY = {planted.name: planted for planted in SURVEY.types}
# Permanent types of the survey. The strength of a hot pixel is in DN/s here, as the thresholds are.
PLANTED = {
    "dead": _SURVEY["dead"],
    "low_qe": _SURVEY["low_qe"],
    "open": _SURVEY["open"],
    "hot": replace(_SURVEY["hot"], unit="DN/s"),
    "hot_saturated": replace(_SURVEY["hot"], name="hot_saturated", unit="DN/frame"),
    **{name: _SURVEY[name] for name in ("rc", "inverse_rc", "telegraph", "noisy", "low_pedestal")},
}
PLANTED = {name: replace(planted, second=_SECOND.get(name, planted.second)) for name, planted in PLANTED.items()}
NO_SECOND = Range()


@dataclass(frozen=True)
class Planting:
    """Planted types, strengths and number of pixels per strength; `seed` sets the random positions."""

    types: tuple[PlantedType, ...]
    strengths: Mapping[str, Sequence[float]]  # type name -> strengths
    pixels_per_strength: int
    seed: int

    @classmethod
    def from_config(cls, injection: Mapping, kinds: Sequence[str]) -> "Planting":
        """The Planting of the key `injection`, limited to types that are visible in exposures of `kinds`.

        `kinds` are darks, flats: types that need light are visible in flats, the remaining types in darks.
        """
        strengths, visible = injection["strengths"], {True: "flats" in kinds, False: "darks" in kinds}
        types = (planted for name, planted in PLANTED.items() if strengths.get(name) and visible[planted.needs_light])
        return cls(tuple(types), strengths, injection["pixels_per_strength"], injection["seed"])


def places_for(usable: np.ndarray, science: np.ndarray) -> np.ndarray:
    """Bool (y, x): `usable` pixels whose eight neighbours are usable science pixels too."""
    return ndimage.minimum_filter(usable & science, 3, mode="constant", cval=0).astype(bool)


def plan_injection(free: np.ndarray, lit: np.ndarray, planting: Planting) -> pd.DataFrame:
    """The planted pixels, a DataFrame: x, y (0-based), code (number of the type, from 1), type, strength, second.

    `free` is bool (y, x): pixels that can be planted. `lit` is bool (y, x): pixels for types that need light. Two
    planted pixels are at least three pixels apart in x or y, so their rings of neighbours do not overlap. If
    there is not enough room, all strengths get the same smaller number of pixels. ValueError if there is no room for a
    pixel of each strength. The last column, strength_unit, is the unit of the strength.
    """
    rng = np.random.default_rng(np.random.SeedSequence(planting.seed))
    groups = [
        (code, planted, strength)
        for code, planted in enumerate(planting.types, 1)
        for strength in planting.strengths[planted.name]
    ]
    needs_light = np.array([planted.needs_light for _, planted, _ in groups], bool)
    rows, columns = (np.flatnonzero(free.any(axis=axis)) for axis in (1, 0))
    y = x = np.zeros(0, int)
    if len(rows):
        y, x = free_cells((rows[0], rows[-1], columns[0], columns[-1]), free, rng)
    in_light = lit[y, x]
    number = min(planting.pixels_per_strength, len(y) // max(1, len(groups)))
    if needs_light.any():
        number = min(number, int(np.count_nonzero(in_light)) // int(np.count_nonzero(needs_light)))
    if number < 1:
        raise ValueError(
            f"{len(groups)} kinds of planted pixel (types and strengths) do not fit: there is room for {len(y)} pixels"
            f" apart from each other and from bad pixels, {np.count_nonzero(in_light)} of them illuminated; give fewer"
            " strengths (injection: strengths)"
        )
    cells, kinds = assign_cells(in_light, np.full(len(groups), number), needs_light)
    table = pd.DataFrame(
        {
            "x": x[cells],
            "y": y[cells],
            "code": [groups[kind][0] for kind in kinds],
            "type": [groups[kind][1].name for kind in kinds],
            "strength": [float(groups[kind][2]) for kind in kinds],
        }
    )
    table["second"] = np.nan
    for planted in planting.types:
        if planted.second != NO_SECOND:
            of_type = table["type"] == planted.name
            table.loc[of_type, "second"] = planted.second.draw(rng, int(of_type.sum()))
    table["strength_unit"] = table["type"].map({planted.name: planted.unit for planted in planting.types})
    return table.sort_values(["y", "x"], ignore_index=True)
