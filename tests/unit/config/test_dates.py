"""PEDIGREE and USEAFTER that do not fit the dates of the exposures."""

import datetime

import pytest

from badpix.config.dates import DEFAULT_USEAFTER, date_warnings
from unit.config.test_check import SCHEMA

FLIGHT = [datetime.datetime(2024, 6, 1), datetime.datetime(2024, 7, 1, 12)]
GROUND = [datetime.datetime(2018, 6, 1)]
DEFAULT = "2019-04-01 00:00:00"


def test_the_default_is_that_of_the_schema():
    assert SCHEMA["properties"]["useafter"]["default"] == DEFAULT == str(DEFAULT_USEAFTER)


@pytest.mark.parametrize(
    ("pedigree", "useafter", "starts", "words"),
    [
        ("GROUND", "2024-06-01 00:00:00", FLIGHT, ["pedigree is GROUND, but the exposures are of 2024-06-01 to 2024-"]),
        ("GROUND", DEFAULT, FLIGHT[:1], ["pedigree is GROUND, but the exposures are of 2024-06-01, in", "the default"]),
        ("INFLIGHT", DEFAULT, FLIGHT, ["useafter is the default 2019-04-01 00:00:00, but the exposures are of 2024"]),
        ("INFLIGHT", "2024-07-01 12:00:01", FLIGHT, ["after the last exposure (2024-07-01 12:00:00)"]),
        ("INFLIGHT 2024-06-01 2024-07-01", "2024-07-01T12:00:00", FLIGHT, []),
        ("GROUND", DEFAULT, GROUND, []),
        ("GROUND", "2019-01-01 00:00:00", GROUND, []),
        ("SIMULATION", DEFAULT, FLIGHT, []),
        ("INFLIGHT", DEFAULT, [], []),
    ],
)
def test_warnings_of_the_dates(pedigree, useafter, starts, words):
    warnings = date_warnings(pedigree, useafter, starts)
    assert len(warnings) == len(words)
    assert all(part in warning for part, warning in zip(words, warnings, strict=True))
