"""Which exposures change the mask far more than the others do: a light leak, persistence, a wrong lamp."""

import numpy as np

# Removals that change less than this part of the science pixels are never called outliers: ten exposures that change
# two pixels each and one that changes thirty are all alike.
MIN_CHANGED_FRACTION = 1e-3
# With fewer exposures there is no telling which one is odd.
MIN_EXPOSURES = 3


def changed_pixels(found, found_without):
    """Number of pixels whose types differ; both map types to boolean images (y, x), and a type may lack in one."""
    changed = False
    for name in found.keys() | found_without.keys():
        one, other = (images.get(name, False) for images in (found, found_without))
        changed = changed | (one != other)
    return int(np.count_nonzero(changed))


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
    import pandas as pd  # a third of a second, which who has no outliers need not wait for

    return pd.DataFrame(rows, columns=["exposure", "n_changed", "others", "outlier"])


def read_outliers(path):
    """Exposure -> reason for the outliers in the table that scripts/leave_one_out.py wrote; none if `path` is None."""
    if path is None:
        return {}
    import pandas as pd

    table = pd.read_csv(path, dtype={"exposure": str})
    return {
        row.exposure: f"outlier: without it the types of {row.n_changed} pixels change, without one of the other"
        f" {row.kind} those of {row.others:.0f} (quarantine_outliers)"
        for row in table[table["outlier"].astype(bool)].itertuples()
    }
