"""Flats of other exposure types than the lamp: dark_exp_types and flat_exp_types, and the sources of the sky."""

import numpy as np
import pytest
from astropy.io import fits

from badpix.formats.evidence_file import read_evidence
from badpix.formats.mask_file import read_warnings
from unit.response.sky_flats import DITHERS, PIXEL_DEG
from workflow.files_page import undescribed
from workflow.products import mask_header
from workflow.runner import snakemake, succeed

pytestmark = pytest.mark.pipeline

FLIGHT = {"flat_vote_unit": "exposure", "dead_search_type": "absolute_rate", "smoothing_type": "Plane"}
# The light of a star on 5 x 5 pixels, as a part of the sky.
STAR = 8 * np.exp(-np.add.outer(np.arange(-2, 3) ** 2, np.arange(-2, 3) ** 2) / 1.5)
STARS = ((30, 30), (20, 45), (42, 18))


def write_sky_flats(source, target):
    """Flats of a run as exposures of the sky, dithered, with the same stars."""
    target.mkdir()
    for path, (dy, dx) in zip(sorted(source.glob("*_rateints.fits")), DITHERS, strict=True):
        with fits.open(path) as hdus:
            hdus[0].header["EXP_TYPE"] = "NIS_EXTCAL"
            pointing = {"CRVAL1": 80 - dx * PIXEL_DEG, "CRVAL2": -dy * PIXEL_DEG, "CDELT1": PIXEL_DEG}
            hdus["SCI"].header.update(pointing)
            for y, x in STARS:
                y, x = y + dy // 2, x + dx // 2
                hdus["SCI"].data[:, y - 2 : y + 3, x - 2 : x + 3] *= 1 + STAR
            hdus.writeto(target / path.name)


def test_flats_of_the_sky(finished_copy):
    """They are rejected with the key that allows them; with the key they give the flat types of the lamp."""
    results = finished_copy / "results" / "NIS"
    of_lamp = read_evidence(results / "evidence.fits")
    unused = succeed(finished_copy, "--dry-run", config={"keep_intermediates": True, "source_threshold": 4.0})
    assert "sky_response" not in unused.jobs and "flat_response" not in unused.jobs
    for path in (finished_copy / "flats").glob("*_uncal.fits"):
        path.unlink()
    write_sky_flats(results / "flats", finished_copy / "given")
    config = FLIGHT | {"flats": None, "flat_slope_files": "given"}
    run = snakemake(finished_copy, "--dry-run", config=config)
    assert run.status != 0
    assert "EXP_TYPE is 'NIS_EXTCAL'; flats of NIS are NIS_LAMP; to use it, set flat_exp_types" in run.output
    config |= {"flat_exp_types": ["NIS_EXTCAL"]}
    run = succeed(finished_copy, config=config)
    assert run.jobs["sky_response"] == 5 and "exposure_response" not in run.jobs
    header = mask_header(results)
    history = "".join(f"{card:<72}" for card in header["HISTORY"])
    assert "EXP_TYPE of the flats: 5 NIS_EXTCAL (flat_exp_types; the default is NIS_LAMP)" in history
    assert header["BADPIX source_growth"] == 2
    assert not any("flats of the sky" in warning for warning in read_warnings(results / "test_bpm.fits"))
    evidence = read_evidence(results / "evidence.fits")
    assert (evidence.measured["NCOVERED"] > 0).sum() > 100 and evidence.measured["NCOVERED"].max() < 5
    for name in ("LOW_QE", "OPEN"):
        found, expected = evidence.is_found(name), of_lamp.is_found(name)
        assert (found & ~expected).sum() <= 1 and expected.sum() - (found & expected).sum() <= 1, name
    assert undescribed(results) == []
    changed = succeed(finished_copy, "--dry-run", config=config | {"source_threshold": 4.0})
    assert changed.jobs == {"sky_response": 5, "compare_exposures": 1, "flat_response": 1, "bad_pixel_mask": 1}
