"""Flags of intermittent pixels in the mask: which pixels get them, and that they never count themselves."""

from dataclasses import dataclass

import numpy as np
import pytest

from badpix.formats.evidence_file import INTERMITTENT_FLAGGED, read_intermittent_flagged, write_evidence
from badpix.formats.provenance import Provenance
from badpix.formats.type_result import TypeResult
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import Geometry
from badpix.mask.intermittent import IntermittentSettings, StoredMasks, with_intermittent
from badpix.mask.make import MaskVote

PART = Geometry("SUB", 3, 2, 4, 3, -2, -1)
WHOLE = Geometry("FULL", 1, 1, 8, 6, -2, -1)
OTHER, UNUSABLE, HOT, REFERENCE = (
    np.uint32(PIXEL_FLAGS[name]) for name in ("OTHER_BAD_PIXEL", "DO_NOT_USE", "HOT", "REFERENCE_PIXEL")
)
FLAGS = ["OTHER_BAD_PIXEL", "DO_NOT_USE"]


@dataclass
class Exposures:
    """The parts of an ExposureSet that are read here; the first column are reference pixels."""

    geometry = PART
    science = np.broadcast_to(np.arange(4) > 0, (3, 4))


def at(*pixels):
    image = np.zeros((3, 4), bool)
    for x, y in pixels:
        image[y, x] = True
    return image


def vote(frame=PART, intermittent=None, **flags):
    """A mask with HOT at (3, 2), in the array of PART or in the full frame."""
    dq = np.zeros(frame.shape, np.uint32)
    dq[2 + PART.y_start - frame.y_start, 3 + PART.x_start - frame.x_start] = HOT
    dq[0 + PART.y_start - frame.y_start, 0 + PART.x_start - frame.x_start] = REFERENCE
    results = {"hot": TypeResult(at((3, 2)), at(), intermittent=intermittent), "rc": TypeResult(at(), at())}
    return MaskVote(Exposures(), results, {}, dq, frame, flags={"hot": int(HOT), "rc": 1 << 14} | flags)


def settings(flags=FLAGS, sources=("exposures", "masks")):
    return IntermittentSettings(flags, sources)


def evidence(path, **found):
    results = {name: TypeResult(image, at()) for name, image in found.items()}
    write_evidence(path, results, {}, "NIS", Provenance())
    return str(path)


def flagged(mask):
    return {(int(x), int(y)) for y, x in np.argwhere(mask.dq & OTHER)}


def test_without_flags_nothing_changes():
    given = vote(intermittent=at((1, 1)))
    assert with_intermittent(given, settings([]), [], StoredMasks(1, [3], [2])) is given


def test_pixels_of_single_exposures_and_of_earlier_masks_get_the_flags(tmp_path):
    earlier = evidence(tmp_path / "e.fits", hot=at((2, 0), (3, 2)), rc=at((2, 1)))
    stored = StoredMasks(1, [2 + 2, 100, 0], [1 + 2, 1, 0])  # (2, 2) of the array, and pixels outside of it
    made = with_intermittent(vote(intermittent=at((1, 1), (3, 2))), settings(), [earlier], stored)
    assert flagged(made) == {(1, 1), (2, 0), (2, 1), (2, 2)}, "(3, 2) has flags by the vote"
    assert made.dq[1, 1] == OTHER | UNUSABLE and made.dq[2, 3] == HOT
    assert made.measured[INTERMITTENT_FLAGGED][0][1, 1:3].tolist() == [1, 2]
    assert made.notes == (
        "Intermittent pixels without a flag by the vote: 4 (1 from exposures, 3 from masks) have"
        " DO_NOT_USE+OTHER_BAD_PIXEL",
        "Earlier masks for intermittent pixels: 1 of epochs of this run, 1 of the history",
    )


@pytest.mark.parametrize(("source", "expected"), [("exposures", {(1, 1)}), ("masks", {(2, 0)})])
def test_a_source_can_be_left_out(tmp_path, source, expected):
    earlier = evidence(tmp_path / "e.fits", hot=at((2, 0)))
    made = with_intermittent(vote(intermittent=at((1, 1))), settings(sources=[source]), [earlier], StoredMasks())
    assert flagged(made) == expected


def test_reference_pixels_and_types_without_flags_are_left_out(tmp_path):
    earlier = evidence(tmp_path / "e.fits", hot=at((0, 0)), rc=at((1, 1)))
    made = with_intermittent(vote(rc=0), settings(), [earlier], StoredMasks(1, [2], [1]))
    assert flagged(made) == set()


def test_in_the_full_frame_the_pixels_are_at_their_position(tmp_path):
    earlier = evidence(tmp_path / "e.fits", hot=at((2, 0)))
    made = with_intermittent(
        vote(WHOLE, intermittent=at((1, 1))), settings(), [earlier], StoredMasks(1, [5, 7], [3, 5])
    )
    assert flagged(made) == {(4, 1), (3, 2)}, "(5, 3) is hot now, (7, 5) was not measured"


def test_flags_of_intermittent_pixels_do_not_enter_the_evidence_of_the_next_mask(tmp_path):
    """Otherwise a pixel that was bad once would stay flagged for ever, as the evidence for itself."""
    first = evidence(tmp_path / "1.fits", hot=at((2, 0)))
    second = with_intermittent(vote(), settings(), [first], StoredMasks())
    path = tmp_path / "2.fits"
    write_evidence(path, second.results, second.measured, "NIS", Provenance())
    assert flagged(second) == {(2, 0)} and read_intermittent_flagged(path)[0, 2] == 2
    third = with_intermittent(vote(), settings(), [str(path)], StoredMasks())
    assert flagged(third) == set()


def test_what_was_left_out_is_said():
    made = with_intermittent(
        vote(), settings(), [], StoredMasks(left_out=["2 made with other settings (b)"], n_overlapping=1)
    )
    assert made.notes[-1] == (
        "Earlier masks for intermittent pixels: 0 of epochs of this run, 0 of the history; left out: 2 made with other"
        " settings (b), 1 with exposures of the time of this mask or later"
    )
