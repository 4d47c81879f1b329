"""Read a mask and the vote behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from astropy.io import fits

from badpix.formats.evidence_file import read_evidence
from badpix.formats.mask_file import read_mask
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.geometry import Geometry
from badpix.pixels.rows import MaskResult
from badpix.vote.exposure_set import VoteFiles, select_exposures
from badpix.vote.settings import VoteSettings


@dataclass(frozen=True)
class ResultFiles:
    """The files of a mask: `votes` are those that the vote read, `mask` and `evidence` those that it made."""

    votes: VoteFiles
    mask: str
    evidence: str

    @property
    def mask_name(self) -> str:
        """The name of the mask."""
        return Path(self.mask).name

    @classmethod
    def of_rule(cls, inputs: Mapping, params: Mapping) -> Self:
        """From the named inputs and parameters of a rule (any objects with the `get` of a mapping)."""
        return cls(VoteFiles.of_rule(inputs, params), str(inputs.get("mask")), str(inputs.get("evidence")))


def read_result(files: ResultFiles, detector: Mapping[str, Any], config: Mapping[str, Any]) -> MaskResult:
    """The MaskResult of `files`; `detector` has the fields of Detector, `config` the configuration keys of the vote."""
    settings = VoteSettings.from_config(config)
    exposures = select_exposures(files.votes, detector_from_mapping(dict(detector)), settings.required)
    return MaskResult(
        exposures,
        read_evidence(files.evidence),
        read_mask(files.mask),
        Geometry.from_header(fits.getheader(files.mask)),
        settings.required.min_darks,
        settings.gain_e_per_dn,
    )
