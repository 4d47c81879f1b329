"""Finding input files and matching them to exposures; the files are empty, only their names count."""

import gzip

import pytest

from badpix.exposures.find import configured_kinds, find_files, match_inputs
from badpix.instrument.file_names import InputError, NoFiles, exposure_name

NOTHING = dict.fromkeys(
    ["exposures", "darks", "dark_slope_files", "dark_jump_files", "dark_fitopt_files", "dark_uncal_files", "flats",
     "flat_slope_files", "dead_flux_check_files"]
)  # fmt: skip


def touch(*paths):
    from pathlib import Path

    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def match(**config):
    return match_inputs(NOTHING | config)


def refusal(**config):
    with pytest.raises(InputError) as caught:
        match(**config)
    assert not isinstance(caught.value, NoFiles)
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("jw09001001001_02101_00001_nis_uncal.fits", "jw09001001001_02101_00001_nis"),
        ("dir.fits/jw09001_nis-seg001_uncal.fits.gz", "jw09001_nis-seg001"),
        ("a/x_rateints.fits", "x"),
        ("x_rate.fits", "x"),
        ("x_jump.fits", "x"),
        ("x_fitopt.fits", "x"),
        ("dark [3] v2.0 b_uncal.fits", "dark [3] v2.0 b"),
        ("x_uncal_uncal.fits", "x_uncal"),
        ("plain.fits", "plain"),
        ("v1.2.fits.gz", "v1.2"),
        ("x_uncal.fits.bak", "x_uncal.fits.bak"),
    ],
)
def test_exposure_name(path, name):
    assert exposure_name(path) == name


# ---------------------------------------------------------------- finding


def find(value, suffixes=("uncal",)):
    return find_files("darks", value, suffixes)


def test_a_directory_stands_for_its_files_of_the_suffix(here):
    touch("d/b_uncal.fits", "d/a_uncal.fits", "d/c_uncal.fits.gz", "d/a_rate.fits", "d/sub/e_uncal.fits", "d/notes.txt")
    assert find("d") == ["d/a_uncal.fits", "d/b_uncal.fits", "d/c_uncal.fits.gz"]
    assert find("d", ("rateints", "rate")) == ["d/a_rate.fits"]


@pytest.mark.parametrize(
    "top", ["mast", "mast/mastDownload", "mast/mastDownload/JWST", "mast/**/*_uncal.fits", "mast/**"]
)
def test_a_download_from_mast_is_found_from_each_of_its_folders(here, top):
    folder = "mast/mastDownload/JWST"
    expected = [f"{folder}/{name}/{name}_uncal.fits" for name in ("jw1_02101_00001_nis", "jw1_02101_00002_nis")]
    touch(
        *expected,
        f"{folder}/jw1_02101_00001_nis/jw1_02101_00001_nis_uncal.jpg",
        f"{folder}/jw1_02101_00001_nis/jw1_02101_00001_nis_uncal_thumb.jpg",
        f"{folder}/jw1_gs-fg_2022180/jw1_gs-fg_2022180_uncal.fits",
    )
    assert find(top) == expected


def test_a_folder_in_a_directory_needs_the_name_of_its_exposure(here):
    touch("d/a/a_uncal.fits", "d/rejected/b_uncal.fits", "d/c_uncal.fits", "d/e/f/f_uncal.fits")
    assert find("d") == ["d/a/a_uncal.fits", "d/c_uncal.fits"]


def test_a_copy_of_a_file_is_used_once_and_another_file_of_its_name_is_named(here):
    first, second = here / "d/a/a_uncal.fits", here / "d/mastDownload/JWST/a/a_uncal.fits"
    for path in (first, second):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"same")
    assert match(darks="d")["darks"] == {"a": {"uncal": "d/a/a_uncal.fits"}}
    for content in (b"else", b"longer"):
        second.write_bytes(content)
        assert refusal(darks="d") == (
            "darks: two uncal files of the exposure a with different content: 'd/a/a_uncal.fits' and"
            " 'd/mastDownload/JWST/a/a_uncal.fits'; take one of them out of the inputs"
        )


def test_partial_downloads_are_left_out(here):
    folder = "d/mastDownload/JWST/a"
    touch(f"{folder}/a_uncal.fits", f"{folder}/b_uncal.fits.part", f"{folder}/c_uncal.fits.tmp", "d/e_uncal.fits.part")
    for value in ("d", "d/**", "d/**/*_uncal.fits*"):
        assert find(value) == [f"{folder}/a_uncal.fits"]


def test_a_directory_of_calwebb_dark_products_is_refused_with_advice(here):
    touch("d/mastDownload/JWST/a/a_dark.fits")
    with pytest.raises(InputError, match=r"no \*_uncal.fits files .* by calwebb_dark, give the uncal files instead"):
        find("d")


def test_globs_lists_and_single_files(here):
    touch("d/a1_uncal.fits", "d/a2_uncal.fits", "e/b_uncal.fits")
    assert find("d/a?_uncal.fits") == ["d/a1_uncal.fits", "d/a2_uncal.fits"]
    assert find("*/*_uncal.fits") == ["d/a1_uncal.fits", "d/a2_uncal.fits", "e/b_uncal.fits"]
    assert find("e/b_uncal.fits") == ["e/b_uncal.fits"]
    assert find(["e", "d/a2*"]) == ["d/a2_uncal.fits", "e/b_uncal.fits"]
    assert find(None) == []


def test_a_file_named_twice_is_found_once(here):
    touch("d/a_uncal.fits")
    assert find(["d", "d/", "d/*.fits", "./d/a_uncal.fits", "d//a_uncal.fits"]) == ["d/a_uncal.fits"]


