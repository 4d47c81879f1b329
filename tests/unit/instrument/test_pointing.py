"""Distances of pointings in pixels."""

import math

import pytest

from badpix.instrument.pointing import distance

PIXEL = 0.065 / 3600


def wcs(ra, dec, **more):
    return {"CRVAL1": ra, "CRVAL2": dec, "CDELT1": -PIXEL, "DETECTOR": "NIS"} | more


def test_distance_on_the_sky_in_pixels():
    assert distance(wcs(80, 0), wcs(80, 3 * PIXEL)) == pytest.approx(3)
    assert distance(wcs(80, 60), wcs(80 + 4 * PIXEL, 60)) == pytest.approx(2)
    assert distance(wcs(359.99999, 0), wcs(360 - 359.99999, 0)) == pytest.approx(0.00002 / PIXEL)
    assert distance(wcs(80, 0), wcs(80, 0)) == 0


def test_a_roll_moves_sources_too():
    assert distance(wcs(80, 0, PA_V3=10.0), wcs(80, 0, PA_V3=70.0)) > 50


def test_without_the_position_of_the_array_that_of_the_telescope():
    first, second = ({"RA_V1": 10.0, "DEC_V1": dec, "DETECTOR": "NRCA1"} for dec in (0.0, 0.31 / 3600))
    assert distance(first, second) == pytest.approx(10)
    assert distance(first, second | {"DETECTOR": "X"}) == pytest.approx(10)
    assert math.isnan(distance(first | {"DETECTOR": "X"}, second))


def test_offsets_of_dithers_on_the_same_target():
    target = {"TARG_RA": 1.0, "TARG_DEC": 2.0, "DETECTOR": "MIRIMAGE"}
    first, second = target | {"XOFFSET": 0.0, "YOFFSET": 0.0}, target | {"XOFFSET": 0.33, "YOFFSET": 0.44}
    assert distance(first, second) == pytest.approx(5)
    assert math.isnan(distance(first, second | {"TARG_RA": 9.0}))


@pytest.mark.parametrize("header", [{}, {"CRVAL1": "80", "CRVAL2": True, "DETECTOR": "NIS"}])
def test_an_unknown_pointing_has_no_distance(header):
    assert math.isnan(distance(header, header)) and math.isnan(distance(wcs(80, 0), header))
