"""Lists of known bad pixels as users give them: which pixels and types each format gives, and which are refused."""

import dataclasses
import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table

from badpix.delivery.pixel_lists import write_list
from badpix.formats.mask_file import dq_definition
from badpix.formats.pixel_table_file import write_parquet
from badpix.instrument.detectors import load_detectors
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import Geometry
from badpix.mask.flags import flags_by_type
from badpix.pixels.known_list import BIT_OF, KnownPixelError, Words, read_known_pixels

DETECTORS = load_detectors(Path(__file__).resolve().parents[3] / "config" / "detectors")
NIS = dataclasses.replace(DETECTORS["NIS"], n_columns=24, n_rows=20)
TABLE = flags_by_type({}, (), ())
PIXELS = {(3, 7): "hot", (11, 2): "rc", (23, 19): "DEAD"}


def read(path, detector=NIS):
    return read_known_pixels(path, detector, TABLE)


def found(known):
    """(x, y) -> types."""
    return {
        (int(x), int(y)): {name for name, bit in BIT_OF.items() if bits & bit}
        for x, y, bits in zip(known.x, known.y, known.types, strict=True)
    }


TYPED = {pixel: {name} for pixel, name in PIXELS.items()}
UNTYPED = dict.fromkeys(PIXELS, set())
FLAGGED = {(3, 7): {"hot"}, (11, 2): {"rc", "inverse_rc"}, (23, 19): {"DEAD"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# a comment\n3 7\n11 2  # another\n\n23 19\n3 7\n", UNTYPED),
        ("3 7 hot\n11\t2\trc\n23,19,dead\n", FLAGGED),
        ("3 7 HOT DO_NOT_USE\n11 2 RC\n23 19 DEAD\n", FLAGGED),
        ("x,y,types,flags,votes\n3,7,hot,HOT+DO_NOT_USE,1\n11,2,rc,RC,\n23,19,DEAD,DEAD,2\n", FLAGGED),
        ("\ufeffX;Y;Type\n3;7;hot\n11;2;other\n23;19;DEAD\n", FLAGGED | {(11, 2): set()}),
        ("flag y x\nHOT 7.0 3.0\nRC 2 11\nDEAD 19 23\n", FLAGGED),
        ("x y flag\n3 7 hot\n11 2 RC\n22:23 19 DEAD\n", FLAGGED | {(22, 19): {"DEAD"}}),
    ],
)
def test_text_tables(tmp_path, text, expected):
    (tmp_path / "list.txt").write_text(text, encoding="utf-8")
    assert found(read(tmp_path / "list.txt")) == expected


def test_tables_of_astropy_and_pandas(tmp_path):
    x, y = np.transpose(list(PIXELS))
    table = Table({"x": x, "y": y, "slope": [1.5, np.nan, 3.0], "types": list(PIXELS.values())})
    for name, form in (("a.ecsv", "ascii.ecsv"), ("a.csv", "ascii.csv"), ("a.txt", "ascii.commented_header")):
        table.write(tmp_path / name, format=form)
    # A heading that is a comment is none: its columns are x, y and types, as the rows have no others.
    with pytest.raises(KnownPixelError, match=r"a.txt, line 2: '1.5' is neither a type nor a flag of a mask"):
        read(tmp_path / "a.txt")
    frame = table.to_pandas()
    frame.to_parquet(tmp_path / "a.parquet")
    frame.astype({"x": float}).to_csv(tmp_path / "b.csv", index=False)
    frame.assign(types=frame["types"].astype("category")).to_parquet(tmp_path / "b.parquet")
    for name in ("a.ecsv", "a.csv", "b.csv", "a.parquet", "b.parquet"):
        assert found(read(tmp_path / name)) == FLAGGED, name


def test_a_list_of_a_delivery_is_moved_to_its_place_on_the_detector(tmp_path):
    image = np.zeros((6, 8), bool)
    image[2, 1] = image[5, 7] = True
    write_list(tmp_path / "hot.txt", "hot", image, Geometry("SUB8", 5, 3, 8, 6, 1, 2))
    assert found(read(tmp_path / "hot.txt")) == {(5, 4): {"hot"}, (11, 7): {"hot"}}
    write_list(tmp_path / "other.txt", "other", image, Geometry("FULL", 1, 1, 8, 6, 1, 2))
    assert found(read(tmp_path / "other.txt")) == {(1, 2): set(), (7, 5): set()}


def mask(path, dq, **header):
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(dq, name="DQ"), fits.BinTableHDU(dq_definition(dq), name="DQ_DEF")]
    hdus[0].header.update(header)
    fits.HDUList(hdus).writeto(path)
    return path


