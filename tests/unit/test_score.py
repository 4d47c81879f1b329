"""The score, on a 4 x 5 detector worked by hand."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from badpix.dq import PIXEL_FLAGS
from badpix.score import Truth, flag_counts, score
from score import main

BITS = {"hot": 0, "DEAD": 1, "ADJ_OPEN": 2}
TYPES = pd.DataFrame({"CODE": [1, 2, 3], "NAME": ["dead", "hot", "minority_rc"], "EXPECTED": ["DEAD", "hot", ""]})


@pytest.fixture
def truth():
    codes = np.zeros((4, 5), int)
    codes[:, 4] = -1  # reference pixels
    codes[0, :3] = 1  # three dead
    codes[1, 0] = 2  # one hot
    codes[1, 1] = 3  # one minority pixel
    adjacent = np.zeros((4, 5), bool)
    adjacent[3, :2] = True
    return Truth(codes, adjacent, TYPES)


@pytest.fixture
def found():
    image = np.zeros((4, 5), np.uint32)
    image[0, :2] = 2  # two of three dead pixels
    image[2, 2:4] = 2  # and two healthy ones called dead
    image[2, 4] = 2  # a reference pixel does not count
    image[3, :2] = 4  # both neighbours of the open pixel
    image[3, 3] = 1  # a healthy one called hot
    return image


@pytest.fixture
def dq(found):
    mask = np.where(found != 0, PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["DEAD"], 0).astype(np.uint32)
    mask[3, 3] = PIXEL_FLAGS["HOT"]
    return mask


def test_planted(found, dq, truth):
    planted = score(found, BITS, dq, truth)[0].set_index("type")
    dead = planted.loc["dead"]
    assert (dead.planted, dead.found, dead.flagged, dead.do_not_use) == (3, 2, 2, 2)
    assert dead.completeness == pytest.approx(2 / 3)
    assert dead.purity == 2 / 4  # two planted among the four science pixels called DEAD
    hot = planted.loc["hot"]
    assert (hot.found, hot.completeness, hot.purity) == (0, 0, 0)
    minority = planted.loc["minority_rc"]
    assert np.isnan(minority.completeness) and np.isnan(minority.purity) and minority.found_any == 0
    neighbours = planted.loc["next to open"]
    assert (neighbours.planted, neighbours.found, neighbours.purity) == (2, 2, 1)


def test_healthy(found, dq, truth):
    healthy = score(found, BITS, dq, truth)[1].set_index("type")
    assert healthy["healthy"].unique() == [9]  # 16 science pixels, 5 planted, 2 next to an open one
    assert healthy["healthy_flagged"].to_dict() == {
        "hot": 1,
        "DEAD": 2,
        "ADJ_OPEN": 0,
        "any flag in the mask": 3,
        "DO_NOT_USE in the mask": 2,
    }


def test_detection_type_that_was_not_run(found, dq, truth):
    """A run without darks has no bit for hot: nothing found, no purity, no error."""
    planted = score(found, {"DEAD": 1}, dq, truth)[0].set_index("type")
    assert planted.loc["hot", "found"] == 0 and np.isnan(planted.loc["hot", "purity"])


def test_shapes_must_agree(found, dq, truth):
    with pytest.raises(ValueError, match="different shapes"):
        score(found[:2], BITS, dq, truth)


def test_flag_counts_knows_the_highest_bit():
    dq = np.array([[PIXEL_FLAGS["REFERENCE_PIXEL"], PIXEL_FLAGS["DEAD"]]], np.uint32)
    assert flag_counts(dq).to_dict("list") == {"flag": ["DEAD", "REFERENCE_PIXEL"], "pixels": [1, 1]}


def test_script_prints_and_writes(found, dq, truth, tmp_path, capsys):
    from astropy.table import Table
    from stdatamodels.jwst.datamodels import MaskModel

    truth_hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(truth.codes.astype(np.int16), name="TRUTH"),
        fits.ImageHDU(truth.adjacent_to_open.astype(np.uint8), name="ADJ_OPEN"),
        fits.BinTableHDU(Table.from_pandas(TYPES), name="TYPES"),
    ]
    fits.HDUList(truth_hdus).writeto(tmp_path / "truth.fits")
    bits = Table({"BIT": list(BITS.values()), "TYPE": list(BITS)})
    evidence = [fits.PrimaryHDU(), fits.ImageHDU(found, name="FOUND"), fits.BinTableHDU(bits, name="TYPES")]
    fits.HDUList(evidence).writeto(tmp_path / "evidence.fits")
    with MaskModel(dq=dq) as model:
        model.dq_def = [(flag.bit_length() - 1, flag, name, name) for name, flag in PIXEL_FLAGS.items()]
        model.save(str(tmp_path / "mask.fits"))
    planted, _ = main(tmp_path / "truth.fits", tmp_path / "evidence.fits", tmp_path / "mask.fits", tmp_path / "out.csv")
    pd.testing.assert_frame_equal(planted, score(found, BITS, dq, truth)[0])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"mask: {tmp_path / 'mask.fits'}"
    assert any(line.split() == ["dead", "3", "DEAD", "2", "0.667", "2", "2", "2", "0.500"] for line in lines)
    assert len(pd.read_csv(tmp_path / "out.csv")) == 4
