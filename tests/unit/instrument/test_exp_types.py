"""The table of EXP_TYPEs agrees with the datamodels and with the detectors."""

import pytest

from badpix.instrument.exp_types import DARK, LAMP, LIGHT_OF, SKY, instrument_of, sees_sky, types_of
from unit.instrument.test_detectors import DETECTORS, schema_enum


def test_the_types_are_those_of_the_datamodels():
    assert set(LIGHT_OF) == schema_enum("exposure", "type") - {"N/A", "ANY"}
    assert {instrument_of(name) for name in LIGHT_OF} == {detector.instrument for detector in DETECTORS.values()}


@pytest.mark.parametrize("name", DETECTORS)
def test_the_defaults_of_a_detector_are_darks_and_lamps(name):
    detector = DETECTORS[name]
    assert instrument_of(name) == detector.instrument
    assert {LIGHT_OF[exp_type] for exp_type in detector.dark_exp_types} == {DARK}
    assert {LIGHT_OF[exp_type] for exp_type in detector.flat_exp_types} == {LAMP}
    assert set(detector.flat_exp_types) <= set(types_of("flats", detector.instrument))


def test_the_types_that_see_the_sky():
    assert {name for name in LIGHT_OF if sees_sky(name)} == {name for name, light in LIGHT_OF.items() if light == SKY}
    assert sees_sky("MIR_FLATIMAGE-EXT") and not sees_sky("MIR_FLATIMAGE") and not sees_sky(None)
