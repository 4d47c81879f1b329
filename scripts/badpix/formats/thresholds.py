"""The thresholds of all tests as rows for the evidence file, recorded by the vote so that they are computed once."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from math import nan
from typing import Any

import numpy as np
from astropy.io import fits

ABOVE, BELOW, AT_LEAST = "above", "below", "at least"
# Quantities of the vote itself, which are not measured: the required fraction of positive votes, the minimum of valid
# votes, and the limit on a pixel's mean deviation over all integrations.
FRACTION, FEWEST, MEAN_DEVIATION = "FRACTION", "FEWEST", "MEAN_DEVIATION"


@dataclass(frozen=True)
class Threshold:
    """A limit of a test.

    `test` is the name of the vote count (evidence `<TEST>_K`). `quantity` is the compared quantity, mostly the name of
    a statistics plane. `side` is above, below or at least; `above` and `below` exclude the limit. `value` is the limit
    in `unit`. A limit at a distance from a centre has value = `centre` +- `margin`; otherwise both are NaN. `exposure`
    is empty if the limit holds for all exposures, `integration` (1-based) is 0 if it holds for all integrations.
    `region` is the amplifier (1-based), 0 for the whole array. `weight` is the relative weight of the integration in a
    pixel's mean deviation, 1 on average; NaN in a test without such a mean.
    """

    test: str
    quantity: str
    side: str
    value: float
    unit: str
    exposure: str = ""
    integration: int = 0
    region: int = 0
    centre: float = nan
    margin: float = nan
    weight: float = nan


# Any: the callers unpack a mapping with `exposure` (str) and `integration` (int).
def around(test: str, quantity: str, side: str, centre: float, margin: float, **more: Any) -> Threshold:
    """A Threshold at a distance from a centre.

    Parameters
    ----------
    test, quantity : str
        As in Threshold.
    side : str
        ABOVE: the limit is centre + margin; BELOW: centre - margin.
    centre, margin : float
        In the unit of the quantity.
    **more
        Further fields of Threshold, at least `unit`.
    """
    value = centre + margin if side == ABOVE else centre - margin
    return Threshold(test, quantity, side, float(value), centre=float(centre), margin=float(margin), **more)


def vote_rows(test: str, fraction: float, unit: str, min_valid: int) -> tuple[Threshold, Threshold]:
    """The limits of the vote of `test`: the required `fraction` of positive votes, and the minimum of valid votes.

    `unit` is what has a vote, in the plural (integrations, exposures, flats).
    """
    return (
        Threshold(test, FRACTION, AT_LEAST, float(fraction), f"fraction of {unit}"),
        Threshold(test, FEWEST, AT_LEAST, float(min_valid), unit),
    )


NAMES = tuple(field.name for field in fields(Threshold))
KINDS = {"test": "U32", "quantity": "U32", "side": "U8", "unit": "U40", "exposure": "U80"}
INTEGERS = ("integration", "region")


def as_columns(rows: Collection[Threshold]) -> dict[str, np.ndarray]:
    """Thresholds as columns of a table: name of the attribute in capitals -> array."""
    # Fixed widths: a text column of a table without rows would have no width.
    dtypes = {name: KINDS.get(name, "i4" if name in INTEGERS else "f8") for name in NAMES}
    return {name.upper(): np.array([getattr(row, name) for row in rows], dtypes[name]) for name in NAMES}


def from_table(data: fits.FITS_rec) -> list[Threshold]:
    """The Thresholds in a FITS table (`hdu.data`); a column that the table lacks has its default."""
    kinds: dict[str, type] = {name: str if name in KINDS else int if name in INTEGERS else float for name in NAMES}
    present = [name for name in NAMES if name.upper() in data.names]
    return [Threshold(**{name: kinds[name](row[name.upper()]) for name in present}) for row in data]
