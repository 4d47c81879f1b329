"""The pixel that a bad pixel is attributed to: its signal comes from there."""

import numpy as np

from badpix.formats.evidence_file import HALO_SOURCE, Evidence

# From the pixel to its eight neighbours (dy, dx); the direct neighbours take most of the charge of an open pixel.
DIRECT = ((-1, 0), (1, 0), (0, -1), (0, 1))
DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))


def open_sources(evidence: Evidence) -> np.ndarray:
    """The flat index of an OPEN neighbour of each pixel ADJ_OPEN, int32 (y, x); -1 elsewhere."""
    image = np.full(evidence.found.shape, -1, np.int32)
    if not {"OPEN", "ADJ_OPEN"} <= set(evidence.bit_of):
        return image
    is_open = np.pad(evidence.is_found("OPEN"), 1)
    y, x = np.nonzero(evidence.is_found("ADJ_OPEN"))
    source, n_columns = np.full(y.size, -1), evidence.found.shape[1]
    for dy, dx in (*DIRECT, *DIAGONAL):
        here = (source < 0) & is_open[y + 1 + dy, x + 1 + dx]
        source[here] = ((y + dy) * n_columns + x + dx)[here]
    image[y, x] = source
    return image


def sources(evidence: Evidence) -> np.ndarray:
    """The flat index of the pixel that each pixel is attributed to, int32 (y, x); -1 without such a pixel.

    A pixel in the halo of a bad pixel (inter-pixel capacitance) is attributed to this, a pixel ADJ_OPEN to the open
    pixel.
    """
    image = open_sources(evidence)
    halo = evidence.measured.get(HALO_SOURCE)
    return image if halo is None else np.where(halo >= 0, halo, image)
