"""The outcome of a vote."""

from dataclasses import dataclass

import numpy as np

from badpix.formats.type_result import TypeResult

# Name -> (image (y, x), unit or None).
Measured = dict[str, tuple[np.ndarray, str | None]]


@dataclass(frozen=True)
class Classification:
    """The outcome of a vote.

    `results` maps types to TypeResult, `measured` are measured images, `warnings` are on results that may be wrong, and
    `notes` are lines of HISTORY. `not_lit` is the number of science pixels that the flats do not illuminate, None
    without `min_unlit_area`.
    """

    results: dict[str, TypeResult]
    measured: Measured
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_lit: int | None = None
