"""Exposures that change the mask far more than the remaining exposures: a light leak, persistence, a wrong lamp."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

# An exposure that changes fewer pixels than this fraction of the science pixels is never an outlier. Otherwise, where
# most exposures change two pixels, an exposure that changes thirty would be rejected.
MIN_CHANGED_FRACTION = 1e-3
# With two exposures there is no majority that would show which is the outlier.
MIN_EXPOSURES = 3


def outlier_table(n_changed: Mapping[str, int], n_science: int, factor: float) -> pd.DataFrame:
    """A row per exposure of a kind, from the number of pixels that change if the exposure is left out.

    `n_changed` maps exposures to these numbers, `n_science` is the number of science pixels. Columns: exposure,
    n_changed, others (the median n_changed of the remaining exposures), outlier (True if n_changed is more than
    `factor` times `others`, and exceeds it by more than MIN_CHANGED_FRACTION of the science pixels).
    """
    rows = []
    for exposure, number in n_changed.items():
        others = [n_other for name, n_other in n_changed.items() if name != exposure]
        typical = float(np.median(others)) if others else 0.0
        far = number > factor * typical and number - typical > MIN_CHANGED_FRACTION * n_science
        rows.append((exposure, number, typical, bool(far and len(n_changed) >= MIN_EXPOSURES)))
    return pd.DataFrame(rows, columns=["exposure", "n_changed", "others", "outlier"])
