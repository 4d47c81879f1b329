"""The MASK reference file: accepted by the pipeline's datamodel and the check of CRDS, with a complete header."""

import dataclasses
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st
from stdatamodels.jwst import datamodels

import quality_check
import reference_pixel_mask
from badpix.core.errors import ProductError
from badpix.formats.mask_file import (
    DESCRIPTIONS,
    MaskHeader,
    dq_definition,
    has_array,
    normalise_useafter,
    read_mask,
    write_cut_copy,
    write_mask,
)
from badpix.instrument.detectors import load_detectors
from badpix.instrument.dq import PIXEL_FLAGS, bits, count_flags
from badpix.instrument.geometry import Geometry
from badpix.mask.quality import QualityCheckFailed, missing_flags

ROOT = Path(__file__).resolve().parents[3]
GEOMETRY = Geometry("SUB64", 1985, 1985, 64, 64, -2, -1)
IDENTITY = {"instrument": "NIRISS", "detector": "NIS"}
TEXTS = {
    "author": "A. Tester", "description": "A mask of the tests", "pedigree": "GROUND",
    "useafter": "2022-07-01 00:00:00",
}  # fmt: skip
USED = ("DO_NOT_USE", "DEAD", "HOT", "RC", "OTHER_BAD_PIXEL", "REFERENCE_PIXEL")


def image():
    dq = np.zeros(GEOMETRY.shape, np.uint32)
    dq[:, 60:] = PIXEL_FLAGS["REFERENCE_PIXEL"]
    dq[3, 5], dq[4, 6] = bits(["DO_NOT_USE", "HOT"]), bits(["DEAD", "RC"])
    dq[5, 7] = PIXEL_FLAGS["OTHER_BAD_PIXEL"]
    return dq


def write(path, dq=None, identity=None, texts=None, history=("made for a test",), parameters=None, selectors=None):
    header = MaskHeader(IDENTITY | (identity or {}), TEXTS | (texts or {}), history, parameters or {}, selectors or {})
    write_mask(path, image() if dq is None else dq, GEOMETRY, header)
    return path


def parameter(path, name):
    return fits.getheader(path)[f"BADPIX {name.upper()}"]


@pytest.fixture(scope="module")
def mask(tmp_path_factory):
    """A mask with all optional parts."""
    parameters = {"max_jump_limit": 10, "manual_flag_file": "/long/" * 20}
    return write(tmp_path_factory.mktemp("mask") / "mask.fits", parameters=parameters, history=["h" * 200, "é"])


def test_the_datamodel_opens_and_validates(mask):
    with datamodels.MaskModel(str(mask), strict_validation=True) as model:
        model.validate()
        assert model.dq.dtype == np.uint32 and np.array_equal(model.dq, image())
        assert model.meta.reftype == "MASK" and model.meta.model_type == "MaskModel"
    assert np.array_equal(read_mask(mask), image())


def test_dq_def_has_a_row_per_flag_used(mask):
    with fits.open(mask) as hdus:
        rows = {row["NAME"]: (row["BIT"], row["VALUE"], row["DESCRIPTION"]) for row in hdus["DQ_DEF"].data}
        stored = np.array(hdus["DQ"].data, np.uint32)
    assert set(rows) == set(USED)
    for name, (bit, value, description) in rows.items():
        assert (value, description) == (PIXEL_FLAGS[name], DESCRIPTIONS[name])
        assert int(value) == 2 ** int(bit)
    assert np.bitwise_or.reduce(stored, axis=None) == sum(int(value) for _, value, _ in rows.values())


@given(st.sets(st.sampled_from(sorted(PIXEL_FLAGS))))
def test_dq_def_covers_exactly_the_bits_used(names):
    table = dq_definition(np.array([[bits(names)]], np.uint32))
    assert {name.decode() for name in table["NAME"]} == names
    assert int(np.bitwise_or.reduce(table["VALUE"], initial=0)) == bits(names)
    assert all(len(text) > 3 for text in table["DESCRIPTION"])


def test_a_mask_without_any_flag(tmp_path):
    path = write(tmp_path / "m.fits", np.zeros(GEOMETRY.shape, np.uint32))
    assert not read_mask(path).any()


