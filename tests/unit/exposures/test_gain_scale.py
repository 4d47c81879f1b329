"""Whether the rates of a dark are in units of the gain reference file."""

import pytest
from astropy.io import fits

from badpix.exposures.gain_scale import rates_are_scaled
from badpix.exposures.header_cache import HeaderCache
from badpix.exposures.inventory import Exposure


def dark(tmp_path, uncal=False, **rateints):
    """A dark of given products whose rateints file has these keywords; with `uncal` of a raw file and its rates."""
    files = {}
    for product, header in {"jump": {"S_GANSCL": "SKIPPED"}, "rateints": rateints, "fitopt": {}}.items():
        files[product] = str(tmp_path / f"{product}.fits")
        primary = fits.PrimaryHDU()
        primary.header.update(header)
        fits.HDUList([primary, fits.ImageHDU(name="SCI")]).writeto(files[product])
    if uncal:
        files = {"rateints": files["rateints"], "uncal": "raw.fits"}
    return Exposure("a", "darks", files, {})


@pytest.mark.parametrize(
    ("rateints", "skip", "expected"),
    [
        ({"S_GANSCL": "COMPLETE"}, True, True),
        ({"S_GANSCL": "SKIPPED"}, False, False),
        ({}, True, False),
        ({}, False, True),
    ],
)
def test_given_rates_tell_it_themselves(tmp_path, rateints, skip, expected):
    steps = {"gain_scale": {"skip": skip}}
    assert rates_are_scaled(dark(tmp_path, **rateints), HeaderCache(None).header_info, steps) is expected


def test_rates_of_a_raw_file_are_made_as_configured(tmp_path):
    given = dark(tmp_path, uncal=True, S_GANSCL="SKIPPED")
    assert rates_are_scaled(given, HeaderCache(None).header_info, {}) is True
    assert rates_are_scaled(given, HeaderCache(None).header_info, {"gain_scale": {"skip": True}}) is False
