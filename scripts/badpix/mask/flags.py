"""The DQ image of a mask from the pixels found of each type; flags are combined by bitwise OR."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from badpix.formats.pixel_types import DARK, FLAT, PIXEL_TYPES
from badpix.instrument.dq import PIXEL_FLAGS, add_bits, bits

DO_NOT_USE = PIXEL_FLAGS["DO_NOT_USE"]


@dataclass(frozen=True)
class TypeFlags:
    """The DQ flags of a type of bad pixel in the mask: their mnemonics, and whether DO_NOT_USE is added."""

    flags: tuple[str, ...]
    do_not_use: bool

    @property
    def bits(self) -> int:
        """The DQ bits."""
        return bits(self.flags) | (DO_NOT_USE if self.do_not_use else 0)


def flags_by_type(
    flag_values: Mapping[str, Sequence[str]], dark_do_not_use: Sequence[str], flat_do_not_use: Sequence[str]
) -> dict[str, TypeFlags]:
    """Map every dark and flat type to its TypeFlags.

    `flag_values` maps types to mnemonics that replace the flags in PIXEL_TYPES. A type without mnemonics gets all flags
    of the type that PIXEL_TYPES names (`flagged_as`), DO_NOT_USE included.
    """
    do_not_use = {DARK: dark_do_not_use, FLAT: flat_do_not_use}
    table: dict[str, TypeFlags] = {}
    for name, pixel_type in PIXEL_TYPES.items():
        own = name in do_not_use[pixel_type.kind]
        if pixel_type.flagged_as and name not in flag_values:
            model = table[pixel_type.flagged_as]
            table[name] = TypeFlags(model.flags, model.do_not_use or own)
        else:
            table[name] = TypeFlags(tuple(flag_values.get(name, pixel_type.flags)), own)
    return table


def manual_bits(manual: np.ndarray, flat_do_not_use: Iterable[str]) -> np.ndarray:
    """The manual flags, uint32 (y, x), with DO_NOT_USE added to pixels that have a flag in `flat_do_not_use`."""
    rejected = (manual & np.uint32(bits(flat_do_not_use))) != 0
    return manual | np.where(rejected, np.uint32(DO_NOT_USE), np.uint32(0))


def combine(
    found: Mapping[str, np.ndarray],
    table: Mapping[str, TypeFlags],
    reference_pixels: np.ndarray,
    manual: np.ndarray | None = None,
    flat_do_not_use: Iterable[str] = (),
) -> np.ndarray:
    """The DQ image of the mask.

    A pixel that is HOT and DEAD keeps HOT and loses DEAD, also where one of the two is a manual flag. DO_NOT_USE that
    comes from DEAD alone is lost with it.

    Parameters
    ----------
    found : mapping of str to bool array (y, x)
        The pixels found of each type.
    table : mapping of str to TypeFlags
        The flags of each type, from `flags_by_type`.
    reference_pixels : bool array (y, x)
        The pixels that get REFERENCE_PIXEL.
    manual : uint32 array (y, x), optional
        Manual flags.
    flat_do_not_use : iterable of str
        Mnemonics of manual flags that DO_NOT_USE is added to.

    Returns
    -------
    uint32 array (y, x)
    """
    hot, dead = np.uint32(PIXEL_FLAGS["HOT"]), np.uint32(PIXEL_FLAGS["DEAD"])
    manual = np.zeros(reference_pixels.shape, np.uint32) if manual is None else manual
    is_hot = np.logical_or.reduce([manual & hot != 0, *(found[name] for name in found if table[name].bits & hot)])
    dq = manual_bits(np.where(is_hot, manual & ~dead, manual), flat_do_not_use).astype(np.uint32)
    for name, where in found.items():
        own = np.uint32(table[name].bits)
        if own & dead:
            # A dark type may be mapped to DEAD and further flags, which stay; a type that is only DEAD is withdrawn.
            withdrawn = np.uint32(0) if set(table[name].flags) == {"DEAD"} else own & ~dead
            add_bits(dq, withdrawn, where & is_hot)
            where = where & ~is_hot
        add_bits(dq, own, where)
    add_bits(dq, np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"]), reference_pixels)
    return dq