def test_names_with_spaces_dots_and_brackets_are_no_globs(here):
    touch("my data [1].x/dark [3] v2.0_uncal.fits", "my data 1.x/dark 3 v2.0_uncal.fits")
    expected = ["my data [1].x/dark [3] v2.0_uncal.fits"]
    assert find("my data [1].x") == expected
    assert find(expected[0]) == expected


def test_missing_files_are_named(here):
    touch("empty/x_rate.fits")
    for value, words in (
        ("nowhere", f"darks: no such file or directory, and no match: 'nowhere' (in {here})"),
        (str(here / "nowhere"), f"darks: no such file or directory, and no match: '{here}/nowhere'"),
        ("empty/*.gz", "no match: 'empty/*.gz'"),
        (["empty/x_rate.fits", "gone.fits"], "no match: 'gone.fits'"),
        ("empty", "darks: no *_uncal.fits files in the directory 'empty'"),
    ):
        # The class by which a run advises to fetch files.
        with pytest.raises(NoFiles) as caught:
            find(value)
        assert words in str(caught.value)
    with pytest.raises(InputError, match=r"no \*_rateints.fits or \*_rate.fits files"):
        find_files("flat_slope_files", str(here), ("rateints", "rate"))


# ---------------------------------------------------------------- matching


def test_products_of_an_exposure_come_together(here):
    touch("u/a_uncal.fits", "u/b_uncal.fits.gz", "p/a_rateints.fits", "p/a_jump.fits", "p/a_fitopt.fits")
    found = match(darks="u", dark_slope_files="p", dark_jump_files="p", dark_fitopt_files="p")
    assert found == {
        "darks": {
            "a": {"uncal": "u/a_uncal.fits", "rateints": "p/a_rateints.fits", "jump": "p/a_jump.fits",
                  "fitopt": "p/a_fitopt.fits"},
            "b": {"uncal": "u/b_uncal.fits.gz"},
        },
        "flats": {},
    }  # fmt: skip


def test_exposures_are_in_the_order_of_their_names(here):
    touch("2/a_uncal.fits", "1/b_uncal.fits")
    assert list(match(darks=["1", "2"])["darks"]) == ["a", "b"]


def test_rateints_is_preferred_to_rate(here):
    touch("p/a_rate.fits", "p/a_rateints.fits", "p/b_rate.fits")
    assert match(flat_slope_files="p")["flats"] == {
        "a": {"rateints": "p/a_rateints.fits"}, "b": {"rateints": "p/b_rate.fits"},
    }  # fmt: skip


def test_two_files_of_one_product_and_exposure_are_refused(here):
    touch("d/a_uncal.fits", "e/a_uncal.fits", "d/a_uncal.fits.gz")
    (here / "d/a_uncal.fits").write_bytes(b"another file")
    assert refusal(darks=["d/a_uncal.fits", "e"]).startswith(
        "darks: two uncal files of the exposure a with different content: 'd/a_uncal.fits' and 'e/a_uncal.fits'"
    )
    assert "two uncal files of the exposure a" in refusal(darks="d")


def test_a_dark_that_is_a_flat_is_refused(here):
    touch("d/a_uncal.fits", "d/b_uncal.fits", "f/b_uncal.fits", "f/c_rate.fits")
    assert refusal(darks="d", flats="f").startswith(
        "given as a dark and as a flat: b; a folder with darks and flats needs a glob or a list for each of both keys"
    )


def test_missing_darks_and_flats_are_named_together(here):
    with pytest.raises(NoFiles) as caught:
        match(darks="data/darks", flats="data/flats")
    first, second = str(caught.value).splitlines()
    assert first.startswith("darks: no such file or directory") and second.startswith("flats: no such file")


def test_companions_complete_an_exposure_and_make_none(here):
    touch("p/a_rateints.fits", "raw/a_uncal.fits", "raw/b_uncal.fits")
    found = match(flat_slope_files="p", dead_flux_check_files="raw/a*")
    assert found["flats"]["a"] == {"rateints": "p/a_rateints.fits", "flux_check": "raw/a_uncal.fits"}
    found = match(dark_slope_files="p", dark_uncal_files="raw/a*")
    assert found["darks"]["a"] == {"rateints": "p/a_rateints.fits", "uncal": "raw/a_uncal.fits"}
    assert refusal(flat_slope_files="p", dead_flux_check_files="raw") == (
        "dead_flux_check_files: 'raw/b_uncal.fits' belongs to no exposure of the flats"
    )
    assert "dark_uncal_files: 'raw/b_uncal.fits'" in refusal(dark_slope_files="p", dark_uncal_files="raw")


def test_the_raw_file_of_darks_overrides_its_companion(here):
    touch("d/a_uncal.fits", "e/a_uncal.fits")
    assert match(darks="d", dark_uncal_files="e")["darks"]["a"] == {"uncal": "d/a_uncal.fits"}


def test_configured_kinds():
    assert configured_kinds(NOTHING | {"darks": "d"}) == ["darks"]
    assert configured_kinds(NOTHING | {"flat_slope_files": "f"}) == ["flats"]
    assert configured_kinds(NOTHING | {"dark_jump_files": "d", "flats": ["f"]}) == ["darks", "flats"]
    assert configured_kinds(NOTHING | {"dead_flux_check_files": "f"}) == []


def test_nothing_is_opened(here):
    with gzip.open("a_uncal.fits.gz", "wb") as file:
        file.write(b"not FITS")
    assert match(darks="a_uncal.fits.gz")["darks"] == {"a": {"uncal": "a_uncal.fits.gz"}}


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b", "*\n", "d/\udce9"])
def test_paths_that_no_file_can_have(here, path):
    with pytest.raises(InputError, match=r"darks: the path .* (is too long|has characters that cannot be printed)"):
        find(path)
