"""The exposures of the science check: found, refused with a reason, and never those that vote."""

from pathlib import Path

import pytest

from badpix.exposures.check_exposures import of_mask, take_check_exposures
from badpix.exposures.inventory import Exposure
from badpix.instrument.detectors import load_detectors
from badpix.instrument.file_names import InputError
from unit.exposures.test_checks import DARK, raw

DETECTORS = load_detectors(Path(__file__).resolve().parents[3] / "config" / "detectors")
CONFIG = {"min_groups": 2, "pedigree": "INFLIGHT"}
PROCESSED = {"S_DQINIT": "COMPLETE"}


def rates(keywords, axes=3):
    shape = [2, 32, 64][3 - axes :] if axes <= 3 else [1] * axes
    extensions = {"SCI": shape, "DQ": shape}
    return {"problem": None, "keywords": keywords | PROCESSED, "extensions": extensions, "bitpix": {}, "steps": None}


def at(hour, **changes):
    return DARK | {"TIME-OBS": f"{hour:02}:00:00.000"} | changes


def take(folder, headers):
    """The CheckExposures of files in `folder`; `headers` maps file names to header information."""
    for name in headers:
        (folder / name).touch()
    return take_check_exposures(str(folder), lambda path: headers[Path(path).name], DETECTORS, CONFIG)


def test_raw_files_and_rates_of_any_light_are_found(tmp_path):
    image = at(5, EXP_TYPE="NIS_IMAGE")
    headers = {
        "a_uncal.fits": raw(at(1)), "b_rateints.fits": rates(at(2)), "c_rate.fits": rates(at(3, EXP_TYPE="NIS_LAMP")),
        "d_uncal.fits": raw(at(4, EXP_TYPE="NIS_LAMP")), "e_cal.fits": rates(image, 2), "e_rate.fits": rates(image, 2),
    }  # fmt: skip
    found = take(tmp_path, headers)
    assert found.left_out == {}
    assert {name: (e.kind, *e.files) for name, e in found.usable["NIS"].items()} == {
        "a": ("darks", "uncal"), "b": ("darks", "rateints"), "c": ("flats", "rate"), "d": ("flats", "uncal"),
        "e": ("flats", "rate"),
    }  # fmt: skip
    assert list(found.raw("NIS", "darks")) == ["a"] and list(found.raw("NIS", "flats")) == ["d"]
    assert found.raw("NRS1", "darks") == {}


def test_the_raw_file_of_an_exposure_is_preferred(tmp_path):
    found = take(tmp_path, {"a_uncal.fits": raw(DARK), "a_rate.fits": rates(DARK, 2), "a_cal.fits": rates(DARK, 2)})
    assert list(found.usable["NIS"]["a"].files) == ["uncal"]


@pytest.mark.parametrize(
    ("name", "header", "reason"),
    [
        ("a_rate.fits", rates(at(1, EXP_TYPE="NIS_SOSS"), 2), "EXP_TYPE NIS_SOSS is of spectra"),
        ("a_rate.fits", rates(at(1, EXP_TYPE="NIS_OTHER"), 2), "EXP_TYPE NIS_OTHER is unknown"),
        ("a_rate.fits", {"problem": "is cut off"}, "rate file: is cut off"),
        ("a_rate.fits", rates(at(1), 4), "rate file: SCI is no image of rates (axes: 4)"),
        ("a_rate.fits", rates(at(1, DETECTOR="NRS1"), 2), "INSTRUME is 'NIRISS'"),
        ("a_uncal.fits", raw(at(1), bitpix=-32), "BITPIX -32"),
        ("a_uncal.fits", raw(at(1) | PROCESSED), "not raw"),
        ("a-seg002_rate.fits", rates(at(1), 2), "segment number"),
    ],
)
def test_a_file_that_cannot_test_a_mask_is_left_out_with_the_reason(tmp_path, name, header, reason):
    found = take(tmp_path, {name: header})
    (text,) = found.left_out.values()
    assert reason in text and not found.usable


def test_files_of_other_names_and_missing_files(tmp_path):
    (tmp_path / "a_dark.fits").touch()
    found = take_check_exposures(str(tmp_path / "a_dark.fits"), lambda path: {}, DETECTORS, CONFIG)
    assert "its name does not end in _uncal, _rateints, _rate" in found.left_out["a_dark.fits"]
    with pytest.raises(InputError, match=r"science_check\.exposures: no such file"):
        take_check_exposures(str(tmp_path / "gone.fits"), lambda path: {}, DETECTORS, CONFIG)


def test_a_copy_under_another_name_is_left_out(tmp_path):
    found = take(tmp_path, {"a_rate.fits": rates(DARK, 2), "b_rate.fits": rates(DARK, 2)})
    assert list(found.usable["NIS"]) == ["a"] and "the same exposure as a" in found.left_out["b"]


def test_exposures_that_vote_never_test_their_mask(tmp_path):
    full = at(6, SUBARRAY="FULL", SUBSIZE1=2048, SUBSIZE2=2048, SUBSTRT1=1, SUBSTRT2=1)
    guider = {"INSTRUME": "FGS", "DETECTOR": "GUIDER1", "EXP_TYPE": "FGS_DARK"}
    guider |= {
        key: getattr(DETECTORS["GUIDER1"], axis) for key, axis in (("FASTAXIS", "fast_axis"), ("SLOWAXIS", "slow_axis"))
    }
    segment = at(2, EXSEGNUM=2, EXSEGTOT=2, INTSTART=1, INTEND=2)
    headers = {
        "voter_rate.fits": rates(at(1), 2), "long-seg002_rate.fits": rates(segment, 2),
        "renamed_uncal.fits": raw(at(3)),
        "new_uncal.fits": raw(at(4)), "whole_uncal.fits": raw(full, (2, 10, 2048, 2048)),
        "whole2_rate.fits": rates(full | {"TIME-OBS": "07:00:00.000"}, 2), "other_rate.fits": rates(at(8, **guider), 2),
    }  # fmt: skip
    found = take(tmp_path, headers)
    assert found.left_out == {}
    voters = [Exposure("voter", "darks", {}, at(1)), Exposure("third", "darks", {}, at(3))]
    kept, left_out = of_mask(found, "NIS", voters, DARK, ["voter", "long-seg001", "third"])
    assert sorted(kept) == ["new", "whole2"]
    assert left_out["voter"] == left_out["long-seg002"] == "it votes for the mask, so that it cannot test it"
    assert left_out["renamed"] == "it is the same exposure as third, which votes for the mask"
    assert left_out["other"] == "DETECTOR is GUIDER1, not NIS"
    assert "SUBARRAY is 'FULL', and 'SUB64' in the exposures of the mask; give its rates" in left_out["whole"]
