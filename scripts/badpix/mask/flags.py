"""From types of bad pixel to the DQ image of the mask: flags are OR-ed, nothing is added, nothing mutated."""

from dataclasses import dataclass

import numpy as np

from badpix.formats.pixel_types import DARK, FLAT, PIXEL_TYPES
from badpix.instrument.dq import PIXEL_FLAGS, add_bits, bits

DO_NOT_USE = PIXEL_FLAGS["DO_NOT_USE"]


@dataclass(frozen=True)
class TypeFlags:
    """What a type of bad pixel writes into the mask: its DQ flag mnemonics and whether DO_NOT_USE goes with them."""

    flags: tuple
    do_not_use: bool

    @property
    def bits(self):
        """The DQ bits as an int."""
        return bits(self.flags) | (DO_NOT_USE if self.do_not_use else 0)


def flags_by_type(flag_values, dark_do_not_use, flat_do_not_use):
    """Map every dark and flat type to its TypeFlags.

    `flag_values` maps types to mnemonics in place of those of PIXEL_TYPES. A type without mnemonics is flagged
    wholly as the type that PIXEL_TYPES names, DO_NOT_USE included.
    """
    do_not_use = {DARK: dark_do_not_use, FLAT: flat_do_not_use}
    table = {}
    for name, pixel_type in PIXEL_TYPES.items():
        own = name in do_not_use[pixel_type.kind]
        if pixel_type.flagged_as and name not in flag_values:
            model = table[pixel_type.flagged_as]
            table[name] = TypeFlags(model.flags, model.do_not_use or own)
        else:
            table[name] = TypeFlags(tuple(flag_values.get(name, pixel_type.flags)), own)
    return table


def manual_bits(manual, flat_do_not_use):
    """The manual flags (uint32 image) with DO_NOT_USE added where one of them is in `flat_do_not_use`."""
    rejected = (manual & np.uint32(bits(flat_do_not_use))) != 0
    return manual | np.where(rejected, np.uint32(DO_NOT_USE), np.uint32(0))


def combine(found, table, reference_pixels, manual=None, flat_do_not_use=()):
    """The DQ image of the mask, uint32 (y, x).

    `found` maps types to boolean images, `table` is that of `flags_by_type`, `reference_pixels` a boolean image and
    `manual` a uint32 image of manual flags. A pixel that is HOT and DEAD keeps HOT and loses DEAD, whoever said it,
    and with DEAD the DO_NOT_USE that DEAD alone gave it.
    """
    hot, dead = np.uint32(PIXEL_FLAGS["HOT"]), np.uint32(PIXEL_FLAGS["DEAD"])
    manual = np.zeros(reference_pixels.shape, np.uint32) if manual is None else manual
    is_hot = np.logical_or.reduce([manual & hot != 0, *(found[name] for name in found if table[name].bits & hot)])
    dq = manual_bits(np.where(is_hot, manual & ~dead, manual), flat_do_not_use).astype(np.uint32)
    for name, where in found.items():
        own = np.uint32(table[name].bits)
        if own & dead:
            # A dark type may be mapped to DEAD among other flags; one that is DEAD and nothing else is withdrawn.
            withdrawn = np.uint32(0) if set(table[name].flags) == {"DEAD"} else own & ~dead
            add_bits(dq, withdrawn, where & is_hot)
            where = where & ~is_hot
        add_bits(dq, own, where)
    add_bits(dq, np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"]), reference_pixels)
    return dq
