"""Flats of other exposure types than the lamp: dark_exp_types and flat_exp_types."""

import pytest
from astropy.io import fits

from workflow.products import mask_header
from workflow.runner import snakemake, succeed

pytestmark = pytest.mark.pipeline


def test_types_are_chosen_by_configuration(finished_copy):
    """Flats of another EXP_TYPE are rejected with the key that allows them, and with the key the mask names them."""
    for path in (finished_copy / "flats").glob("*_uncal.fits"):
        path.unlink()
    given = finished_copy / "given"
    given.mkdir()
    for path in (finished_copy / "results" / "NIS" / "flats").glob("*_rateints.fits"):
        with fits.open(path) as hdus:
            hdus[0].header["EXP_TYPE"] = "NIS_EXTCAL"
            hdus.writeto(given / path.name)
    config = {"flats": None, "flat_slope_files": "given"}
    run = snakemake(finished_copy, "--dry-run", config=config)
    assert run.status != 0
    assert "EXP_TYPE is 'NIS_EXTCAL'; flats of NIS are NIS_LAMP; to use it, set flat_exp_types" in run.output
    config |= {"flat_exp_types": ["NIS_EXTCAL"]}
    refused = snakemake(finished_copy, "--dry-run", config=config | {"dark_exp_types": ["NIS_IMAGE"]})
    assert refused.status != 0 and "dark_exp_types[0]: 'NIS_IMAGE' is not allowed" in refused.output
    succeed(finished_copy, config=config)
    header = mask_header(finished_copy / "results" / "NIS")
    history = "".join(f"{card:<72}" for card in header["HISTORY"])
    assert "EXP_TYPE of the flats: 5 NIS_EXTCAL (flat_exp_types; the default is NIS_LAMP)" in history
