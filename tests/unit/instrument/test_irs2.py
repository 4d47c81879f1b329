"""The rows of raw IRS2 files: compared with the pipeline, and in all functions that read or write such files."""

import numpy as np
import pytest
from astropy.io import fits

from badpix.core.errors import BadExposure
from badpix.detector1.pipeline import check_uncal, steps_for
from badpix.formats.mask_file import MaskHeader, read_mask, write_mask
from badpix.instrument import irs2
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import Geometry
from badpix.statistics.flat import measure_flat

REFERENCE = PIXEL_FLAGS["REFERENCE_PIXEL"]
TEXTS = {"author": "a", "description": "b", "pedigree": "GROUND", "useafter": "2024-01-01T00:00:00"}
HEADER = {"READPATT": "NRSIRS2RAPID", "DETECTOR": "NRS1", "NGROUPS": 5, "SUBSIZE1": 4, "SUBSIZE2": 2048, "NINTS": 1}


def raw_ramps(detector, n_groups=5, n_columns=4):
    """Ramps (1, group, 3200, x) with 10 x group + row (of 2048) at science pixels and 60000 in interleaved rows."""
    raw = np.full((1, n_groups, 3200, n_columns), 60000, np.uint16)
    for group in range(n_groups):
        raw[0, group, irs2.science_rows(detector)] = (np.arange(2048) + 10 * group)[:, None]
    return raw


def write_raw(path, raw, **keywords):
    header = fits.Header({key: value for key, value in (HEADER | keywords).items() if value is not None})
    fits.HDUList([fits.PrimaryHDU(header=header), fits.ImageHDU(raw, name="SCI")]).writeto(path)
    return path


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_science_rows_are_those_of_the_pipeline(detector):
    from jwst.saturation import x_irs2
    from stdatamodels.jwst.datamodels import RampModel

    raw = np.arange(3200 * 3, dtype=np.float32).reshape(1, 1, 3200, 3)
    model = RampModel(data=raw)
    model.meta.instrument.detector = detector
    model.meta.exposure.nrs_normal, model.meta.exposure.nrs_reference = 16, 4
    expected = x_irs2.from_irs2(raw, x_irs2.make_mask(model), detector)
    assert np.array_equal(irs2.take_science(raw, detector), expected)


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_interleave_and_take(detector):
    image = np.arange(2048 * 3, dtype=np.uint32).reshape(2048, 3)
    raw = irs2.interleave(image, detector, np.uint32(7))
    assert raw.shape == (3200, 3) and raw.dtype == np.uint32
    assert np.array_equal(irs2.take_science(raw, detector), image)
    assert (raw[~irs2.science_rows(detector)] == 7).all()


@pytest.mark.parametrize("rows", [slice(0, 2048), slice(0, 9), slice(100, 612), slice(2000, 2048)])
@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_section_reads_rows_of_pixels(rows, detector, tmp_path):
    raw = raw_ramps(detector)
    with fits.open(write_raw(tmp_path / "a_uncal.fits", raw, DETECTOR=detector)) as hdus:
        section = irs2.science_section(hdus)
        assert section.shape == (1, 5, 2048, 4)
        block = section[0, -2:, rows]
    expected = np.arange(2048)[rows, None] + np.array([30, 40])[:, None, None] + np.zeros(4)
    assert np.array_equal(block, expected)


def test_section_of_a_file_without_irs2_is_the_file(tmp_path):
    raw = np.arange(40, dtype=np.uint16).reshape(1, 2, 4, 5)
    with fits.open(write_raw(tmp_path / "a_uncal.fits", raw, READPATT="NRSRAPID")) as hdus:
        section = irs2.science_section(hdus)
        assert section.shape == raw.shape
        assert np.array_equal(section[0, -1:, slice(1, 3)], raw[0, -1:, 1:3])


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({}, None),
        ({"NRS_NORM": 16, "NRS_REF": 4}, None),
        ({"NRS_NORM": 8}, "NRS_NORM = 8 is not supported"),
        ({"NRS_REF": 2}, "NRS_REF = 2 is not supported"),
        ({"DETECTOR": "NIS"}, "DETECTOR is 'NIS'"),
    ],
)
def test_unsupported_interleaving_is_refused(keywords, words, tmp_path):
    path = write_raw(tmp_path / "a_uncal.fits", raw_ramps("NRS1"), **keywords)
    if words is None:
        check_uncal(path)
    else:
        with pytest.raises(BadExposure, match=words):
            check_uncal(path)


