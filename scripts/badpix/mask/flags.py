"""From types of bad pixel to the DQ image of the mask: flags are OR-ed, nothing is added, nothing mutated."""

from dataclasses import dataclass

import numpy as np

from badpix.instrument.dq import PIXEL_FLAGS, add_bits, bits
from badpix.vote.flat_types import FLAT_TYPES

DO_NOT_USE = PIXEL_FLAGS["DO_NOT_USE"]

# Flags of the types that the specification does not know; it calls both kinds of RC pixel RC.
FLAGS_BEYOND = {"warm": ("WARM",), "inverse_rc": ("RC",)}


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

    Noisy pixels are flagged by `flag_values['noisy']` if given; else wholly as `high_cr`, DO_NOT_USE included.
    """
    table = {}
    for name in ("hot", "rc", "low_pedestal", "high_cr", "warm", "inverse_rc"):
        flags = flag_values.get(name, FLAGS_BEYOND.get(name, ()))
        table[name] = TypeFlags(tuple(flags), name in dark_do_not_use)
    if "noisy" in flag_values:
        table["noisy"] = TypeFlags(tuple(flag_values["noisy"]), "noisy" in dark_do_not_use)
    else:
        high_cr = table["high_cr"]
        table["noisy"] = TypeFlags(high_cr.flags, high_cr.do_not_use or "noisy" in dark_do_not_use)
    for name in FLAT_TYPES:
        table[name] = TypeFlags((name,), name in flat_do_not_use)
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
