"""Earlier masks of a detector: which pixels they agree on, and since when."""

import numpy as np
import pytest

from badpix.formats.pixel_types import PIXEL_TYPES
from badpix.history.files import extend_history
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.mask.flags import TypeFlags
from badpix.pixels.earlier import Sources, earlier_masks, stored_digest
from badpix.pixels.known_check import agreed_pixels
from unit.history.test_entries import DEAD, HOT, entry
from unit.pixels.test_known_list import NIS


def bad(*pixels, flag=HOT):
    dq = np.zeros((3, 4), np.uint32)
    for x, y in pixels:
        dq[y, x] = flag
    return dq


@pytest.fixture
def directory(tmp_path):
    """(1, 2) is bad in all masks, (2, 2) in two of them, and (3, 3) in the only mask that has it."""
    reference = np.full((3, 4), PIXEL_FLAGS["REFERENCE_PIXEL"], np.uint32)
    entries = [
        entry("a", "2024-01-01", bad((1, 2), (2, 2)), settings="a"),
        entry("b", "2024-02-01", bad((1, 2), flag=DEAD), settings="b"),
        entry("c", "2024-03-01", bad((0, 1), (2, 2)), x_start=2, y_start=2),
        entry("d", "2024-04-01", bad((1, 2), (2, 2)) | reference, settings="a"),
        # Its exposures end on the day after the start of the mask.
        entry("overlap", "2024-05-31", bad((0, 0))),
        entry("later", "2024-09-01", bad((3, 0)), settings="a"),
    ]
    extend_history(tmp_path, entries)
    return str(tmp_path)


def agreed(earlier, min_masks):
    return {(int(x), int(y)) for y, x in np.argwhere(earlier.agreed(min_masks))}


def sources(directory, start="2024-05-31T12:00:00", epochs=(), also="all"):
    return Sources(directory, start, epochs, settings="a", also=also)


def test_masks_agree_on_the_pixels_that_all_of_them_have(directory):
    earlier = earlier_masks(sources(directory), NIS)
    assert (earlier.number, earlier.n_stored) == (4, 4)
    assert agreed(earlier, 1) == {(1, 2), (3, 3)}, "(2, 2) is good in b; (3, 3) is in the array of c alone"
    assert agreed(earlier, 2) == {(1, 2)}
    assert earlier.n_masks[2, 1] == 4 and earlier.n_masks[3, 3] == 1 and earlier.n_masks[0, 0] == 3
    assert earlier.flags[2, 1] == HOT | DEAD
    assert str(earlier.first_seen[2, 1])[:10] == "2024-01-01" and np.isnat(earlier.first_seen[0, 0])


def test_masks_of_other_settings_do_not_count(directory):
    earlier = earlier_masks(sources(directory, also=()), NIS)
    assert earlier.number == 2 and agreed(earlier, 2) == {(1, 2), (2, 2)}, "(2, 2) is good in b, a trial"
    assert earlier.left_out == [
        "1 made with other settings (b)",
        "1 of an earlier version, without a record of the settings (unknown)",
    ]
    assert earlier_masks(sources(directory, also=["b"]), NIS).number == 3
    table = dict.fromkeys(PIXEL_TYPES, TypeFlags(("HOT",), True))
    assert agreed_pixels(earlier, 2, table).source.startswith("2 earlier masks (left out: 1 made with other settings")


def test_epochs_of_the_run_and_later_masks_are_left_out(directory):
    assert earlier_masks(sources(directory, epochs=("b", "")), NIS).number == 3
    assert earlier_masks(sources(directory, "2023-05-31T12:00:00"), NIS).number == 0
    assert earlier_masks(Sources(f"{directory}/none", "2024-05-31T12:00:00"), NIS).number == 0
    assert not earlier_masks(Sources(f"{directory}/none", "2024-05-31T12:00:00"), NIS).agreed(1).any()


def test_the_digest_changes_with_the_earlier_masks_alone(directory):
    fields = {"directory": directory, "start": "2024-05-31T12:00:00", "settings": "a"}
    before = stored_digest(fields)
    extend_history(directory, [entry("newer", "2024-10-01", bad((0, 0)))])
    assert stored_digest(fields) == before
    extend_history(directory, [entry("trial", "2024-02-02", bad((0, 0)), settings="b")])
    assert stored_digest(fields) == before
    extend_history(directory, [entry("b2", "2024-02-02", bad((0, 0)), settings="a")])
    assert stored_digest(fields) != before
    assert stored_digest(fields | {"directory": f"{directory}/none"}) == ""
