"""Tables of manual flags, on arrays small enough to see."""

import os
from pathlib import Path

import numpy as np
import pytest

from badpix.instrument.detectors import load_detectors
from badpix.instrument.dq import PIXEL_FLAGS, bits
from badpix.mask.manual_flags import ManualFlagError, check_manual_flags, parse_manual_flags

CONFIG = Path(__file__).resolve().parents[3] / "config"
SHAPE = (3, 5)  # rows, columns
HOT, DEAD, RC = PIXEL_FLAGS["HOT"], PIXEL_FLAGS["DEAD"], PIXEL_FLAGS["RC"]


def parse(text, **options):
    return parse_manual_flags(text, SHAPE, "table.txt", **options)


def test_a_pixel_is_column_x_and_row_y():
    flags = parse("4 1 HOT\n")
    assert flags.dtype == np.uint32 and flags.shape == SHAPE
    expected = np.zeros(SHAPE, int)
    expected[1, 4] = HOT
    np.testing.assert_array_equal(flags, expected)


@pytest.mark.parametrize(
    ("x", "columns"),
    [("0", [0]), ("1:3", [1, 2, 3]), ("3:3", [3]), ("3:", [3, 4]), (":1", [0, 1]), (":", [0, 1, 2, 3, 4])],
)
def test_ranges_include_both_ends(x, columns):
    flags = parse(f"{x} 2 HOT")
    assert np.flatnonzero(flags[2]).tolist() == columns
    assert not flags[:2].any()


def test_ranges_of_rows():
    assert np.flatnonzero(parse("0 1: HOT")[:, 0]).tolist() == [1, 2]
    assert np.flatnonzero(parse("0 :1 HOT")[:, 0]).tolist() == [0, 1]


def test_flags_of_a_row_and_of_several_rows_are_ored():
    flags = parse("1 1 hot Dead\n1 : RC\n1 1 HOT\n")
    assert flags[1, 1] == HOT | DEAD | RC
    assert flags[0, 1] == RC


def test_the_highest_bit_is_kept():
    assert parse("0 0 reference_pixel")[0, 0] == 2**31


def test_comments_blank_lines_and_the_heading_have_no_effect():
    text = "\ufeff# a comment\n\n  x  Y  flag\r\n2 0 HOT # the only row\n   # 3 0 HOT\n"
    assert np.argwhere(parse(text)).tolist() == [[0, 2]]
    assert not parse("").any()


def test_a_heading_after_the_first_row_is_an_error():
    with pytest.raises(ManualFlagError, match="line 2"):
        parse("1 1 HOT\nx y flag\n")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1 1", "not a row"),
        ("5 0 HOT", r"x = 5 is outside the detector's 0:4"),
        ("0 3 HOT", r"y = 3 is outside the detector's 0:2"),
        ("3:9 0 HOT", "x = 3:9 is outside"),
        ("9: 0 HOT", "x = 9: is outside"),
        ("3:1 0 HOT", "x = 3:1 ends before it begins"),
        ("-1 0 HOT", "x is '-1', neither"),
        ("1.0 0 HOT", "x is '1.0', neither"),
        ("1:2:3 0 HOT", "neither a number nor a range"),
        ("0 ٣ HOT", "y is '٣', neither"),
        ("0 0 HOTT", "unknown flag 'HOTT'; did you mean HOT"),
        ("0 0 2048", "unknown flag '2048'"),
        ("0 0 jump_det", "'jump_det' is a flag of exposures, not of bad pixels; allowed are DO_NOT_USE, NON_SCIENCE"),
        ("0,0,HOT", "not a row"),
    ],
)
def test_a_faulty_row_is_named_with_file_line_and_reason(row, reason):
    with pytest.raises(ManualFlagError, match=f"table.txt, line 2: .*{reason}"):
        parse(f"# heading\n{row}\n")


def test_every_problem_is_listed():
    with pytest.raises(ManualFlagError) as caught:
        parse("9 9 COLD\n1 1 HOT\n1\n")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["table.txt, line 1", "table.txt, line 3"]
    assert all(part in lines[0] for part in ("x = 9", "y = 9", "COLD"))


def test_a_subarray_takes_its_part_of_a_full_frame_table():
    text = "10 20 HOT\n14 22 DEAD\n9 20 RC\n15 20 RC\n10 19 RC\n10 23 RC\n0 0 RC\n: 21 OPEN\n12: : WARM\n"
    flags = parse(text, origin=(10, 20), full_shape=(100, 200))
    expected = np.zeros(SHAPE, np.uint32)
    expected[0, 0] |= HOT
    expected[2, 4] |= DEAD
    expected[1] |= PIXEL_FLAGS["OPEN"]
    expected[:, 2:] |= PIXEL_FLAGS["WARM"]
    np.testing.assert_array_equal(flags, expected)


def test_the_flags_of_a_subarray_are_a_cut_of_the_full_frame():
    text = "3:40 2 HOT\n: 5:9 DEAD\n17 : RC\n7:8 :6 OPEN\n"
    full = parse_manual_flags(text, (20, 50), "t")
    for x0, y0, rows, columns in [(0, 0, 20, 50), (5, 3, 4, 9), (41, 15, 5, 9), (16, 4, 3, 2)]:
        part = parse_manual_flags(text, (rows, columns), "t", origin=(x0, y0), full_shape=(20, 50))
        np.testing.assert_array_equal(part, full[y0 : y0 + rows, x0 : x0 + columns])


def test_rows_beyond_the_full_frame_are_errors_for_a_subarray_too():
    with pytest.raises(ManualFlagError, match="x = 200 is outside the detector's 0:199"):
        parse("200 0 HOT", origin=(10, 20), full_shape=(100, 200))


@pytest.mark.parametrize("name", sorted(load_detectors(CONFIG / "detectors")))
def test_the_shipped_tables(name):
    detector = load_detectors(CONFIG / "detectors")[name]
    path = CONFIG / "manual_flags" / detector.manual_flags
    flags = parse_manual_flags(path.read_text(encoding="utf-8"), (detector.n_rows, detector.n_columns), path.name)
    expected = np.zeros((detector.n_rows, detector.n_columns), np.uint32)
    if name == "MIRIMAGE":
        expected[:, 384:386] = bits(["UNRELIABLE_SLOPE"])
    np.testing.assert_array_equal(flags, expected)


def test_a_table_is_checked_against_its_detector(tmp_path):
    detector = load_detectors(CONFIG / "detectors")["MIRIMAGE"]
    table = tmp_path / "table.txt"
    table.write_text("1031 1023 HOT\n")
    check_manual_flags(table, detector)
    table.write_text("1032 0 HOT\n0 0 WRONG\n")
    with pytest.raises(ManualFlagError, match=r"table.txt, line 1: (.|\n)*table.txt, line 2: unknown flag 'WRONG'"):
        check_manual_flags(table, detector)
    table.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ManualFlagError, match="table.txt: not readable as a table of manual flags"):
        check_manual_flags(table, detector)
    with pytest.raises(ManualFlagError, match="absent.txt: not readable"):
        check_manual_flags(tmp_path / "absent.txt", detector)
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(ManualFlagError, match="pipe.txt: not readable .* is no regular file"):
        check_manual_flags(tmp_path / "pipe.txt", detector)
