"""What each test compared with, as rows for the evidence file: the vote notes them, and nobody works them out again."""

from dataclasses import dataclass, fields
from math import nan

import numpy as np

ABOVE, BELOW, AT_LEAST = "above", "below", "at least"
# Rows that are of the vote itself, not of a measured quantity: the fraction of votes that must say yes, the fewest
# valid votes, and the limit on a pixel's mean deviation over all integrations.
FRACTION, FEWEST, MEAN_DEVIATION = "FRACTION", "FEWEST", "MEAN_DEVIATION"


@dataclass(frozen=True)
class Threshold:
    """One limit of one test.

    `test` is the name of the ballot count (evidence `<TEST>_K`), `quantity` what is compared (mostly the name of a
    statistics plane), `side` how (`above` and `below` exclude the limit), `value` the limit in `unit`. Where the limit
    is told from a centre, `centre` and `margin` are value = centre +- margin. `exposure` is empty and `integration`
    (1-based) 0 where the limit is the same for all; `region` is the amplifier (1-based), 0 for the whole array.
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


def around(test: str, quantity: str, side: str, centre: float, margin: float, **more) -> Threshold:
    """The Threshold `margin` above or below `centre`; `more` are further fields of Threshold, at least `unit`."""
    value = centre + margin if side == ABOVE else centre - margin
    return Threshold(test, quantity, side, float(value), centre=float(centre), margin=float(margin), **more)


def vote_rows(test, fraction, unit, min_valid):
    """The limits of the vote of `test`: `fraction` of its votes, whose kind is `unit`, and the fewest of them."""
    return (
        Threshold(test, FRACTION, AT_LEAST, float(fraction), f"fraction of {unit}"),
        Threshold(test, FEWEST, AT_LEAST, float(min_valid), unit),
    )


NAMES = tuple(field.name for field in fields(Threshold))
KINDS = {"test": "U32", "quantity": "U32", "side": "U8", "unit": "U40", "exposure": "U80"}
INTEGERS = ("integration", "region")


def as_columns(rows):
    """Thresholds as columns of a table: name of the attribute in capitals -> array."""
    # Widths by the longest text, or FITS writes an empty column where there are no rows.
    dtypes = {name: KINDS.get(name, "i4" if name in INTEGERS else "f8") for name in NAMES}
    return {name.upper(): np.array([getattr(row, name) for row in rows], dtypes[name]) for name in NAMES}


def from_table(data):
    """The list of Thresholds of a FITS table (`hdu.data`)."""
    kinds = {name: str if name in KINDS else int if name in INTEGERS else float for name in NAMES}
    return [Threshold(**{name: kinds[name](row[name.upper()]) for name in NAMES}) for row in data]