@pytest.mark.parametrize(("rows", "subsize"), [(2048, 2048), (3200, 3000)])
def test_other_numbers_of_rows_are_refused(rows, subsize, tmp_path):
    raw = np.full((1, 5, rows, 4), 9, np.uint16)
    with pytest.raises(BadExposure, match="has shape"):
        check_uncal(write_raw(tmp_path / "a_uncal.fits", raw, SUBSIZE2=subsize, READPATT="NRSIRS2"))


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_flux_check_sees_the_pixels(detector, tmp_path):
    """LAST_GROUPS, the mean of the last four groups, is of science pixels and not of interleaved rows."""
    header = HEADER | {"DETECTOR": detector, "S_RAMP": "COMPLETE"}
    images = {"SCI": 1.0, "DQ": 0, "VAR_POISSON": 1.0, "VAR_RNOISE": 1.0}
    values = np.random.default_rng(1).normal(5, 1, (1, 2048, 4)).astype(np.float32)
    rateints = fits.HDUList([fits.PrimaryHDU(header=fits.Header(header))])
    for name, value in images.items():
        data = values if name == "SCI" else np.full((1, 2048, 4), value, np.uint32 if name == "DQ" else np.float32)
        rateints.append(fits.ImageHDU(data, name=name))
    rateints.writeto(tmp_path / "a_rateints.fits")
    raw = write_raw(tmp_path / "a_uncal.fits", raw_ramps(detector), DETECTOR=detector)
    with fits.open(tmp_path / "a_rateints.fits") as rates, fits.open(raw) as uncal:
        writer = measure_flat("a", rates, uncal)
    assert np.array_equal(writer.planes["LAST_GROUPS"][0], np.arange(2048)[:, None] + 25 + np.zeros(4))


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_mask_for_irs2(detector, tmp_path):
    """Written with the rows of raw files, read with the rows of the products."""
    dq = np.zeros((2048, 2048), np.uint32)
    dq[10, 20], dq[2047, 0] = PIXEL_FLAGS["HOT"], PIXEL_FLAGS["DEAD"] | 1
    identity = {"instrument": "NIRSPEC", "detector": detector}
    geometry = Geometry("FULL", 1, 1, 2048, 2048, 2, 1)
    write_mask(tmp_path / "mask.fits", dq, geometry, MaskHeader(identity, TEXTS, irs2_rows=True))
    raw = fits.getdata(tmp_path / "mask.fits", "DQ")
    assert raw.shape == (3200, 2048)
    assert np.array_equal(read_mask(tmp_path / "mask.fits"), dq)
    assert fits.getval(tmp_path / "mask.fits", "SUBSIZE2") == 2048


class TestSteps:
    """The steps of detector1 for a raw file."""

    def test_irs2_gets_a_mask_of_its_rows(self, tmp_path):
        dq = np.zeros((2048, 2048), np.uint32)
        dq[:4] = REFERENCE
        identity = {"instrument": "NIRSPEC", "detector": "NRS2"}
        geometry = Geometry("FULL", 1, 1, 2048, 2048, -2, -1)
        given = tmp_path / "reference_pixel_mask.fits"
        write_mask(given, dq, geometry, MaskHeader(identity, TEXTS))
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        raw = write_raw(tmp_path / "a_uncal.fits", raw_ramps("NRS2"), DETECTOR="NRS2")
        before = {"dq_init": {"override_mask": str(given)}, "jump": {"skip": False}}
        steps = steps_for(raw, before, scratch)
        assert before["dq_init"]["override_mask"] == str(given)
        assert steps == {"dq_init": {"override_mask": str(scratch / given.name)}, "jump": {"skip": False}}
        assert fits.getdata(scratch / given.name, "DQ").shape == (3200, 2048)
        assert np.array_equal(read_mask(scratch / given.name), dq)

    @pytest.mark.parametrize(
        ("subarray", "given", "skipped"),
        [
            ("SUB512", {}, True),
            ("SUB512", {"skip": False}, False),
            ("SUB2048", {}, None),
        ],
    )
    def test_refpix_without_reference_pixels(self, subarray, given, skipped, tmp_path):
        raw = np.zeros((1, 5, 4, 4), np.uint16)
        path = write_raw(tmp_path / "a_uncal.fits", raw, READPATT="NRSRAPID", SUBARRAY=subarray)
        steps = steps_for(path, {"refpix": given}, tmp_path, edgeless=("SUB512", "SUB32"))
        assert steps["refpix"].get("skip") is skipped
