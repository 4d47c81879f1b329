"""The sheet of exposures, alone and combined with the input keys; the files are empty, only their names count."""

import os
from pathlib import Path

import pytest

from badpix.exposures.find import configured_kinds, match_inputs
from badpix.exposures.sheet import read_sheet
from badpix.instrument.file_names import InputError

NOTHING = dict.fromkeys(
    ["exposures", "darks", "dark_slope_files", "dark_jump_files", "dark_fitopt_files", "dark_uncal_files", "flats",
     "flat_slope_files", "dead_flux_check_files"]
)  # fmt: skip


def write(text):
    """A sheet; a space separates cells, a dot is an empty cell, a line that begins with # is a comment."""
    lines = ["\t".join("" if cell == "." else cell for cell in line.split(" ")) for line in text.splitlines()]
    Path("sheet.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "sheet.tsv"


def refusal(text):
    with pytest.raises(InputError) as caught:
        read_sheet(write(text))
    return str(caught.value)


def test_home_and_variables_are_expanded_in_cells(here, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("DATA", "/data")
    sheet = read_sheet(write("kind uncal rateints\ndark ~/d1_uncal.fits .\nflat . ${DATA}/f1_rate.fits"))
    assert sheet == {
        "darks": {"d1": {"uncal": "/home/me/d1_uncal.fits"}},
        "flats": {"f1": {"rateints": "/data/f1_rate.fits"}},
    }
    monkeypatch.delenv("DATA")
    assert refusal("kind uncal\ndark $DATA/d1_uncal.fits") == (
        "sheet.tsv, line 2: the environment variable DATA is not set or empty ($$ is a dollar sign)"
    )


def test_each_exposure_has_the_files_of_its_row(here):
    sheet = read_sheet(
        write(
            "kind uncal rateints jump fitopt\n"
            "dark a/d1_uncal.fits . . .\n"
            "\n"
            "#dark a/not_uncal.fits\n"
            "dark . b/d2_rateints.fits c/d2_jump.fits c/d2_fitopt.fits.gz\n"
            "flat . b/f.1_rate.fits"
        )
    )
    assert sheet == {
        "darks": {
            "d1": {"uncal": "a/d1_uncal.fits"},
            "d2": {"rateints": "b/d2_rateints.fits", "jump": "c/d2_jump.fits", "fitopt": "c/d2_fitopt.fits.gz"},
        },
        "flats": {"f.1": {"rateints": "b/f.1_rate.fits"}},
    }


def test_a_row_with_the_name_of_its_exposure_may_have_any_names(here):
    for name in ("x_1_ramp_fit.fits", "y_jump.fits", "z.fits"):
        (here / name).touch()
    sheet = write("kind rateints jump fitopt exposure\ndark x_1_ramp_fit.fits y_jump.fits z.fits d1")
    expected = {"d1": {"rateints": "x_1_ramp_fit.fits", "jump": "y_jump.fits", "fitopt": "z.fits"}}
    assert read_sheet(sheet)["darks"] == expected
    assert match_inputs(NOTHING | {"exposures": sheet})["darks"] == expected


def test_names_with_spaces_and_a_byte_order_mark(here):
    Path("sheet.tsv").write_text("uncal\tkind\r\nmy data/dark 1.v2_uncal.fits \tdark\r\n", encoding="utf-8-sig")
    assert read_sheet("sheet.tsv")["darks"] == {"dark 1.v2": {"uncal": "my data/dark 1.v2_uncal.fits"}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the sheet 'sheet.tsv' is empty; its columns are kind, uncal, rateints, jump, fitopt, flux_check"),
        ("kind rates\n", "sheet.tsv, line 1: unknown column 'rates'; allowed are kind, uncal"),
        ("uncal\na", "sheet.tsv, line 1: no column kind"),
        ("kind uncal kind\n", "sheet.tsv, line 1: a column is given twice"),
        ("kind uncal\nDark d_uncal.fits", "sheet.tsv, line 2: kind is 'Dark'; allowed are dark and flat"),
        ("kind uncal\n. d_uncal.fits", "sheet.tsv, line 2: kind is ''"),
        ("kind uncal\n\ndark .", "sheet.tsv, line 3: no file is given"),
        ("kind flux_check\nflat f_uncal.fits", "line 2: no file is given"),
        ("kind jump\nflat f_jump.fits", "line 2: a flat has no jump file; it may have uncal, rateints, flux_check"),
        ("kind uncal\ndark d_uncal.fits e_uncal.fits", "line 2: 3 cells, but 2 columns"),
        ("kind uncal\ndark d_uncal.fits\ndark e/d_uncal.fits", "line 3: the exposure d is given twice"),
        (
            "kind rateints jump fitopt\ndark d1_rateints.fits d2_jump.fits d1_fitopt.fits",
            "line 2: files of different exposures: fitopt is of d1 and jump is of d2",
        ),
        ("kind exposure uncal\ndark a/b d_uncal.fits", "line 2: the exposure 'a/b' has a slash"),
        ("kind exposure uncal\ndark {a} d_uncal.fits", "line 2: the exposure '{a}' has braces"),
        ("kind exposure\ndark a", "line 2: no file is given"),
        ("kind exposure uncal\ndark a d_uncal.fits\ndark a e_uncal.fits", "line 3: the exposure a is given twice"),
    ],
)
def test_faults_of_a_sheet_are_named(here, text, words):
    assert words in refusal(text)


def test_a_sheet_that_cannot_be_read(here):
    with pytest.raises(InputError, match="the sheet 'none.tsv' cannot be read"):
        read_sheet("none.tsv")
    (here / "image.tsv").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(InputError, match="the sheet 'image.tsv' cannot be read"):
        read_sheet("image.tsv")


def test_sheet_and_keys_together(here):
    for name in ("d1_uncal.fits", "d2_uncal.fits", "f_uncal.fits", "f_rateints.fits"):
        (here / name).touch()
    config = NOTHING | {"exposures": write("kind uncal\ndark ./d1_uncal.fits\nflat f_uncal.fits")}
    assert match_inputs(config | {"darks": "d2_uncal.fits", "flat_slope_files": "f_rateints.fits"}) == {
        "darks": {"d1": {"uncal": "d1_uncal.fits"}, "d2": {"uncal": "d2_uncal.fits"}},
        "flats": {"f": {"uncal": "f_uncal.fits", "rateints": "f_rateints.fits"}},
    }
    assert configured_kinds(config) == ["darks", "flats"]
    assert configured_kinds(NOTHING | {"exposures": write("kind uncal\ndark d1_uncal.fits")}) == ["darks"]


def test_the_same_product_from_two_places_is_refused(here):
    (here / "a").mkdir()
    for name in ("d1_uncal.fits", "a/d1_uncal.fits"):
        (here / name).write_text(name)
    config = NOTHING | {"exposures": write("kind uncal\ndark d1_uncal.fits")}
    with pytest.raises(InputError, match="exposures and darks: two uncal files of the exposure d1"):
        match_inputs(config | {"darks": "a"})
    assert match_inputs(config | {"darks": "d1_uncal.fits"})["darks"] == {"d1": {"uncal": "d1_uncal.fits"}}


def test_a_missing_file_is_named(here):
    with pytest.raises(InputError, match="exposures: no such file: 'd1_uncal.fits'"):
        match_inputs(NOTHING | {"exposures": write("kind uncal\ndark d1_uncal.fits")})


@pytest.mark.parametrize(
    ("cell", "words"),
    [("x" * 200_000, "field larger than field limit"), ("x" * 6000, "line 2: the uncal file 'xxx"),
     ("a\0_uncal.fits", "has characters that cannot be printed")],
)  # fmt: skip
def test_a_cell_that_no_file_can_be_called_is_named(here, cell, words):
    (here / "s.tsv").write_text(f"kind\tuncal\ndark\t{cell}", encoding="utf-8")
    with pytest.raises(InputError, match="s.tsv.*") as caught:
        read_sheet("s.tsv")
    assert words in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_sheet_is_a_regular_file(here, make):
    make(here / "s.tsv")
    with pytest.raises(InputError, match="the sheet 's.tsv' cannot be read: s.tsv is no regular file"):
        read_sheet("s.tsv")
