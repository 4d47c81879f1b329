"""One integration's ballots of an ExcessTest, compiled: one pass over the pixels instead of one per image."""

import numpy as np

from badpix.compiled import compiled


@compiled
def count_excesses(values, centre, vote, certain, least, n_valid, votes, strong, total, excess):
    """Count the pixels of `values` (float32 image (y, x)) that lie beyond the limits, and keep their excesses.

    `centre`, `vote` and `certain` are numbers, float32: a vote needs an excess beyond `vote` on either side and beyond
    `least` (float32 image), and is beyond doubt beyond `certain` too. `votes` and `strong` are pairs of int16 images
    (above, below), `n_valid` an int16 image and `total` a float32 image, all added to; `excess` (float32 image) is
    filled. NaN abstains.
    """
    n_rows, n_columns = values.shape
    above, below = votes
    strong_above, strong_below = strong
    for y in range(n_rows):
        for x in range(n_columns):
            height = values[y, x] - centre
            excess[y, x] = height
            if np.isnan(height):
                continue
            n_valid[y, x] += 1
            total[y, x] += height
            size = abs(height)
            if not size > least[y, x]:
                continue
            if height > 0:
                above[y, x] += size > vote
                strong_above[y, x] += size > certain
            else:
                below[y, x] += size > vote
                strong_below[y, x] += size > certain
