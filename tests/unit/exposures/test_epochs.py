"""Exposures divided into epochs by their dates."""

import pytest

from badpix.config.check import ConfigError, load_schema, load_steps, validated
from badpix.exposures.epochs import divide, epochs_of
from badpix.exposures.inventory import Exposure, Inventory, InventoryError
from unit.config.test_check import CONFIG

SCHEMA = load_schema(CONFIG / "schemas" / "config.schema.yaml")
STEPS = load_steps(CONFIG / "schemas" / "detector1_steps.json")
LIMITS = {"min_darks": 1, "min_flats": 1, "flat_setup": None}


def exposure(kind, date, time="01:00:00", name=None):
    return Exposure(name or f"{kind[0]}{date}", kind, {"uncal": "file"}, {"DATE-OBS": date, "TIME-OBS": time})


def names(epochs):
    return {name: [exposure.name for exposure in members] for name, members in epochs.items()}


GIVEN = [
    exposure("flats", "2024-06-05"), exposure("darks", "2024-06-01"), exposure("darks", "2024-09-01"),
    exposure("flats", "2024-09-20"), exposure("darks", "2024-06-12"),
]  # fmt: skip


def test_a_gap_longer_than_allowed_begins_an_epoch():
    epochs, outside = epochs_of(GIVEN, {"max_gap_days": 20})
    assert names(epochs) == {
        "2024-06-01": ["d2024-06-01", "f2024-06-05", "d2024-06-12"],
        "2024-09-01": ["d2024-09-01", "f2024-09-20"],
    }
    assert not outside
    assert list(epochs_of(GIVEN, {"max_gap_days": 5})[0]) == ["2024-06-01", "2024-06-12", "2024-09-01", "2024-09-20"]


def test_the_gap_is_inclusive_and_counts_hours():
    pair = [exposure("darks", "2024-06-01", "12:00:00"), exposure("darks", "2024-06-02", "12:00:00")]
    assert len(epochs_of(pair, {"max_gap_days": 1})[0]) == 1
    pair[1] = exposure("darks", "2024-06-02", "12:00:01")
    assert len(epochs_of(pair, {"max_gap_days": 1})[0]) == 2


def test_ranges_hold_their_first_and_last_day():
    ranges = [
        {"name": "late", "start": "2024-09-01", "end": "2024-09-19"},
        {"name": "early", "start": "2024-05-01", "end": "2024-06-12"},
    ]
    epochs, outside = epochs_of(GIVEN, ranges)
    assert names(epochs) == {"late": ["d2024-09-01"], "early": ["d2024-06-01", "f2024-06-05", "d2024-06-12"]}
    assert outside == {"f2024-09-20": "DATE-OBS 2024-09-20 lies in no epoch"}
    assert list(epochs) == ["early", "late"], "ordered by time, not as in the list"


def inventory_of(exposures):
    kinds = {kind: {e.name: e for e in exposures if e.kind == kind} for kind in ("darks", "flats")}
    return Inventory({"NIS": kinds}, sets={"NIS": {"": kinds}}, rejected={"NIS": {"broken": "empty"}})


def test_without_epochs_a_detector_has_one_mask():
    inventory = inventory_of(GIVEN)
    divide(inventory, ["darks"], {"epochs": None})
    assert inventory.masks == inventory.detectors
    assert inventory.before("NIS") is None


def test_each_mask_has_a_mask_id_and_starts_with_its_first_exposure():
    inventory = inventory_of(GIVEN)
    divide(inventory, ["darks", "flats"], LIMITS | {"epochs": {"max_gap_days": 20}})
    early, late = "NIS/epochs/2024-06-01", "NIS/epochs/2024-09-01"
    assert list(inventory.masks) == [early, late]
    assert list(inventory.exposures(early, "flats")) == ["f2024-06-05"]
    assert len(inventory.exposures("NIS", "flats")) == 2, "the detector keeps all"
    assert inventory.start(late) == "2024-09-01 01:00:00"
    assert (inventory.before(early), inventory.before(late)) == (None, early)
    assert inventory.rejected[late] == {"broken": "empty"}, "exposures of another epoch are not left out"


def test_an_epoch_with_too_few_exposures_is_refused_and_the_rest_kept():
    ranges = [
        {"name": "a", "start": "2024-06-01", "end": "2024-06-11"},
        {"name": "b", "start": "2024-06-12", "end": "2024-09-10"},
        {"name": "c", "start": "2026-01-01", "end": "2026-12-31"},
    ]
    inventory = inventory_of(GIVEN)
    divide(inventory, ["darks", "flats"], LIMITS | {"epochs": ranges})
    assert list(inventory.masks) == ["NIS/epochs/a"]
    assert set(inventory.refused) == {"NIS/epochs/b", "NIS/epochs/c"}
    reason = inventory.refused["NIS/epochs/b"]
    assert reason.startswith("NIS/epochs/b: no mask, because 0 usable flats remain and min_flats is 1.")
    assert "broken: empty" in reason and "f2024-09-20: DATE-OBS 2024-09-20 lies in no epoch" in reason


def test_no_epoch_with_enough_exposures_is_an_error():
    with pytest.raises(InventoryError, match="NIS/epochs/2024-06-01: no mask, because 2 usable darks remain"):
        divide(inventory_of(GIVEN), ["darks"], {"flat_setup": None, "min_darks": 3, "epochs": {"max_gap_days": 20}})


# ---------------------------------------------------------------- the key


def check(epochs, **config):
    return validated({"darks": "d", "epochs": epochs} | config, SCHEMA, STEPS)["epochs"]


ROW = {"name": "a", "start": "2024-01-01", "end": "2024-02-01"}


def test_sound_epochs():
    import datetime

    assert check(None) is None
    assert check({"max_gap_days": 30}) == {"max_gap_days": 30}
    assert check([ROW | {"start": datetime.date(2024, 1, 1)}]) == [ROW], "YAML gives date objects"


@pytest.mark.parametrize(
    ("epochs", "words"),
    [
        ({}, "epochs: {} is not allowed; it needs max_gap_days"),
        ({"max_gap_days": 0.5}, "max_gap_days"),
        ({"gap": 3}, "it must be null, or {max_gap_days: a number from 1 to 36525}, or a list of"),
        ([], "it must be null"),
        ([{"name": "a", "start": "2024-01-01"}], "epochs[0]: has no end"),
        ([ROW | {"name": "a/b"}], "epochs[0].name: 'a/b' is not allowed"),
        ([ROW | {"start": "2024-13-01"}], "epochs[0].start: '2024-13-01' is not allowed; it must be a real date"),
        ([ROW | {"start": "1 June"}], "epochs[0].start: '1 June' is not allowed"),
        ([ROW | {"end": "2023-01-01"}], "epochs[0]: its end 2023-01-01 is before its start 2024-01-01"),
        ([ROW, ROW | {"start": "2024-03-01", "end": "2024-03-02"}], "epochs: the name 'a' is given twice"),
        ([ROW, ROW | {"name": "b", "start": "2024-02-01", "end": "2024-03-02"}], "share days"),
    ],
)
def test_unsound_epochs(epochs, words):
    with pytest.raises(ConfigError) as caught:
        check(epochs)
    assert words in str(caught.value)


def test_keys_that_need_a_further_key_name_it():
    with pytest.raises(
        ConfigError, match="compare_with: 'previous' is the mask of the preceding epoch, and epochs is null"
    ):
        check(None, compare_with="previous")
    with pytest.raises(ConfigError, match="max_new_fraction: 0.1 is not allowed without compare_with"):
        check(None, max_new_fraction=0.1)