def test_header_keywords(mask):
    header = fits.getheader(mask)
    expected = {
        "TELESCOP": "JWST", "INSTRUME": "NIRISS", "DETECTOR": "NIS", "REFTYPE": "MASK", "AUTHOR": "A. Tester",
        "DESCRIP": "A mask of the tests", "PEDIGREE": "GROUND", "USEAFTER": "2022-07-01T00:00:00",
        "SUBARRAY": "SUB64", "SUBSTRT1": 1985, "SUBSTRT2": 1985, "SUBSIZE1": 64, "SUBSIZE2": 64, "FASTAXIS": -2,
        "SLOWAXIS": -1, "FILENAME": "mask.fits",
    }  # fmt: skip
    assert {key: header.get(key) for key in expected} == expected
    assert "EXP_TYPE" not in header and "READPATT" not in header


def test_selectors_are_in_the_header(tmp_path):
    selectors = {"EXP_TYPE": "N/A", "READPATT": "N/A", "P_READPA": "FASTR1|SLOWR1|", "NGROUPS": ">=50", "BAND": "LONG"}
    header = fits.getheader(write(tmp_path / "m.fits", selectors=selectors))
    assert {key: header[key] for key in selectors} == selectors
    with pytest.raises(ValueError, match="cannot have READPATT = 'FASTR2'"):
        write(tmp_path / "n.fits", selectors={"READPATT": "FASTR2"})
    assert not (tmp_path / "n.fits").exists()


def test_history_of_any_text(tmp_path):
    lines = ["short", "word " * 60, "naïve ☃", "two\nlines", "\x1b[31mred", "x" * 200]
    header = fits.getheader(write(tmp_path / "m.fits", history=lines))
    history = "".join(f"{card:<72}" for card in header["HISTORY"])
    for words in ("short", r"na\xefve \u2603", "two lines", r"\x1b[31mred", "x" * 200, ("word " * 60).strip()):
        assert words in history


def test_parameters_are_cards_of_their_own(tmp_path):
    parameters = {
        "max_jump_limit": 10, "high_cr_fraction": 0.8, "dead_search": True, "plot": False,
        "dark_do_not_use": ["hot", "rc"], "flat_do_not_use": [], "max_dead_norm_signal": None,
        "detector1_dark.jump.flag_4_neighbors": False, "manual_flag_file": "/a path/" * 15,
        "flag_values.hot": ["HOT"] * 40, "text": "it's 'quoted'",
        "history": "naïve\nlines",
    }  # fmt: skip
    path = write(tmp_path / "m.fits", parameters=parameters)
    assert parameter(path, "max_jump_limit") == 10 and parameter(path, "high_cr_fraction") == 0.8
    assert parameter(path, "dead_search") is True and parameter(path, "plot") is False
    assert parameter(path, "dark_do_not_use") == "hot rc" and parameter(path, "flat_do_not_use") == ""
    assert parameter(path, "detector1_dark.jump.flag_4_neighbors") is False
    assert parameter(path, "manual_flag_file") == "/a path/" * 15, "120 characters go on in further cards"
    assert parameter(path, "flag_values.hot") == " ".join(["HOT"] * 40)
    assert parameter(path, "text") == "it's 'quoted'" and parameter(path, "history") == r"na\xefve lines"
    assert "BADPIX MAX_DEAD_NORM_SIGNAL" not in fits.getheader(path)
    assert np.array_equal(read_mask(path), image()), "the data are untouched"


@pytest.mark.parametrize("value", [-1.2345678901234e-05, 123456789012, True, "long text " * 12])
def test_the_longest_parameter_name_there_is(tmp_path, value):
    name = "detector1_dark.clean_flicker_noise.mask_science_regions"
    found = parameter(write(tmp_path / "m.fits", parameters={name: value}), name)
    assert found in (value, str(value).strip()), "digits were lost"


def reversed_bits(rows):
    rows["BIT"] = 31 - rows["BIT"]
    rows["VALUE"] = np.uint32(1) << rows["BIT"]
    return rows


def with_unknown_flag(rows):
    rows["NAME"][-1] = "NEVER_HEARD_OF"
    return rows


@pytest.mark.parametrize(
    "change",
    [reversed_bits, with_unknown_flag, lambda rows: rows[:0], lambda rows: None],
    ids=["other bits", "an unknown flag", "an empty definition", "no definition"],
)
def test_a_mask_is_read_as_by_its_datamodel(tmp_path, change):
    path = write(tmp_path / "m.fits")
    rows = change(Table.read(path, hdu="DQ_DEF"))
    with fits.open(path, mode="update") as hdus:
        del hdus["DQ_DEF"]
        if rows is not None:
            hdus.append(fits.BinTableHDU(rows, name="DQ_DEF"))
    with datamodels.MaskModel(str(path)) as model:
        expected = np.array(model.dq, np.uint32)
    assert expected.any() and np.array_equal(read_mask(path), expected)


