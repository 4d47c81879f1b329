"""JWST data quality flags by name.

The values are copied from the JWST pipeline (`stdatamodels.jwst.datamodels.dqflags`), whose import would take every job
more than a second. A test compares the copy with the original.
"""

from collections.abc import Iterable

import numpy as np

GOOD = "good"

PIXEL_FLAGS = {
    "DO_NOT_USE": 1 << 0,
    "SATURATED": 1 << 1,
    "JUMP_DET": 1 << 2,
    "DROPOUT": 1 << 3,
    "OUTLIER": 1 << 4,
    "PERSISTENCE": 1 << 5,
    "AD_FLOOR": 1 << 6,
    "CHARGELOSS": 1 << 7,
    "RESERVED": 1 << 8,
    "NON_SCIENCE": 1 << 9,
    "DEAD": 1 << 10,
    "HOT": 1 << 11,
    "WARM": 1 << 12,
    "LOW_QE": 1 << 13,
    "RC": 1 << 14,
    "TELEGRAPH": 1 << 15,
    "NONLINEAR": 1 << 16,
    "BAD_REF_PIXEL": 1 << 17,
    "NO_FLAT_FIELD": 1 << 18,
    "NO_GAIN_VALUE": 1 << 19,
    "NO_LIN_CORR": 1 << 20,
    "NO_SAT_CHECK": 1 << 21,
    "UNRELIABLE_BIAS": 1 << 22,
    "UNRELIABLE_DARK": 1 << 23,
    "UNRELIABLE_SLOPE": 1 << 24,
    "UNRELIABLE_FLAT": 1 << 25,
    "OPEN": 1 << 26,
    "ADJ_OPEN": 1 << 27,
    "FLUX_ESTIMATED": 1 << 28,
    "MSA_FAILED_OPEN": 1 << 29,
    "OTHER_BAD_PIXEL": 1 << 30,
    "REFERENCE_PIXEL": 1 << 31,
}

# Set by steps of the pipeline for events of an exposure; a bad pixel of the detector has none of them.
EXPOSURE_FLAGS = (
    "SATURATED", "JUMP_DET", "DROPOUT", "OUTLIER", "PERSISTENCE", "AD_FLOOR", "CHARGELOSS", "RESERVED",
    "FLUX_ESTIMATED", "MSA_FAILED_OPEN",
)  # fmt: skip
MASK_FLAGS = tuple(name for name in PIXEL_FLAGS if name not in EXPOSURE_FLAGS)

GROUP_FLAGS = {name: PIXEL_FLAGS[name] for name in ("DO_NOT_USE", "SATURATED", "JUMP_DET")}


def bits(names: Iterable[str]) -> int:
    """Bitwise OR of the pixel flags `names`; an unknown name raises KeyError."""
    value = 0
    for name in names:
        value |= PIXEL_FLAGS[name]
    return value


def add_bits(image: np.ndarray, bits: int | np.integer, where: np.ndarray) -> None:
    """Set `bits` in the uint32 array `image`, in place, where the boolean array `where` is True."""
    np.bitwise_or(image, np.uint32(bits), out=image, where=where)


def count_flags(dq: np.ndarray) -> dict[str, int]:
    """Number of pixels with each DQ flag that occurs in `dq` (uint32), by mnemonic, in the order of the bits."""
    # Millions of pixels have few different values.
    values, n_pixels = np.unique(dq[dq != 0], return_counts=True)
    counts = {name: int(n_pixels[values & np.uint32(bit) != 0].sum()) for name, bit in PIXEL_FLAGS.items()}
    return {name: count for name, count in counts.items() if count}


def flag_text(dq: int | np.integer) -> str:
    """The flags of a DQ value as text, `good` if there are none: in the order of the bits, DO_NOT_USE last."""
    return flags_in_words(name for name, bit in PIXEL_FLAGS.items() if int(dq) & bit) or GOOD


def flags_in_words(names: Iterable[str]) -> str:
    """The flags `names` as text, joined by `+` in the given order, except DO_NOT_USE, which is last."""
    return "+".join(sorted(names, key="DO_NOT_USE".__eq__))


def flag_texts(dq: np.ndarray) -> np.ndarray:
    """`flag_text` of each value of `dq` (uint32, one axis), as an array of texts."""
    values, index = np.unique(dq, return_inverse=True)
    return np.array([flag_text(value) for value in values], dtype=str)[index] if len(values) else np.array([], str)
