"""Which pixels a page tells of, and in which order they lose their place when there are too many."""

import numpy as np

# Arrays of up to so many pixels are told of whole; of larger ones those that something is said about.
WHOLE_ARRAY = 128 * 128
# Pixels listed at most: their summary is about 60 bytes each.
MAX_LISTED = 100_000
# Bytes of measurements per integration, before compression, that a page may hold.
DETAIL_BYTES = 20 * 2**20
# Ramps are shown of so many pixels of each type, fewer where they would take more than so many bytes.
RAMPS_PER_TYPE = 12
RAMP_BYTES = 4 * 2**20


def by_rarity(masks, seed=0):
    """Flat indices of the pixels of `masks` (boolean images), those of rare masks first.

    Each mask's pixels come in a random order that is always the same; a pixel's place is its best one. So whatever is
    cut off at the end, every mask keeps the same number of pixels, as far as it has them.
    """
    rng = np.random.default_rng(seed)
    places, indices = [], []
    for mask in masks:
        index = rng.permutation(np.flatnonzero(mask))
        indices.append(index)
        places.append(np.arange(index.size))
    if not indices:
        return np.zeros(0, np.int64)
    indices, places = np.concatenate(indices), np.concatenate(places)
    order = np.lexsort((indices, places))
    _, first = np.unique(indices[order], return_index=True)
    return indices[order][np.sort(first)]


def type_masks(bits, bit_of):
    """Type -> boolean image of the pixels that have its bit in `bits` (uint32)."""
    return {name: (bits >> np.uint32(bit)) & 1 == 1 for name, bit in bit_of.items()}


def listed_pixels(evidence, flagged):
    """Flat indices of the pixels that a page tells of, most important first, and how many there would be.

    They are those found by a type, bad at times, or with a flag in the mask (`flagged`, a boolean image: manual flags);
    and all others where the array is small.
    """
    masks = list(type_masks(evidence.found, evidence.bit_of).values())
    masks += [evidence.intermittent != 0, flagged]
    order = by_rarity(masks)
    if evidence.found.size <= WHOLE_ARRAY:
        rest = np.setdiff1d(np.arange(evidence.found.size), order)
        order = np.concatenate([order, rest])
    return order[:MAX_LISTED], order.size


def sampled_pixels(evidence, per_type=RAMPS_PER_TYPE):
    """Sorted flat indices of some found pixels of each type, the same at every call."""
    rng = np.random.default_rng(1)
    chosen = [
        rng.permutation(np.flatnonzero(mask))[:per_type]
        for mask in type_masks(evidence.found, evidence.bit_of).values()
    ]
    return np.unique(np.concatenate([np.zeros(0, np.int64), *chosen]))


def ramps_per_type(n_values, n_types):
    """Of how many pixels of each type the ramps fit, if one pixel has `n_values` groups in all exposures together."""
    return int(np.clip(RAMP_BYTES // (4 * max(1, n_values) * max(1, n_types)), 1, RAMPS_PER_TYPE))
