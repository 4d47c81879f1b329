"""Files of the call, matched by their headers: names and order do not count."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from badpix.exposures.find import match_inputs
from badpix.exposures.sheet import read_sheet
from jwst_badpix.call import exposure_rows, without_flux_check
from jwst_badpix.errors import BadPixelsError
from jwst_badpix.pairing import ARGUMENTS, COMPANIONS, by_exposure, input_files, sheet_rows, write_sheet

NOTHING = {name: None for of_kind in ARGUMENTS.values() for name in of_kind}
KEYS = (
    "darks", "dark_slope_files", "dark_jump_files", "dark_fitopt_files", "dark_uncal_files", "flats",
    "flat_slope_files", "dead_flux_check_files",
)  # fmt: skip


def write(path, minute, axes=3, segment=None, detector="NIS", **keywords):
    """A file of an exposure that starts at `minute`; `axes` of its SCI."""
    primary = fits.PrimaryHDU()
    primary.header.update({"DETECTOR": detector, "DATE-OBS": "2024-06-01", "TIME-OBS": f"01:{minute:02}:00.000"})
    primary.header.update({"NINTS": 2} | ({"EXSEGNUM": segment} if segment else {}) | keywords)
    path = Path(path)
    path.parent.mkdir(exist_ok=True, parents=True)
    fits.HDUList([primary, fits.ImageHDU(np.ones((2,) * axes, np.float32), name="SCI")]).writeto(path)
    return str(path)


def rows(kind="dark", **given):
    return sheet_rows({kind: by_exposure(input_files(kind, NOTHING | given))})


def names(cells):
    return {column: Path(cell).name for column, cell in cells.items()}


def test_names_and_order_do_not_count(tmp_path):
    slopes = [write(tmp_path / f"jw{n}_nis_1_ramp_fit.fits", n) for n in (3, 1, 2)]
    jumps = [write(tmp_path / f"x{9 - n}_jump.fits", n, 4) for n in (1, 2, 3)]
    fitopts = tuple(Path(write(tmp_path / "fit" / f"{n}.fits", n)) for n in (2, 3, 1))
    found = [names(row) for row in rows(dark_slope_files=slopes, dark_jump_files=jumps, dark_fitopt_files=fitopts)]
    assert found == [
        {"kind": "dark", "exposure": f"jw{n}_nis", "rateints": f"jw{n}_nis_1_ramp_fit.fits",
         "jump": f"x{9 - n}_jump.fits", "fitopt": f"{n}.fits"}
        for n in (3, 1, 2)
    ]  # fmt: skip


def test_detectors_and_segments_of_one_start_are_apart(tmp_path):
    files = {"a": ("NIS", 1), "b": ("NIS", 2), "c": ("NRCA1", 1), "d": ("NRCA2", 1)}
    slopes = [write(tmp_path / f"{n}_rateints.fits", 0, segment=s, detector=d) for n, (d, s) in files.items()]
    jumps = [write(tmp_path / f"{n}_jump.fits", 0, 4, segment=s, detector=d) for n, (d, s) in files.items()]
    found = rows(dark_slope_files=slopes, dark_jump_files=jumps[::-1])
    assert [(row["exposure"], Path(row["jump"]).name) for row in found] == [(n, f"{n}_jump.fits") for n in files]


def test_a_file_without_a_readable_header_goes_with_its_name(tmp_path):
    """It is rejected with its exposure and its reason; a number is no reason to end the run."""
    slope = write(tmp_path / "jw1_nis_1_ramp_fit.fits", 1)
    (tmp_path / "jw1_nis_jump.fits").write_bytes(b"no FITS")
    (row,) = rows(dark_slope_files=slope, dark_jump_files=str(tmp_path / "jw1_nis_jump.fits"))
    assert row["exposure"] == "jw1_nis" and Path(row["jump"]).name == "jw1_nis_jump.fits"


@pytest.mark.parametrize("mean, each", [
    ("e_rate.fits", "e_rateints.fits"), ("e_0_ramp_fit.fits", "e_1_ramp_fit.fits"),
    ("e_rate.fits.gz", "e_rateints.fits.gz"),
])  # fmt: skip
def test_the_file_with_each_integration_is_taken_beside_the_mean(tmp_path, mean, each):
    path = write(tmp_path / mean, 1, axes=2)
    write(tmp_path / each, 1)
    assert [Path(row["rateints"]).name for row in rows("flat", flat_slope_files=[path])] == [each]
    both = [path, str(tmp_path / each)]
    assert [Path(row["rateints"]).name for row in rows("flat", flat_slope_files=both)] == [each]


def test_rate_and_rateints_of_one_integration_are_one_exposure(tmp_path):
    both = [write(tmp_path / f"e_{name}.fits", 1, axes, NINTS=1) for name, axes in (("rate", 2), ("rateints", 3))]
    for files in (both, both[::-1]):
        assert [Path(row["rateints"]).name for row in rows(dark_slope_files=files)] == ["e_rateints.fits"]
    assert [Path(row["rateints"]).name for row in rows(dark_slope_files=both[0])] == ["e_rate.fits"]


def test_all_means_of_several_integrations_are_in_one_error(tmp_path):
    files = {kind: [write(tmp_path / f"{kind}{n}_rate.fits", n, 2) for n in (1, 2)] for kind in ("dark", "flat")}
    whole = NOTHING | {"dark_slope_files": files["dark"], "flat_slope_files": files["flat"]}
    with pytest.raises(BadPixelsError) as caught:
        exposure_rows(whole)
    message = str(caught.value)
    assert message.startswith("dark_slope_files, flat_slope_files: ") and "rateints" in message
    assert all(path in message for of_kind in files.values() for path in of_kind)


def test_two_files_of_an_exposure_and_raw_files_of_none_are_refused(tmp_path):
    slope, other = write(tmp_path / "a_rateints.fits", 1), write(tmp_path / "b_rateints.fits", 1)
    with pytest.raises(
        BadPixelsError, match=r"dark_slope_files: .*a_rateints.fits' and .*b_rateints.fits' are of the same"
    ):
        rows(dark_slope_files=[slope, other])
    (tmp_path / "link_rateints.fits").symlink_to(slope)
    assert len(rows(dark_slope_files=[slope, str(tmp_path / "link_rateints.fits"), slope])) == 1
    for kind, companion in zip(("dark", "flat"), COMPANIONS, strict=True):
        raw = write(tmp_path / f"{kind}_uncal.fits", 7, 4)
        with pytest.raises(
            BadPixelsError, match=rf"^{companion}: .*{kind}_uncal.fits: no other file is of the same exposure"
        ):
            rows(kind, **{f"{kind}_slope_files": slope, companion: [raw]})


@pytest.mark.parametrize("value, message", [
    ([None], "element 0 is None"), (["None"], "element 0 is 'None'"), ([7], "element 0 is 7"),
    ("a/none_rate.fits", "no such file: 'a/none_rate.fits'"),
])  # fmt: skip
def test_a_value_that_is_no_file_is_named(value, message):
    with pytest.raises(BadPixelsError, match=f"flat_slope_files: {message}"):
        rows("flat", flat_slope_files=value)


def test_no_files_are_refused():
    with pytest.raises(BadPixelsError, match="none is given"):
        exposure_rows(NOTHING | {"dark_slope_files": []})


def test_a_flux_check_without_raw_flats_is_left_out_as_in_the_official_call(tmp_path, caplog):
    """JWQL gives run_dead_flux_check, and None for the files if no raw flat has enough groups."""
    slopes, raw = write(tmp_path / "f_rateints.fits", 1), write(tmp_path / "f_uncal.fits", 1)
    flat = NOTHING | {"flat_slope_files": slopes, "dead_search": True, "run_dead_flux_check": True}
    given = flat | {"dead_flux_check_files": raw}
    assert without_flux_check(given, exposure_rows(given)) == given
    dark = NOTHING | {"dark_slope_files": write(tmp_path / "d_rateints.fits", 1)} | {
        "dead_search": True, "run_dead_flux_check": True,
    }  # fmt: skip
    assert without_flux_check(dark, exposure_rows(dark))["run_dead_flux_check"] is False and not caplog.text
    assert without_flux_check(flat, exposure_rows(flat))["run_dead_flux_check"] is False
    assert "dead_flux_check_files is None: no flux check of DEAD pixels" in caplog.text


def test_the_workflow_reads_the_sheet(tmp_path):
    """Equal names in two folders, a dollar sign and blanks in a path."""
    for folder in ("a $HOME b", "c"):
        write(tmp_path / folder / "e_rateints.fits", 1 if folder == "c" else 2)
    slopes = [str(tmp_path / "a $HOME b" / "e_rateints.fits"), str(tmp_path / "c" / "e_rateints.fits")]
    jump = shutil.copy(slopes[1], tmp_path / "other_jump.fits")
    write_sheet(tmp_path / "sheet.tsv", rows(dark_slope_files=slopes, dark_jump_files=[str(jump)]))
    expected = {"e": {"rateints": slopes[0]}, "2_e": {"rateints": slopes[1], "jump": str(jump)}}
    assert read_sheet(tmp_path / "sheet.tsv")["darks"] == expected
    config = dict.fromkeys(KEYS) | {"exposures": str(tmp_path / "sheet.tsv")}
    assert match_inputs(config)["darks"] == expected
