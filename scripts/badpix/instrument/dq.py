"""JWST data quality flags by name.

The values are those of the JWST pipeline (`stdatamodels.jwst.datamodels.dqflags`); they are repeated here because
that import takes more than a second and every job of the workflow needs a few of them. A test compares the two.
"""

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

GROUP_FLAGS = {name: PIXEL_FLAGS[name] for name in ("DO_NOT_USE", "SATURATED", "JUMP_DET")}


def bits(names):
    """OR of the pixel flags `names` as an int; a name that is no flag raises KeyError."""
    value = 0
    for name in names:
        value |= PIXEL_FLAGS[name]
    return value


def add_bits(image, bits, where):
    """Set `bits` in the uint32 array `image`, in place, where the boolean array `where` is True."""
    np.bitwise_or(image, np.uint32(bits), out=image, where=where)


def count_flags(dq):
    """Number of pixels with each DQ flag that occurs in `dq` (uint32), by mnemonic, in the order of the bits."""
    # Few values occur in millions of pixels.
    values, numbers = np.unique(dq[dq != 0], return_counts=True)
    counts = {name: int(numbers[values & np.uint32(bit) != 0].sum()) for name, bit in PIXEL_FLAGS.items()}
    return {name: count for name, count in counts.items() if count}


def flag_text(dq):
    """The flags of one DQ value in words, `good` if there are none: in the order of the bits, DO_NOT_USE last."""
    return flags_in_words(name for name, bit in PIXEL_FLAGS.items() if int(dq) & bit) or GOOD


def flags_in_words(names):
    """Flags as one text, in the order given but for DO_NOT_USE, which comes last."""
    return "+".join(sorted(names, key="DO_NOT_USE".__eq__))


def flag_texts(dq):
    """`flag_text` of each value of `dq` (uint32, one axis), as an array of texts."""
    values, place = np.unique(dq, return_inverse=True)
    return np.array([flag_text(value) for value in values], dtype=str)[place] if len(values) else np.array([], str)
