"""New bad pixels by their direct neighbours: left, right, below and above.

The signal of a hot pixel couples into its direct neighbours (inter-pixel capacitance; JDox: 0.5 % to 0.6 % each for
NIRCam), so new pixels beside a bad pixel are often no defects of their own. Images are (y, x). Reference pixels, and
pixels outside the compared array, are never bad here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from badpix.instrument.dq import PIXEL_FLAGS

# Each new pixel has the first of these that is true: a direct neighbour was bad before; the pixel is one of four new
# neighbours of a pixel that is good in both masks; a direct neighbour is new as well; none.
NEAR = ("known", "unlisted", "new", "isolated")
KNOWN, UNLISTED, OF_NEW, ISOLATED = range(len(NEAR))
DIRECT = 4


@dataclass(frozen=True)
class Neighbours:
    """Per pixel, images (y, x) of uint8.

    Numbers of direct neighbours, 0 to 4: `bad_before` and `bad_after` are bad in the masks, `unlisted` are good in both
    masks with four new neighbours. `near` is an index of NEAR. `centres` (bool) are the unlisted pixels themselves.
    """

    bad_before: np.ndarray
    bad_after: np.ndarray
    unlisted: np.ndarray
    near: np.ndarray
    centres: np.ndarray


def neighbours(was_bad: np.ndarray, is_bad: np.ndarray, science: np.ndarray) -> Neighbours:
    """The Neighbours of all pixels from the boolean images of the bad science pixels before and after, and `science`.

    A pixel at the edge of the array has fewer than four neighbours, and is never `unlisted`.
    """
    new = is_bad & ~was_bad
    centres = science & ~was_bad & ~is_bad & (count_direct(new) == DIRECT)
    before, after, unlisted = (count_direct(image) for image in (was_bad, is_bad, centres))
    of_new = count_direct(new)
    near = np.select([before > 0, unlisted > 0, of_new > 0], [KNOWN, UNLISTED, OF_NEW], ISOLATED).astype(np.uint8)
    return Neighbours(before, after, unlisted, near, centres)


def count_direct(image: np.ndarray) -> np.ndarray:
    """Number of direct neighbours (uint8, 0 to 4) of each pixel at which the boolean image (y, x) is True."""
    n = np.zeros(image.shape, np.uint8)
    n[1:] += image[:-1]
    n[:-1] += image[1:]
    n[:, 1:] += image[:, :-1]
    n[:, :-1] += image[:, 1:]
    return n


def neighbour_counts(found: Neighbours, new: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    """Numbers of new pixels: a plain mapping, ready for JSON.

    `near` counts the pixels by NEAR. `beside_bad` have a direct neighbour that is bad in either mask.
    `unlisted_centres` are the pixels good in both masks with four new neighbours; `unlisted_neighbours` is four times
    their number, `around_unlisted` the number of different pixels among these neighbours. `flags` has the numbers of
    `near` per flag.

    Parameters
    ----------
    found : Neighbours
        The neighbours of all pixels.
    new : ndarray
        True at new pixels, (y, x).
    after : ndarray
        The flags of the mask after: uint32 (y, x).
    """
    near, dq = found.near[new], after[new]
    rows = []
    for flag, bit in PIXEL_FLAGS.items():
        having = dq & np.uint32(bit) != 0
        if having.any():
            rows.append({"flag": flag, "new": int(having.sum()), "near": _by_name(near[having])})
    n_centres = int(np.count_nonzero(found.centres))
    return {
        "near": _by_name(near),
        "beside_bad": int(np.count_nonzero(new & ((found.bad_before > 0) | (found.bad_after > 0)))),
        "unlisted_centres": n_centres,
        "unlisted_neighbours": DIRECT * n_centres,
        "around_unlisted": int(np.count_nonzero(found.unlisted[new])),
        "flags": rows,
    }


def _by_name(near: np.ndarray) -> dict[str, int]:
    return {name: int(np.count_nonzero(near == code)) for code, name in enumerate(NEAR)}
