"""Which pixels of a real detector are planted as what: types, strengths, places.

The types are those of the simulator's survey; their strengths are those of the configuration, in steps, so that the
share found can be told for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import ndimage

from badpix.simulate.planting import assign_cells, free_cells
from badpix.simulate.populations import SURVEY, PlantedType, Range, logarithmic

# A telegraph pixel that hardly ever switches is not one that a few ramps can tell.
_SECOND = {"telegraph": logarithmic(0.1, 0.5)}
_SURVEY = {planted.name: planted for planted in SURVEY.types}
# Of the survey, permanent ones; a hot pixel's strength is a rate here, as thresholds are.
PLANTED = {
    "dead": _SURVEY["dead"],
    "low_qe": _SURVEY["low_qe"],
    "open": _SURVEY["open"],
    "hot": replace(_SURVEY["hot"], unit="DN/s"),
    "hot_saturated": replace(_SURVEY["hot"], name="hot_saturated", unit="DN/frame"),
    **{name: _SURVEY[name] for name in ("rc", "inverse_rc", "telegraph", "noisy", "low_pedestal")},
}
PLANTED = {name: replace(one, second=_SECOND.get(name, one.second)) for name, one in PLANTED.items()}
NO_SECOND = Range()


@dataclass(frozen=True)
class Planting:
    """What is to be planted: so many pixels of each strength of each type, at random places that `seed` decides."""

    types: tuple[PlantedType, ...]
    strengths: Mapping[str, Sequence[float]]  # type name -> strengths
    pixels_per_strength: int
    seed: int

    @classmethod
    def from_config(cls, injection: Mapping, kinds: Sequence[str]) -> "Planting":
        """The planting of the key `injection`, as far as exposures of `kinds` (darks, flats) can show a type."""
        strengths, shown = injection["strengths"], {True: "flats" in kinds, False: "darks" in kinds}
        types = (one for name, one in PLANTED.items() if strengths.get(name) and shown[one.needs_light])
        return cls(tuple(types), strengths, injection["pixels_per_strength"], injection["seed"])


def places_for(usable: np.ndarray, science: np.ndarray) -> np.ndarray:
    """Bool (y, x): `usable` pixels whose eight neighbours are usable science pixels too."""
    return ndimage.minimum_filter(usable & science, 3, mode="constant", cval=0).astype(bool)


def plan_injection(free: np.ndarray, lit: np.ndarray, planting: Planting) -> pd.DataFrame:
    """Where what is planted: columns x, y (0-based), code (number of the type, from 1), type, strength, second.

    `free`: bool (y, x), where pixels may be planted; `lit`: bool (y, x), where such that need light may. No two are
    closer than three pixels in both x and y, so the neighbourhoods of eight do not overlap. Where the pixels asked for
    do not fit, each strength has fewer, as many as all have room for. ValueError where not even one of each fits.
    """
    rng = np.random.default_rng(np.random.SeedSequence(planting.seed))
    groups = [
        (code, one, strength) for code, one in enumerate(planting.types, 1) for strength in planting.strengths[one.name]
    ]
    needs_light = np.array([one.needs_light for _, one, _ in groups], bool)
    rows, columns = (np.flatnonzero(free.any(axis=axis)) for axis in (1, 0))
    y = x = np.zeros(0, int)
    if len(rows):
        y, x = free_cells((rows[0], rows[-1], columns[0], columns[-1]), free, rng)
    in_light = lit[y, x]
    number = min(planting.pixels_per_strength, len(y) // max(1, len(groups)))
    if needs_light.any():
        number = min(number, np.count_nonzero(in_light) // np.count_nonzero(needs_light))
    if number < 1:
        raise ValueError(
            f"{len(groups)} kinds of planted pixel (types and strengths) do not fit: there is room for {len(y)} pixels"
            f" away from each other and from bad ones, {np.count_nonzero(in_light)} of them in the light; give fewer"
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
    for one in planting.types:
        if one.second != NO_SECOND:
            mine = table["type"] == one.name
            table.loc[mine, "second"] = one.second.draw(rng, int(mine.sum()))
    table["strength_unit"] = table["type"].map({one.name: one.unit for one in planting.types})
    return table.sort_values(["y", "x"], ignore_index=True)
