"""Flags of intermittent pixels: bad at some times, and without any flag by the vote of this mask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from badpix.config.settings import Settings
from badpix.core.logs import logger
from badpix.formats.evidence_file import INTERMITTENT_FLAGGED, read_evidence
from badpix.formats.pixel_types import PIXEL_TYPES
from badpix.instrument.dq import PIXEL_FLAGS, bits
from badpix.instrument.geometry import Geometry, embed
from badpix.mask.make import MaskVote

EXPOSURES, MASKS = "exposures", "masks"
# Values of the plane INTERMITTENT_FLAGGED, which are added where both sources have the pixel.
BIT = {EXPOSURES: 1, MASKS: 2}
# Flags that do not make a pixel bad.
NOT_BAD = bits(("REFERENCE_PIXEL", "NON_SCIENCE"))


@dataclass(frozen=True)
class IntermittentSettings(Settings):
    """The configuration keys of intermittent pixels, under the same names."""

    intermittent: Sequence[str]
    intermittent_from: Sequence[str]


@dataclass(frozen=True)
class StoredMasks:
    """Earlier masks in the history of the detector: their number, and the pixels with a flag in any of them.

    `x` and `y` are 0-based in the full frame. `left_out` are the numbers of earlier masks left out with the reasons, as
    texts; `n_overlapping` is that of masks whose exposures do not end before those of this mask, left out too.
    """

    n_masks: int = 0
    x: np.ndarray | tuple = ()
    y: np.ndarray | tuple = ()
    left_out: Sequence[str] = ()
    n_overlapping: int = 0

    def image(self, frame: Geometry) -> np.ndarray:
        """Boolean image (y, x) of the pixels on the array `frame`."""
        image = np.zeros(frame.shape, bool)
        x, y = (np.asarray(values, int) for values in (self.x, self.y))
        x, y = x - frame.x_start + 1, y - frame.y_start + 1
        inside = (x >= 0) & (y >= 0) & (x < frame.n_columns) & (y < frame.n_rows)
        image[y[inside], x[inside]] = True
        return image


def found_in(evidence: str, flagged: Mapping[str, bool]) -> np.ndarray:
    """Boolean image (y, x) of the pixels that the vote of an evidence file found, of the types with a flag."""
    earlier = read_evidence(evidence)
    types = [name for name in earlier.bit_of if flagged.get(name, True)]
    return np.logical_or.reduce([earlier.is_found(name) for name in types] or [np.zeros(earlier.found.shape, bool)])


def with_intermittent(
    vote: MaskVote, settings: IntermittentSettings, evidence: Sequence[str], stored: StoredMasks
) -> MaskVote:
    """The mask with the flags of intermittent pixels; as it was if the configuration has no such flags.

    Parameters
    ----------
    vote : MaskVote
        The mask as voted.
    settings : IntermittentSettings
        Flags and sources.
    evidence : sequence of paths
        Evidence files of the masks of the epochs before.
    stored : StoredMasks
        Masks of earlier runs.
    """
    if not settings.intermittent:
        return vote
    geometry, frame, science = vote.exposures.geometry, vote.frame, vote.exposures.science
    sources, texts = dict.fromkeys(BIT, np.zeros(frame.shape, bool)), []
    if EXPOSURES in settings.intermittent_from:
        lists = [result.intermittent for result in vote.results.values() if result.intermittent is not None]
        image = np.logical_or.reduce([*lists, np.zeros(geometry.shape, bool)])
        sources[EXPOSURES] = embed(image & science, geometry, frame)
    if MASKS in settings.intermittent_from:
        flagged = {name: bool(vote.flags.get(name, 1)) for name in PIXEL_TYPES}
        images = [embed(found_in(path, flagged) & science, geometry, frame) for path in evidence]
        measured = embed(science, geometry, frame)
        sources[MASKS] = np.logical_or.reduce([*images, stored.image(frame) & measured])
        texts = _earlier_masks(len(evidence), stored)
    good = (vote.dq & ~np.uint32(NOT_BAD)) == 0
    plane = np.zeros(frame.shape, np.uint8)
    for name, image in sources.items():
        plane[image & good] += np.uint8(BIT[name])
    dq = np.where(plane > 0, vote.dq | np.uint32(bits(settings.intermittent)), vote.dq)
    counts = [f"{int((plane & BIT[name] > 0).sum())} from {name}" for name in settings.intermittent_from]
    notes = (
        f"Intermittent pixels without a flag by the vote: {int((plane > 0).sum())} ({', '.join(counts)}) have"
        f" {'+'.join(sorted(settings.intermittent, key=list(PIXEL_FLAGS).index))}",
        *texts,
    )
    for note in notes:
        logger.info("%s", note)
    measured_images = vote.measured | {INTERMITTENT_FLAGGED: (plane, None)}
    return replace(vote, dq=dq, measured=measured_images, notes=(*vote.notes, *notes))


def _earlier_masks(n_epochs: int, stored: StoredMasks) -> list[str]:
    """What the search in earlier masks used, and what it left out."""
    text = f"Earlier masks for intermittent pixels: {n_epochs} of epochs of this run, {stored.n_masks} of the history"
    left_out = list(stored.left_out)
    if stored.n_overlapping:
        left_out.append(f"{stored.n_overlapping} with exposures of the time of this mask or later")
    return [text + (f"; left out: {', '.join(left_out)}" if left_out else "")]