def test_a_mask_cut_to_a_subarray_is_what_dq_init_would_take(tmp_path):
    source, target = write(tmp_path / "full.fits"), tmp_path / "part.fits"
    with fits.open(source, mode="update") as hdus:  # HOT and RC swap their bits, which the DQ_DEF of CRDS files allows
        rows = hdus["DQ_DEF"].data
        names = [name.strip() for name in rows["NAME"]]
        hot, rc = names.index("HOT"), names.index("RC")
        for column in ("BIT", "VALUE"):
            rows[column][[hot, rc]] = rows[column][[rc, hot]]
    full = read_mask(source)
    assert full[3, 5] == bits(["DO_NOT_USE", "RC"])
    part = Geometry("SUB32", 1987, 1988, 20, 10, -2, -1)
    write_cut_copy(source, target, part)
    assert np.array_equal(read_mask(target), full[3:13, 2:22])
    assert read_mask(target)[0, 3] == bits(["DO_NOT_USE", "RC"])
    assert Geometry.from_header(fits.getheader(target)) == part


def test_the_array_of_a_generic_mask_is_its_origin_and_size(tmp_path):
    path = write(tmp_path / "mask.fits")
    same, smaller = replace(GEOMETRY, subarray="SUBX"), Geometry("SUB32", 1987, 1988, 20, 10, -2, -1)
    moved = replace(GEOMETRY, subarray="SUBX", x_start=1)
    for name in ("GENERIC", "N/A", None):
        if name:
            fits.setval(path, "SUBARRAY", value=name)
        else:
            fits.delval(path, "SUBARRAY")
        assert [has_array(path, part) for part in (GEOMETRY, same, smaller, moved)] == [True, True, False, False], name
    # The first pixel of the detector is the default of the origin, also for a cut.
    for key in ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2"):
        fits.delval(path, key)
    assert has_array(path, replace(GEOMETRY, x_start=1, y_start=1)) and not has_array(path, GEOMETRY)
    write_cut_copy(path, tmp_path / "part.fits", replace(smaller, x_start=3, y_start=4))
    assert np.array_equal(read_mask(tmp_path / "part.fits"), image()[3:13, 2:22])


def test_a_failure_leaves_no_mask(tmp_path):
    with pytest.raises(ValueError, match="Illegal value"):
        write(tmp_path / "m.fits", parameters={"a": {"b": 1}})
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("useafter", "normalised"),
    [
        ("2019-04-01 00:00:00", "2019-04-01T00:00:00"),
        (" 2019-04-01T12:30:59 ", "2019-04-01T12:30:59"),
        ("2019-04-01", "2019-04-01T00:00:00"),
    ],
)
def test_useafter(useafter, normalised):
    assert normalise_useafter(useafter) == normalised


def test_useafter_must_be_a_date():
    with pytest.raises(ValueError, match="day is out of range"):
        normalise_useafter("2019-02-30 00:00:00")


# ---------------------------------------------------------------- masks from elsewhere, and CRDS


def test_a_foreign_dq_def_is_translated(tmp_path):
    """Bits 0, 1, 2 of the file are HOT, REFERENCE_PIXEL and DO_NOT_USE."""
    columns = [
        fits.Column("BIT", "J", array=[0, 1, 2]),
        fits.Column("VALUE", "J", array=[1, 2, 4]),
        fits.Column("NAME", "40A", array=["HOT", "REFERENCE_PIXEL", "DO_NOT_USE"]),
        fits.Column("DESCRIPTION", "80A", array=["hot", "reference", "bad"]),
    ]
    dq = np.array([[0, 1, 2], [4, 5, 7]], np.int32)
    table = fits.BinTableHDU.from_columns(columns, name="DQ_DEF")
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(dq, name="DQ"), table]).writeto(tmp_path / "foreign.fits")
    hot, reference, bad = (PIXEL_FLAGS[name] for name in ("HOT", "REFERENCE_PIXEL", "DO_NOT_USE"))
    found = read_mask(tmp_path / "foreign.fits")
    assert found.dtype == np.uint32
    assert found.tolist() == [[0, hot, reference], [bad, bad | hot, bad | hot | reference]]


@pytest.fixture(scope="module")
def crds_cache(tmp_path_factory):
    from badpix.simulate.crds_cache import write_crds_cache
    from badpix.simulate.detector import make_detector
    from badpix.simulate.headers import make_geometry

    detector = make_detector(make_geometry("NIRISS", 64), seed=1)
    return write_crds_cache(tmp_path_factory.mktemp("crds") / "cache", [detector], n_groups=2)


