"""The summary table of a mask: number of pixels per type and per DQ flag."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from badpix.formats.type_result import TypeResult
from badpix.instrument.dq import count_flags

# The row of the pixels that the flats do not illuminate.
AREA, NOT_LIT = "area", "not_lit"


def summary_table(
    results: Mapping[str, TypeResult], dq: np.ndarray, science: np.ndarray, not_lit: int | None = None
) -> pd.DataFrame:
    """Numbers and fractions of pixels per type and per DQ flag.

    `results` maps types to TypeResult, `dq` is the mask, uint32 (y, x), and `science` the boolean image (y, x) of the
    science pixels. `not_lit` is the number of science pixels that the flats do not illuminate, None where it is not
    known; it has a row of its own. Columns: `kind` (type, flag or area), `name`, `n_pixels`, `fraction` (types and
    area: of the science pixels; flags: of all pixels), `n_insufficient` and `fraction_insufficient` (types only: pixels
    that could not be classified).
    """
    # At least 1, so that the fractions of an array without science pixels are 0.
    n_science = max(1, int(science.sum()))
    rows = []
    for name, result in results.items():
        n_found, n_insufficient = int(result.found.sum()), int(result.insufficient.sum())
        rows.append(("type", name, n_found, n_found / n_science, n_insufficient, n_insufficient / n_science))
    for name, count in count_flags(dq).items():
        rows.append(("flag", name, count, count / dq.size, pd.NA, pd.NA))
    if not_lit is not None:
        rows.append((AREA, NOT_LIT, not_lit, not_lit / n_science, pd.NA, pd.NA))
    columns = ["kind", "name", "n_pixels", "fraction", "n_insufficient", "fraction_insufficient"]
    return pd.DataFrame(rows, columns=columns).astype({"n_insufficient": "Int64"})