def test_masks_and_images(tmp_path):
    dq = np.full((6, 8), PIXEL_FLAGS["REFERENCE_PIXEL"], np.uint32)
    dq[1:, 1:] = 0
    dq[2, 1] = PIXEL_FLAGS["HOT"] | PIXEL_FLAGS["DO_NOT_USE"]
    dq[5, 7] = PIXEL_FLAGS["DO_NOT_USE"]
    placed = {"DETECTOR": "NIS", "SUBSTRT1": 5, "SUBSTRT2": 3}
    assert found(read(mask(tmp_path / "m.fits", dq, **placed))) == {(5, 4): {"hot"}, (11, 7): set()}
    listed = np.zeros((20, 24), np.int16)
    listed[7, 3] = 4
    content = tmp_path / "list.fits"
    fits.PrimaryHDU(listed).writeto(content)
    (tmp_path / "list.fits.gz").write_bytes(gzip.compress(content.read_bytes()))
    for name in ("list.fits", "list.fits.gz"):
        assert found(read(tmp_path / name)) == {(3, 7): set()}
    for problem, name, header in (
        ("DETECTOR is NRCA1, the list is given for NIS", "a.fits", placed | {"DETECTOR": "NRCA1"}),
        ("no SUBSTRT1: its place on the detector is not known", "b.fits", {}),
        ("has pixels outside the 24 x 20 pixels of NIS", "c.fits", placed | {"SUBSTRT1": 18}),
        ("has pixels outside the 24 x 20 pixels of NIS", "d.fits", placed | {"SUBSTRT2": 0}),
    ):
        with pytest.raises(KnownPixelError, match=problem):
            read(mask(tmp_path / name, dq, **header))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no pixels"),
        ("# x y\n", "has no pixels"),
        ("3 20\n", r"line 1: y = 20 is outside the detector's 0:19 \(0-based\)"),
        ("3 7 hto\n", r"line 1: 'hto' is neither a type nor a flag of a mask; did you mean HOT"),
        ("3\n", "line 1: '3' is not a row `x y`"),
        ("3.5 7\n", "x is '3.5', neither a number nor a range"),
        ("-1 7\n", "x is '-1', neither"),
        ("x,y,types\n3,7\n", "line 2: the row has 2 columns, the heading has 3"),
        ("x,y,change,before_dq,after_dq\n3,7,new,0,1\n", "before_dq are of the array of its mask"),
        ("x,y,do_not_use,finding,old_dq,new_dq\n3,7,new,outlier,0,1\n", "old_dq are of the array of its mask"),
        ("box(4,8,1,1,0) # color=red\n", r"x is 'box\(4'"),
        ("SCI SATURATED\n", "x is 'SCI'"),
        ("3 7 SATURATED\n", "'SATURATED' is neither"),
    ],
)
def test_what_is_no_list_is_refused_with_its_line(tmp_path, text, problem):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(KnownPixelError, match=problem):
        read(tmp_path / "list.txt")


def test_all_problems_of_a_file_are_named_up_to_a_number(tmp_path):
    (tmp_path / "list.txt").write_text("3 77\n" * 14)
    with pytest.raises(KnownPixelError) as caught:
        read(tmp_path / "list.txt")
    assert str(caught.value).count("is outside") == 10 and str(caught.value).endswith("and 4 more problems")
    (tmp_path / "list.txt").write_text(": :\n")
    with pytest.raises(KnownPixelError, match="the row has 4194304 pixels, more than 100000"):
        read(tmp_path / "list.txt", DETECTORS["NIS"])


def test_a_parquet_table_of_another_detector_is_refused(tmp_path):
    for name in ("NIS", "NRCA1"):
        write_parquet(tmp_path / f"{name}.parquet", pd.DataFrame({"x": [3], "y": [7]}), {}, {"detector": name})
    assert found(read(tmp_path / "NIS.parquet")) == {(3, 7): set()}
    with pytest.raises(KnownPixelError, match="DETECTOR is NRCA1, the list is given for NIS"):
        read(tmp_path / "NRCA1.parquet")


def test_do_not_use_says_nothing_about_the_type():
    words = Words.of_flags(flags_by_type({"hot": ["HOT", "DO_NOT_USE"]}, (), ()))
    assert words.types_of(["DEAD", "DO_NOT_USE"]) == BIT_OF["DEAD"]
    assert words.types_of(["HOT"]) == BIT_OF["hot"]


def test_other_files_are_refused(tmp_path):
    (tmp_path / "table.parquet").write_bytes(b"PAR1 and nothing else")
    os.mkfifo(tmp_path / "pipe")
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "x.parquet")
    for name in ("table.parquet", "pipe", "none.txt", "."):
        with pytest.raises(KnownPixelError, match="not readable as a list of known bad pixels"):
            read(tmp_path / name)
    with pytest.raises(KnownPixelError, match="has no column y"):
        read(tmp_path / "x.parquet")
