"""Read what the score needs of a run: its evidence and its mask."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from badpix.formats.evidence_file import read_evidence
from badpix.formats.mask_file import read_mask
from badpix.instrument.geometry import cut, full_frame
from badpix.score.pixels import Findings

MASKS = "*_bpm.fits"


def read_findings(evidence: str | Path, mask: str | Path, geometry=None, detector=None) -> Findings:
    """Images FOUND, INSUFFICIENT and, if there, INTERMITTENT of an evidence file, and the mask.

    With the Geometry of the exposures and their Detector, a mask of the full frame is cut to the exposures' array.

    ValueError where an image, table or column is missing, or images differ in shape.
    """
    dq = read_mask(mask)
    if geometry is not None and dq.shape != geometry.shape:
        dq = cut(dq, full_frame(geometry, detector), geometry)
    read = read_evidence(evidence)
    return Findings(
        found=read.found,
        bits=read.bit_of,
        dq=dq,
        insufficient=read.insufficient,
        intermittent=read.intermittent,
        name=str(evidence),
    )


@dataclass(frozen=True)
class ScoredFiles:
    """What is scored against which truths: an evidence file and its mask, or the directories of labelled runs.

    `masks` names the mask of the evidence, or of each run, in their order, where there is not just one *_bpm.fits. With
    several `truths`, each label has a run for each, in their order. ValueError for what does not go together.
    """

    truths: Sequence[str | Path]
    evidence: str | Path | None = None
    masks: Sequence[str | Path] = ()
    runs: Sequence[tuple[str, str | Path]] = ()  # label, directory with evidence.fits and a mask

    def __post_init__(self) -> None:
        if bool(self.runs) == bool(self.evidence):
            raise ValueError("give either --evidence and --mask, or --run LABEL=DIRECTORY")
        if self.evidence and (len(self.truths) != 1 or len(self.masks) != 1):
            counts = f"{len(self.truths)} and {len(self.masks)}"
            raise ValueError(f"--evidence needs one --truth and one --mask, not {counts}")
        if self.runs and self.masks and len(self.masks) != len(self.runs):
            raise ValueError(
                f"{len(self.masks)} --mask for {len(self.runs)} --run: give one for each, in their order, or none"
            )


def mask_of(directory: str | Path) -> Path:
    """The one mask in a directory of results; ValueError when there are none or several."""
    masks = sorted(Path(directory).glob(MASKS))
    if len(masks) != 1:
        names = ", ".join(mask.name for mask in masks) or "none"
        raise ValueError(f"{directory}: one mask {MASKS} is needed, there are: {names}; name it with --mask")
    return masks[0]
