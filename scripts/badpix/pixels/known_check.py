"""Whether the vote found the pixels again that are known to be bad."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from badpix.delivery.pixel_lists import NOT_BAD
from badpix.formats.pixel_types import DARK, FLAT, HALO_TYPE, PIXEL_TYPES
from badpix.instrument.dq import flag_texts
from badpix.instrument.geometry import cut
from badpix.mask.flags import TypeFlags
from badpix.mask.intermittent import BIT as INTERMITTENT_BIT
from badpix.mask.intermittent import EXPOSURES
from badpix.pixels.earlier import EarlierMasks
from badpix.pixels.known_list import BIT_OF, KnownPixels, Words
from badpix.pixels.rows import MaskResult

FOUND, LOST = "found", "lost"
INSUFFICIENT, NOT_SEARCHED = "insufficient", "not searched"
BY_HAND, REFERENCE, OUTSIDE = "manual flag", "reference pixel", "outside"
STATES = (FOUND, LOST, INSUFFICIENT, NOT_SEARCHED, BY_HAND, REFERENCE, OUTSIDE)


@dataclass(frozen=True)
class Checked:
    """The KnownPixels `known`, and the result for each: `state` (of STATES), and `own_type` (bool).

    `own_type`: the vote found the pixel as a type that it is known as.
    """

    known: KnownPixels
    state: np.ndarray
    own_type: np.ndarray

    def counts(self) -> dict[str, Any]:
        """The number of pixels by state, the recall, and the number found as their own type; JSON values."""
        found = {state: int((self.state == state).sum()) for state in STATES}
        n_decided = found[FOUND] + found[LOST]
        has_type = self.known.types != 0
        return {
            "n_known": int(self.state.size),
            **{state.replace(" ", "_"): number for state, number in found.items()},
            "recall": found[FOUND] / n_decided if n_decided else None,
            "with_type": int((has_type & (self.state == FOUND)).sum()),
            "own_type": int((self.own_type & (self.state == FOUND)).sum()),
        }


def check_known(
    known: KnownPixels, result: MaskResult, table: Mapping[str, TypeFlags], flagged_intermittent: np.ndarray | None
) -> Checked:
    """Check the KnownPixels against a mask and its vote.

    A pixel is found if the vote found it as a type with a flag; also as intermittent by single exposures, where these
    get a flag. A flag of a table of manual flags, or of earlier masks, does not come from the vote. A pixel that is not
    found is INSUFFICIENT if a type it is known as could not be classified; without a type, if all types of the darks,
    or all types of the flats, could not be classified.

    Parameters
    ----------
    known : KnownPixels
        The pixels.
    result : MaskResult
        The mask.
    table : mapping of str to TypeFlags
        The flags of each type in the mask.
    flagged_intermittent : uint8 array (y, x) or None
        The image INTERMITTENT_FLAGGED of the evidence, on the array of the mask.
    """
    measured, frame, evidence = result.exposures.geometry, result.frame, result.evidence
    row, column = known.y - (measured.y_start - 1), known.x - (measured.x_start - 1)
    inside = (row >= 0) & (column >= 0) & (row < measured.n_rows) & (column < measured.n_columns)
    y, x = row[inside], column[inside]
    is_bad = cut(result.dq, frame, measured)[y, x] & ~NOT_BAD != 0
    found = _in_known_bits(evidence.found[y, x], evidence.bit_of)
    insufficient = _in_known_bits(evidence.insufficient[y, x], evidence.bit_of)
    own = known.types[inside]
    by_vote = is_bad & (found & _bits([name for name in evidence.bit_of if table[name].bits]) != 0)
    by_masks = np.zeros(y.size, bool)
    if flagged_intermittent is not None:
        source = cut(flagged_intermittent, frame, measured)[y, x]
        by_vote |= source & INTERMITTENT_BIT[EXPOSURES] != 0
        by_masks = source > 0
    state = np.select(
        [
            by_vote,
            ~result.exposures.science[y, x],
            is_bad & ~by_masks,
            (own != 0) & (own & _bits(evidence.bit_of) == 0),
            np.where(own != 0, own & insufficient != 0, _no_kind(insufficient, evidence.bit_of)),
        ],
        [FOUND, REFERENCE, BY_HAND, NOT_SEARCHED, INSUFFICIENT],
        LOST,
    )
    states, own_type = np.full(known.x.size, OUTSIDE, object), np.zeros(known.x.size, bool)
    states[inside], own_type[inside] = state, found & own != 0
    return Checked(known, states, own_type)


def _bits(names: Any) -> np.uint32:
    return np.bitwise_or.reduce([BIT_OF[name] for name in names] or [np.uint32(0)])


def _in_known_bits(values: np.ndarray, bit_of: Mapping[str, int]) -> np.ndarray:
    """`values` with the bits of an evidence file as bits of BIT_OF."""
    translated = np.zeros_like(values)
    for name, bit in bit_of.items():
        translated |= np.where(values >> np.uint32(bit) & 1 == 1, BIT_OF[name], np.uint32(0))
    return translated


def _no_kind(insufficient: np.ndarray, bit_of: Mapping[str, int]) -> np.ndarray:
    """True where no type of the darks, or no type of the flats, could be classified."""
    # A halo is no defect of the pixel itself.
    of_kind = {kind: [n for n in bit_of if PIXEL_TYPES[n].kind == kind and n != HALO_TYPE] for kind in (DARK, FLAT)}
    kinds = [_bits(names) for names in of_kind.values()]
    return np.logical_or.reduce([(insufficient & kind == kind) for kind in kinds if kind])


def agreed_pixels(earlier: EarlierMasks, min_masks: int, table: Mapping[str, TypeFlags]) -> KnownPixels:
    """The KnownPixels that all earlier masks flag, at least `min_masks`, with their flags in any of these masks."""
    words = Words.of_flags(table)
    y, x = np.nonzero(earlier.agreed(min_masks))
    texts = flag_texts(earlier.flags[y, x]).astype(object)
    left_out = f" (left out: {', '.join(earlier.left_out)})" if earlier.left_out else ""
    return KnownPixels(x, y, words.types_of_texts(texts), texts, f"{earlier.number} earlier masks{left_out}")


def check_table(checked: Checked, rows: pd.DataFrame) -> pd.DataFrame:
    """A row per known pixel: `known_as`, `state`, `own_type`, and the columns of `pixel_rows`; lost pixels first."""
    order = np.argsort([STATES.index(state) if state != LOST else -1 for state in checked.state], kind="stable")
    table = rows.copy()
    table.insert(2, "known_as", checked.known.known_as)
    table.insert(3, "state", checked.state)
    table.insert(4, "own_type", checked.own_type)
    return table.iloc[order].reset_index(drop=True)
