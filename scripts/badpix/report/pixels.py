"""Selection of the pixels of a page, and their order when there are too many."""

from collections.abc import Mapping, Sequence

import numpy as np

from badpix.formats.evidence_file import Evidence

# Arrays of up to this number of pixels are listed completely; of larger arrays only flagged or intermittent pixels.
WHOLE_ARRAY = 128 * 128
# Largest number of listed pixels; the summary of a pixel takes about 60 bytes.
MAX_LISTED = 100_000
# Largest size of the measurements per integration in a page, in bytes before compression.
DETAIL_BYTES = 20 * 2**20
# Number of pixels of each type with ramps; fewer if the ramps would take more than RAMP_BYTES.
RAMPS_PER_TYPE = 12
RAMP_BYTES = 4 * 2**20


def by_rarity(masks: Sequence[np.ndarray], seed: int = 0) -> np.ndarray:
    """Flat indices of the pixels of `masks` (boolean images), pixels of rare masks first.

    The pixels of each mask are numbered in a reproducible random order. A pixel of several masks takes its smallest
    number, and pixels are sorted by number. Wherever the list is cut, every mask keeps the same number of pixels, as
    far as it has that many.
    """
    rng = np.random.default_rng(seed)
    indices_of = [rng.permutation(np.flatnonzero(mask)) for mask in masks]
    if not indices_of:
        return np.zeros(0, np.int64)
    indices = np.concatenate(indices_of)
    numbers = np.concatenate([np.arange(index.size) for index in indices_of])
    order = np.lexsort((indices, numbers))
    _, first = np.unique(indices[order], return_index=True)
    return indices[order][np.sort(first)]


def type_masks(bits: np.ndarray, bit_of: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Type -> boolean image of the pixels with its bit set in `bits` (uint32 image); `bit_of` maps type to bit."""
    return {name: (bits >> np.uint32(bit)) & 1 == 1 for name, bit in bit_of.items()}


def intermittent_bits(evidence: Evidence) -> np.ndarray:
    """The image INTERMITTENT, uint32 (y, x); ValueError for an evidence file without it."""
    if evidence.intermittent is None:
        raise ValueError("the evidence has no image INTERMITTENT; make the mask anew")
    return evidence.intermittent


def listed_pixels(evidence: Evidence, flagged: np.ndarray) -> tuple[np.ndarray, int]:
    """Flat indices of the listed pixels, most important first, and their number before the cut at MAX_LISTED.

    Listed are pixels found by a type, intermittent pixels, and pixels with manual flags only (`flagged`, a boolean
    image); of arrays up to WHOLE_ARRAY also all remaining pixels.
    """
    masks = list(type_masks(evidence.found, evidence.bit_of).values())
    masks += [intermittent_bits(evidence) != 0, flagged]
    order = by_rarity(masks)
    if evidence.found.size <= WHOLE_ARRAY:
        rest = np.setdiff1d(np.arange(evidence.found.size), order)
        order = np.concatenate([order, rest])
    return order[:MAX_LISTED], order.size


def sampled_pixels(evidence: Evidence, per_type: int = RAMPS_PER_TYPE) -> np.ndarray:
    """Sorted flat indices of up to `per_type` found pixels of each type; a reproducible random choice."""
    rng = np.random.default_rng(1)
    chosen = [
        rng.permutation(np.flatnonzero(mask))[:per_type]
        for mask in type_masks(evidence.found, evidence.bit_of).values()
    ]
    return np.unique(np.concatenate([np.zeros(0, np.int64), *chosen]))


def ramps_per_type(n_values: int, n_types: int) -> int:
    """Number of pixels per type whose ramps fit into RAMP_BYTES; `n_values` is a pixel's number of groups in total."""
    return int(np.clip(RAMP_BYTES // (4 * max(1, n_values) * max(1, n_types)), 1, RAMPS_PER_TYPE))
