"""PEDIGREE and USEAFTER that do not fit the dates of the exposures."""

import datetime

import pytest

from badpix.config.dates import DEFAULT_USEAFTER, complete_pedigree, date_warnings
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
        ("GROUND", "2024-06-01 00:00:00", GROUND + FLIGHT, ["2 of 3 exposures are of flight, to 2024-07-01; set pedi"]),
        ("INFLIGHT GROUND", "2024-06-01 00:00:00", GROUND + FLIGHT, []),
        ("INFLIGHT GROUND", "2024-07-02 00:00:00", GROUND + FLIGHT, ["after the last exposure"]),
    ],
)
def test_warnings_of_the_dates(pedigree, useafter, starts, words):
    warnings = date_warnings(pedigree, useafter, starts)
    assert len(warnings) == len(words)
    assert all(part in warning for part, warning in zip(words, warnings, strict=True))


def test_pedigree_takes_its_dates_from_the_data():
    dates = ["2024-06-03", "2023-12-31", "2024-01-01"]
    assert complete_pedigree("INFLIGHT", dates) == "INFLIGHT 2023-12-31 2024-06-03"
    assert complete_pedigree("inflight ", dates[:1]) == "INFLIGHT 2024-06-03 2024-06-03"
    assert complete_pedigree("INFLIGHT 2022-01-01 2022-01-02", dates) == "INFLIGHT 2022-01-01 2022-01-02"
    assert complete_pedigree("GROUND", []) == "GROUND"
    with pytest.raises(ValueError, match="no exposure has"):
        complete_pedigree("INFLIGHT", [])


def test_pedigree_of_ground_and_flight_exposures_has_the_dates_of_flight():
    dates = ["2018-06-01", "2024-06-03", "2021-12-25"]
    assert complete_pedigree("INFLIGHT GROUND", dates) == "INFLIGHT 2021-12-25 2024-06-03"
    assert complete_pedigree("INFLIGHT GROUND", dates[:1]) == "GROUND"


def test_every_pedigree_is_valid_in_crds():
    from crds.certify.validators.core import JwstpedigreeValidator

    validator = JwstpedigreeValidator.__new__(JwstpedigreeValidator)
    for pedigree in ("GROUND", "MODEL", "DUMMY", "SIMULATION", "INFLIGHT", "INFLIGHT GROUND"):
        complete = complete_pedigree(pedigree, ["2018-06-01", "2024-06-03"])
        assert validator._check_pedigree_start_stop("mask.fits", complete) == pedigree.split()[0]  # noqa: SLF001
    with pytest.raises(ValueError, match="Invalid format"):
        validator._check_pedigree_start_stop("mask.fits", "INFLIGHT GROUND")  # noqa: SLF001
