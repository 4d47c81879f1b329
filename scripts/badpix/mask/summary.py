"""The table of counts: pixels per type and per DQ flag."""

import pandas as pd

from badpix.instrument.dq import count_flags


def summary_table(results, dq, science):
    """Counts and fractions per type and per DQ flag, as a pandas DataFrame.

    Columns: `kind` (type or flag), `name`, `n_pixels`, `fraction` (types: of the science pixels; flags: of all
    pixels), `n_insufficient` and `fraction_insufficient` (types only: pixels that could not be judged).
    """
    # An array without science pixels has fractions of nothing, 0.
    n_science = max(1, int(science.sum()))
    rows = []
    for name, verdict in results.items():
        found, unjudged = int(verdict.found.sum()), int(verdict.insufficient.sum())
        rows.append(("type", name, found, found / n_science, unjudged, unjudged / n_science))
    for name, count in count_flags(dq).items():
        rows.append(("flag", name, count, count / dq.size, pd.NA, pd.NA))
    columns = ["kind", "name", "n_pixels", "fraction", "n_insufficient", "fraction_insufficient"]
    return pd.DataFrame(rows, columns=columns).astype({"n_insufficient": "Int64"})
