"""Which exposures change the mask far more than the others do: a light leak, persistence, a wrong lamp."""

import numpy as np
import pandas as pd

# Removals that change less than this part of the science pixels are never called outliers: ten exposures that change
# two pixels each and one that changes thirty are all alike.
MIN_CHANGED_FRACTION = 1e-3
# With fewer exposures there is no telling which one is odd.
MIN_EXPOSURES = 3


def outlier_table(n_changed, n_science, factor):
    """A row per exposure of one kind, from the number of pixels that change when it is left out.

    `n_changed` maps exposure to that number, of `n_science` science pixels. Columns: exposure, n_changed, others (the
    median number of the others), outlier (more than `factor` times that, and more than MIN_CHANGED_FRACTION of the
    pixels above it).
    """
    rows = []
    for exposure, number in n_changed.items():
        others = [other for name, other in n_changed.items() if name != exposure]
        usual = float(np.median(others)) if others else 0.0
        far = number > factor * usual and number - usual > MIN_CHANGED_FRACTION * n_science
        rows.append((exposure, number, usual, bool(far and len(n_changed) >= MIN_EXPOSURES)))
    return pd.DataFrame(rows, columns=["exposure", "n_changed", "others", "outlier"])
