"""The independent evaluation that masks are compared with: the vote and the flags, on arrays worked out by hand."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest

from oracle import combine, decide
from oracle.vote import DEFAULTS


@pytest.mark.parametrize(
    ("fraction", "n_valid", "needed"),
    [
        (0.5, 1, 1),  # 0.5 -> 1
        (0.5, 4, 2),  # half is enough
        (0.5, 5, 3),  # 2.5 -> 3
        (0.8, 5, 4),
        (0.8, 8, 7),  # 6.4 -> 7
        (0.55, 100, 55),  # 55.00000000000001 in floating point: still 55
        (0.0, 5, 1),  # a positive vote is always needed
        (1.0, 5, 5),
    ],
)
def test_decide(fraction, n_valid, needed):
    assert not decide(needed - 1, n_valid, fraction, 1)
    assert decide(needed, n_valid, fraction, 1)
    assert decide(needed + 1, n_valid, fraction, 1)


def test_decide_is_exact_for_every_percentage():
    for percent in range(1, 101):
        for n in range(1, 121):
            needed = ceil(Fraction(percent, 100) * n)
            assert decide(np.array([needed - 1, needed]), n, percent / 100, 1).tolist() == [False, True]


def test_decide_needs_enough_valid_votes():
    assert decide([0, 1, 2, 3], [0, 1, 2, 3], 0.5, 3).tolist() == [False, False, False, True]


def test_combine():
    names = ("hot", "rc", "low_pedestal", "high_cr", "noisy", "DEAD", "LOW_QE", "OPEN", "ADJ_OPEN")
    # Pixel i is of type i alone; the last two are HOT and DEAD, and a reference pixel.
    types = {name: np.arange(11)[None] == i for i, name in enumerate(names)}
    types["hot"][0, 9] = types["DEAD"][0, 9] = True
    reference = np.arange(11)[None] == 10
    dq = combine(types, {}, reference)
    assert dq.dtype == np.uint32
    expected = [2049, 16385, 2**30 + 1, 32769, 32769, 1024, 8192, 2**26, 2**27, 2049, 2**31]
    assert dq[0].tolist() == expected

    # DO_NOT_USE for some others. HOT without it does not keep what DEAD would have brought.
    cfg = {"dark_do_not_use": ["rc"], "flat_do_not_use": ["DEAD", "OPEN"]}
    expected = [2048, 16385, 2**30, 32768, 32768, 1025, 8192, 2**26 + 1, 2**27, 2048, 2**31]
    assert combine(types, cfg, reference)[0].tolist() == expected

    # A flag of its own for noisy, which then needs its own DO_NOT_USE.
    cfg = {"flag_values": {**DEFAULTS["flag_values"], "noisy": ["OTHER_BAD_PIXEL", "WARM"]}}
    assert combine(types, cfg, reference)[0, 4] == 2**30 + 4096
    cfg["dark_do_not_use"] = ["noisy"]
    assert combine(types, cfg, reference)[0, 3:5].tolist() == [32768, 2**30 + 4096 + 1]


def test_combine_hot_and_dead_and_more():
    # A pixel that is HOT, DEAD and OPEN: DO_NOT_USE from OPEN stays.
    yes = np.ones((1, 1), dtype=bool)
    cfg = {"dark_do_not_use": [], "flat_do_not_use": ["DEAD", "OPEN"]}
    assert combine({"hot": yes, "DEAD": yes, "OPEN": yes}, cfg, ~yes)[0, 0] == 2048 + 2**26 + 1
    # What counts is the flag, not the type's name.
    cfg["flag_values"] = {"hot": ["OTHER_BAD_PIXEL"]}
    assert combine({"hot": yes, "DEAD": yes}, cfg, ~yes)[0, 0] == 2**30 + 1024 + 1


def test_combine_with_darks_or_flats_alone():
    image = np.array([[True, False]])
    assert combine({"hot": image}, {}, ~image)[0].tolist() == [2049, 2**31]
    assert combine({"LOW_QE": image}, {}, ~image)[0].tolist() == [8192, 2**31]
