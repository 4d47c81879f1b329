"""Flags are OR-ed; HOT wins over DEAD; DO_NOT_USE follows the lists."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from badpix.instrument.dq import PIXEL_FLAGS, bits, count_flags
from badpix.mask.flags import combine, flags_by_type

DEFAULT_FLAGS = {"hot": ["HOT"], "rc": ["RC"], "low_pedestal": ["OTHER_BAD_PIXEL"], "high_cr": ["TELEGRAPH"]}
DARK_DNU = ["hot", "rc", "low_pedestal", "high_cr"]
TYPES = ("hot", "rc", "low_pedestal", "high_cr", "noisy", "DEAD", "LOW_QE", "OPEN", "ADJ_OPEN")


def flags_of_a_pixel(types, table, manual=(), flat_do_not_use=()):
    """The mnemonics of a pixel found as `types`."""
    found = {name: np.array([[name in types]]) for name in TYPES}
    dq = combine(found, table, np.array([[False]]), np.array([[bits(manual)]], np.uint32), flat_do_not_use)
    return {name for name, bit in PIXEL_FLAGS.items() if int(dq[0, 0]) & bit}


def test_bits_are_those_of_the_pipeline():
    from stdatamodels.jwst.datamodels import dqflags

    assert {name: value for name, value in dqflags.pixel.items() if value} == PIXEL_FLAGS
    assert {name: dqflags.group[name] for name in ("DO_NOT_USE", "SATURATED", "JUMP_DET")} == {
        name: PIXEL_FLAGS[name] for name in ("DO_NOT_USE", "SATURATED", "JUMP_DET")
    }


@pytest.mark.parametrize(
    ("types", "flags"),
    [
        ((), set()),
        (("hot",), {"HOT", "DO_NOT_USE"}),
        (("rc", "high_cr"), {"RC", "TELEGRAPH", "DO_NOT_USE"}),
        (("low_pedestal",), {"OTHER_BAD_PIXEL", "DO_NOT_USE"}),
        (("noisy",), {"TELEGRAPH", "DO_NOT_USE"}),  # as high_cr, because flag_values has no entry for noisy
        (("DEAD",), {"DEAD"}),
        (("LOW_QE", "ADJ_OPEN"), {"LOW_QE", "ADJ_OPEN"}),
        (("hot", "DEAD"), {"HOT", "DO_NOT_USE"}),
        (("rc", "DEAD"), {"RC", "DEAD", "DO_NOT_USE"}),
    ],
)
def test_official_defaults(types, flags):
    assert flags_of_a_pixel(types, flags_by_type(DEFAULT_FLAGS, DARK_DNU, [])) == flags


def test_flat_do_not_use_goes_with_its_types_only():
    table = flags_by_type(DEFAULT_FLAGS, [], ["DEAD", "OPEN"])
    assert flags_of_a_pixel(("DEAD",), table) == {"DEAD", "DO_NOT_USE"}
    assert flags_of_a_pixel(("LOW_QE",), table) == {"LOW_QE"}
    assert flags_of_a_pixel(("hot",), table) == {"HOT"}


def test_do_not_use_of_a_withdrawn_dead_goes_with_it():
    table = flags_by_type(DEFAULT_FLAGS, [], ["DEAD"])
    assert flags_of_a_pixel(("hot", "DEAD"), table) == {"HOT"}
    assert flags_of_a_pixel(("hot", "DEAD", "rc"), table) == {"HOT", "RC"}


def test_noisy_has_its_own_flag_when_given():
    table = flags_by_type(DEFAULT_FLAGS | {"noisy": ["UNRELIABLE_SLOPE"]}, DARK_DNU, [])
    assert flags_of_a_pixel(("noisy",), table) == {"UNRELIABLE_SLOPE"}
    table = flags_by_type(DEFAULT_FLAGS | {"noisy": ["UNRELIABLE_SLOPE"]}, [*DARK_DNU, "noisy"], [])
    assert flags_of_a_pixel(("noisy",), table) == {"UNRELIABLE_SLOPE", "DO_NOT_USE"}


def test_a_type_with_several_flags():
    table = flags_by_type(DEFAULT_FLAGS | {"hot": ["HOT", "WARM"]}, [], [])
    assert flags_of_a_pixel(("hot",), table) == {"HOT", "WARM"}


def test_manual_flags_join_and_follow_flat_do_not_use():
    table = flags_by_type(DEFAULT_FLAGS, [], ["UNRELIABLE_SLOPE"])
    assert flags_of_a_pixel((), table, ["UNRELIABLE_SLOPE"], ["UNRELIABLE_SLOPE"]) == {"UNRELIABLE_SLOPE", "DO_NOT_USE"}
    assert flags_of_a_pixel(("rc",), table, ["OPEN"], ["UNRELIABLE_SLOPE"]) == {"RC", "OPEN"}


@pytest.mark.parametrize(("types", "manual"), [(("hot",), ["DEAD"]), (("DEAD",), ["HOT"]), ((), ["HOT", "DEAD"])])
def test_hot_wins_over_dead_from_types_and_manual_flags(types, manual):
    table = flags_by_type(DEFAULT_FLAGS, [], ["DEAD"])
    assert flags_of_a_pixel(types, table, manual, ["DEAD"]) == {"HOT"}


def test_reference_pixels_are_flagged_and_nothing_is_mutated():
    found = {"hot": np.array([[True, False]])}
    manual = np.array([[1024, 0]], np.uint32)
    before = manual.copy()
    dq = combine(found, flags_by_type(DEFAULT_FLAGS, [], []), np.array([[False, True]]), manual)
    assert dq.dtype == np.uint32
    assert dq.tolist() == [[2048, 2**31]]
    assert (manual == before).all()


@given(hnp.arrays(bool, (len(TYPES), 3, 4)), st.sets(st.sampled_from(DARK_DNU)), st.permutations(TYPES))
def test_properties(images, dark_do_not_use, order):
    table = flags_by_type(DEFAULT_FLAGS, dark_do_not_use, ["OPEN"])
    found = dict(zip(TYPES, images, strict=True))
    reference_pixels = np.zeros((3, 4), bool)
    dq = combine(found, table, reference_pixels)
    assert (dq == combine({name: found[name] for name in order}, table, reference_pixels)).all(), (
        "the order has no effect"
    )
    assert not (dq & bits(["HOT"]) & np.where(dq & bits(["DEAD"]), 0xFFFFFFFF, 0)).any(), "HOT and DEAD together"
    for name in TYPES:
        expected = found[name] & ~found["hot"] if name == "DEAD" else found[name]
        assert ((dq[expected] & table[name].bits) == table[name].bits).all(), f"{name} lost a flag"
    allowed = np.bitwise_or.reduce([np.where(found[name], table[name].bits, 0) for name in TYPES])
    assert not (dq & ~allowed.astype(np.uint32)).any(), "a flag of no type"


def test_a_hot_pixel_keeps_the_further_flags_of_a_type_mapped_to_dead():
    table = flags_by_type(DEFAULT_FLAGS | {"rc": ["DEAD", "RC"]}, DARK_DNU, [])
    assert flags_of_a_pixel(("rc",), table) == {"DEAD", "RC", "DO_NOT_USE"}
    assert flags_of_a_pixel(("hot", "rc"), table) == {"HOT", "RC", "DO_NOT_USE"}


def test_count_flags():
    dq = np.array([[2048 | 1, 2048], [0, 2**31]], np.uint32)
    assert count_flags(dq) == {"DO_NOT_USE": 1, "HOT": 2, "REFERENCE_PIXEL": 1}


def test_each_pixel_of_the_same_value_is_counted():
    dq = np.full((3, 4), PIXEL_FLAGS["HOT"] | PIXEL_FLAGS["DO_NOT_USE"], np.uint32)
    dq[0] = PIXEL_FLAGS["DEAD"]
    dq[1, 0] = 0
    assert count_flags(dq) == {"DO_NOT_USE": 7, "DEAD": 4, "HOT": 7}
