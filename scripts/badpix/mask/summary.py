"""The summary table of a mask: number of pixels per type and per DQ flag."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from badpix.formats.type_result import TypeResult
from badpix.instrument.dq import count_flags


def summary_table(results: Mapping[str, TypeResult], dq: np.ndarray, science: np.ndarray) -> pd.DataFrame:
    """Numbers and fractions of pixels per type and per DQ flag.

    `results` maps types to TypeResult, `dq` is the mask, uint32 (y, x), and `science` the boolean image (y, x) of the
    science pixels. Columns: `kind` (type or flag), `name`, `n_pixels`, `fraction` (types: of the science pixels; flags:
    of all pixels), `n_insufficient` and `fraction_insufficient` (types only: pixels that could not be classified).
    """
    # At least 1, so that the fractions of an array without science pixels are 0.
    n_science = max(1, int(science.sum()))
    rows = []
    for name, result in results.items():
        n_found, n_insufficient = int(result.found.sum()), int(result.insufficient.sum())
        rows.append(("type", name, n_found, n_found / n_science, n_insufficient, n_insufficient / n_science))
    for name, count in count_flags(dq).items():
        rows.append(("flag", name, count, count / dq.size, pd.NA, pd.NA))
    columns = ["kind", "name", "n_pixels", "fraction", "n_insufficient", "fraction_insufficient"]
    return pd.DataFrame(rows, columns=columns).astype({"n_insufficient": "Int64"})
