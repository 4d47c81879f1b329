"""Read the DQ image of a MASK file with the rules of dq_init, and state what these rules drop or assume.

The datamodels translate DQ with the table DQ_DEF by mnemonic (`stdatamodels.dynamicdq.dynamic_mask`). Without rows in
DQ_DEF the bits are those of the pipeline.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.errors import ProductError
from badpix.formats.product_file import check_datasum
from badpix.instrument import irs2
from badpix.instrument.dq import PIXEL_FLAGS

ALL_BITS = 0xFFFFFFFF
COLUMNS = ("VALUE", "NAME")


@dataclass(frozen=True)
class MaskDq:
    """`dq`: uint32 (y, x) in the pipeline's bits. `notes`: what was assumed or dropped to read it."""

    dq: np.ndarray
    notes: tuple[str, ...]


def read_dq(path: str | Path) -> MaskDq:
    """The MaskDq of a MASK file, translated with its own DQ_DEF as MaskModel does; without interleaved rows of IRS2.

    ProductError if the data changed after they were written, or if DQ holds no flags of 32 bits.
    """
    with fits.open(path) as hdus:
        if "DQ" not in hdus:
            raise ProductError(f"{path}: no extension DQ")
        definition: Sequence = []
        for name in ("DQ", "DQ_DEF"):
            if name in hdus:
                check_datasum(hdus, name)
        if "DQ_DEF" in hdus and (rows := hdus["DQ_DEF"].data) is not None:
            definition = rows
            missing = [name for name in COLUMNS if name not in (getattr(rows, "names", None) or ())]
            if missing:
                raise ProductError(f"{path}: DQ_DEF has no column {', '.join(missing)}")
        dq, notes = in_pipeline_bits(flag_image(hdus["DQ"].data, f"{path}: DQ"), definition, str(path))
        detector = hdus[0].header.get("DETECTOR")
    return MaskDq(irs2.take_science(dq, detector) if dq.shape[0] == irs2.RAW_ROWS else dq, notes)


def flag_image(data: np.ndarray | None, what: str) -> np.ndarray:
    """The image `data` (y, x) of integers as uint32; ProductError, with `what` it is, if its values are no 32 bits."""
    if data is None or data.ndim != 2:
        shape = "no data" if data is None else f"{data.ndim} axes"
        raise ProductError(f"{what} has {shape}; it must be an image (y, x)")
    if data.dtype.kind not in "iu":
        raise ProductError(
            f"{what} holds numbers of type {data.dtype.newbyteorder('=').name}, not flags; it must hold integers"
        )
    # 32-bit integers with a sign have the same bits.
    signed = data.dtype.kind == "i" and data.dtype.itemsize == 4
    low, high = (int(data.min()), int(data.max())) if data.size else (0, 0)
    if (low < 0 and not signed) or high > ALL_BITS:
        raise ProductError(f"{what} has values from {low} to {high}; flags are from 0 to {ALL_BITS}")
    return data.astype(np.uint32)


def in_pipeline_bits(
    dq: np.ndarray, definition: Sequence | np.ndarray, path: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """`dq`, uint32 (y, x), in the pipeline's bits, translated as by MaskModel, and notes about `path`.

    `definition` are the rows of a DQ_DEF; without rows the bits are those of the pipeline already. Flags that the
    pipeline does not have, and bits without definition, are dropped.
    """
    if not len(definition):
        note = f"{path} has no DQ_DEF: its bits are read as those of the pipeline, as in dq_init"
        return dq, (note,) if dq.any() else ()
    notes: list[str] = []
    values: dict[str, list[int]] = defaultdict(list)
    names: dict[int, list[str]] = defaultdict(list)
    translated, defined = np.zeros_like(dq), 0
    for row in definition:
        # A table may hold VALUE with a sign.
        name, value = str(row["NAME"]).strip(), int(row["VALUE"]) & ALL_BITS
        having = dq & np.uint32(value) != 0
        defined |= value
        values[name].append(value)
        names[value].append(name)
        if value.bit_count() != 1:
            notes.append(f"DQ_DEF of {path}: {name} has the VALUE {value}, not a single bit; any of its bits sets it")
        if name in PIXEL_FLAGS:
            translated[having] |= np.uint32(PIXEL_FLAGS[name])
        else:
            notes.append(
                f"{path}: the pipeline has no flag {name}, so it is left out of {np.count_nonzero(having)} pixels, as"
                " in dq_init"
            )
    notes += [
        f"DQ_DEF of {path} has the value {value} for {' and '.join(given)}: its pixels have all of them, as in dq_init"
        for value, given in names.items()
        if len(given) > 1
    ]
    notes += [
        f"DQ_DEF of {path} has {name} with the values {' and '.join(map(str, given))}: each sets it, as in dq_init"
        for name, given in values.items()
        if len(given) > 1
    ]
    lost = dq & np.uint32(~defined & ALL_BITS)
    if n_lost := np.count_nonzero(lost):
        bits = [number for number in range(32) if int(np.bitwise_or.reduce(lost, axis=None)) >> number & 1]
        notes.append(
            f"{path}: {n_lost} pixels have bits that DQ_DEF does not define ({', '.join(map(str, bits))}); these bits"
            " are left out, as in dq_init"
        )
    return translated, tuple(notes)
