"""The masks of a history that a later mask may take intermittent pixels from."""

import numpy as np
import pytest

from badpix.history.earlier import Earlier, Series, masks_before, stored_masks
from badpix.history.entries import entry_key
from badpix.history.files import extend_history
from unit.history.test_entries import DEAD, HOT, entry

NOTHING = np.zeros((3, 4), np.uint32)


def hot(x, y):
    dq = NOTHING.copy()
    dq[y, x] = HOT
    return dq


@pytest.fixture
def directory(tmp_path):
    entries = [
        entry("like", "2024-01-01", hot(1, 2), settings="a"),
        entry("other", "2024-02-01", hot(2, 2), settings="b"),
        entry("unknown", "2024-02-05", hot(3, 2)),
        entry("shifted", "2024-03-01", hot(0, 0), x_start=4, y_start=2, settings="a"),
        entry("overlap", "2024-05-31", hot(0, 0), settings="a"),
        entry("later", "2024-09-01", hot(0, 1), settings="a"),
    ]
    extend_history(tmp_path, entries)
    return str(tmp_path)


def test_only_earlier_masks_of_the_same_settings_count(directory):
    series = Series(directory, "a", "2024-05-31T12:00:00")
    earlier = masks_before(series)
    assert list(earlier.digests) == [entry_key("NIS", name, [], "a") for name in ("like", "shifted")]
    other = "1 made with other settings (b)"
    unknown = "1 of an earlier version, without a record of the settings (unknown)"
    assert (earlier.left_out, earlier.n_overlapping) == ((other, unknown), 2)
    stored = stored_masks(series, earlier.digests)
    assert sorted(zip(stored.x, stored.y, strict=True)) == [(1, 2), (3, 1)], "in the full frame"
    assert (stored.n_masks, stored.left_out, stored.n_overlapping) == (2, (other, unknown), 2)


def test_settings_that_are_declared_to_be_comparable_count(directory):
    series = Series(directory, "a", "2024-05-31T12:00:00", also=("b",))
    earlier = masks_before(series)
    assert list(earlier.digests) == [
        entry_key("NIS", name, [], settings) for name, settings in (("like", "a"), ("other", "b"), ("shifted", "a"))
    ]
    assert {(2, 2)} < set(zip(*(stored_masks(series, earlier.digests).__dict__[axis] for axis in "xy"), strict=True))
    assert len(masks_before(Series(directory, "a", "2024-05-31T12:00:00", also="all")).digests) == 4


def test_the_epochs_of_the_run_are_not_taken_from_the_history(directory):
    earlier = masks_before(Series(directory, "a", "2024-05-31T12:00:00", ("like", "")))
    assert list(earlier.digests) == [entry_key("NIS", "shifted", [], "a")]


def test_another_mask_of_an_earlier_epoch_has_another_digest(directory, caplog):
    """It has the key of the entry that it replaces; a mask that read the old entry is not current."""
    series, key = Series(directory, "a", "2024-05-31T12:00:00"), entry_key("NIS", "like", [], "a")
    before = masks_before(series).digests
    extend_history(directory, [entry("newer", "2024-10-01", hot(3, 2), settings="a")])
    assert masks_before(series).digests == before, "an entry that is not earlier is not read"
    extend_history(directory, [entry("like", "2024-01-01", hot(1, 2) // HOT * DEAD, settings="a")])
    assert masks_before(series).digests == before, "the same pixels, with other flags"
    extend_history(directory, [entry("like", "2024-01-01", hot(1, 2) + hot(2, 0), settings="a")])
    after = masks_before(series).digests
    assert after.keys() == before.keys() and {k for k in after if after[k] != before[k]} == {key}
    assert not caplog.records
    stored_masks(series, before)
    assert "changed since the run began" in caplog.text


def test_without_a_history_there_are_no_earlier_masks(tmp_path):
    assert masks_before(Series(str(tmp_path / "none"), "a", "2024-06-01T00:00:00")) == Earlier({})