def certify(path, cache):
    environment = {
        **os.environ, "CRDS_PATH": str(cache), "CRDS_SERVER_URL": "https://jwst-serverless.invalid",
        "CRDS_OBSERVATORY": "jwst",
    }  # fmt: skip
    command = [sys.executable, "-m", "crds.certify", "-z", str(path)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_crds_certify_passes(mask, crds_cache):
    run = certify(mask, crds_cache)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 errors" in run.stderr + run.stdout


def test_crds_certify_would_notice(mask, crds_cache, tmp_path):
    path = tmp_path / "wrong.fits"
    path.write_bytes(mask.read_bytes())
    fits.setval(path, "DETECTOR", value="NRCA1")
    assert certify(path, crds_cache).returncode != 0


# ---------------------------------------------------------------- the scripts that make and check a mask


def test_reference_pixel_mask(tmp_path):
    """Four columns and rows of the lower left corner are reference pixels."""
    detector = dataclasses.asdict(load_detectors(ROOT / "config" / "detectors")["NIS"])
    geometry = dataclasses.asdict(Geometry("SUB64", 1, 1, 6, 5, -2, -1))
    reference_pixel_mask.main(tmp_path / "m.fits", detector, geometry)
    bad = PIXEL_FLAGS["REFERENCE_PIXEL"]
    assert read_mask(tmp_path / "m.fits").tolist() == [[bad] * 6] * 4 + [[bad] * 4 + [0, 0]]


def test_missing_flags_counts_pixels_by_flag():
    mask = np.array([[0, bits(["HOT", "RC"]), bits(["HOT"]), bits(["DEAD"])]], np.uint32)
    arrived = np.array([[1, bits(["RC"]), 0, bits(["DEAD", "SATURATED"])]], np.uint32)
    assert missing_flags(mask, arrived) == {"HOT": 2}
    assert missing_flags(mask, mask | 1) == {}


def test_quality_check(mask, tmp_path, monkeypatch):
    """The results of dq_init are replaced by `answers`."""
    monkeypatch.setenv("CRDS_OBSERVATORY", "jwst")
    ramp = tmp_path / "ramp.fits"
    fits.PrimaryHDU(header=fits.getheader(mask)).writeto(ramp)
    report, nowhere = tmp_path / "report.json", {"path": None, "server_url": None, "context": None}
    answers = {
        "lost": (image() & ~np.uint32(PIXEL_FLAGS["RC"]), "mask.fits"),
        "other mask": (image(), "jwst_niriss_mask_0017.fits"),
        "passed": (image() | 2, "/elsewhere/mask.fits"),
    }
    for name, words in (("lost", "{'RC': 1}"), ("other mask", "used the mask jwst_niriss_mask_0017.fits")):
        monkeypatch.setattr(quality_check, "pixeldq_with", lambda mask, ramp, name=name: answers[name])
        with pytest.raises(QualityCheckFailed, match=words):
            quality_check.main(mask, ramp, report, nowhere)
        assert not report.exists()
    monkeypatch.setattr(quality_check, "pixeldq_with", lambda mask, ramp: answers["passed"])
    quality_check.main(mask, ramp, report, nowhere)
    found = json.loads(report.read_text())
    assert (found["passed"], found["ramp"], found["pixels_per_flag"]["HOT"]) == (True, "ramp.fits", 1)
    # The ramp has fewer rows than the mask: only flags in its rows are checked.
    part = fits.getheader(mask)
    part["SUBSTRT2"], part["SUBSIZE2"] = part["SUBSTRT2"] + 2, 3
    fits.PrimaryHDU(header=part).writeto(ramp, overwrite=True)
    monkeypatch.setattr(quality_check, "pixeldq_with", lambda mask, ramp: (image()[2:5], "mask.fits"))
    quality_check.main(mask, ramp, report, nowhere)
    assert json.loads(report.read_text())["pixels_per_flag"] == count_flags(image()[2:5])


@pytest.mark.parametrize("extension", ["DQ", "DQ_DEF"])
def test_a_flipped_bit_of_the_flags_or_of_their_names_is_refused(extension, tmp_path):
    """Another name of a flag in DQ_DEF would drop the flag from every pixel."""
    path = tmp_path / "mask.fits"
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(np.full((4, 4), 2048, np.uint32), name="DQ"),
            fits.BinTableHDU(dq_definition(np.full((4, 4), 2048, np.uint32)), name="DQ_DEF"),
        ]
    ).writeto(path, checksum=True)
    assert (read_mask(path) == 2048).all()
    with fits.open(path) as hdus:
        at = hdus.fileinfo(extension)["datLoc"] + 9
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(ProductError, match=rf"the data of {extension} changed after they were written"):
        read_mask(path)
