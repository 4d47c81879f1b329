"""Read the evidence and the mask of a run for the score."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from badpix.formats.evidence_file import read_evidence
from badpix.formats.mask_file import read_mask
from badpix.instrument.detectors import Detector
from badpix.instrument.geometry import Geometry, cut, full_frame
from badpix.score.pixels import Findings

MASKS = "*_bpm.fits"


def read_findings(
    evidence: str | Path, mask: str | Path, geometry: Geometry | None = None, detector: Detector | None = None
) -> Findings:
    """Images FOUND, INSUFFICIENT and, if present, INTERMITTENT of an evidence file, and the mask.

    With the Geometry and the Detector of the exposures, a full-frame mask is cut to the array of the exposures.
    ValueError if an image, table or column is missing, or if images differ in shape.
    """
    dq = read_mask(mask)
    if geometry is not None and detector is not None and dq.shape != geometry.shape:
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
    """The files to score: an evidence file and its mask, or directories of labelled runs, and the truths.

    `masks` has the mask of the evidence file, or of each run in order; not needed if a run has exactly one *_bpm.fits.
    With several `truths`, each label has a run per truth, in the same order. ValueError for an invalid combination.
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

    def masks_of_runs(self) -> list[Path]:
        """The mask of each run; ValueError if a run without a mask in `masks` has not exactly one."""
        return [Path(mask) for mask in self.masks] or [mask_of(directory) for _, directory in self.runs]


def mask_of(directory: str | Path) -> Path:
    """The mask in a directory of results; ValueError unless there is exactly one."""
    masks = sorted(Path(directory).glob(MASKS))
    if len(masks) != 1:
        names = ", ".join(mask.name for mask in masks) or "none"
        raise ValueError(f"{directory}: one mask {MASKS} is needed, there are: {names}; name it with --mask")
    return masks[0]
