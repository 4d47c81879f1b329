"""The output files of a vote: mask, evidence, summary and the list of rejected exposures."""

from collections.abc import Mapping
from dataclasses import dataclass

from badpix.core.logs import logger
from badpix.formats.evidence_file import write_evidence
from badpix.formats.mask_file import MaskHeader, complete_pedigree, write_mask
from badpix.formats.mask_tables import write_rejected_exposures, write_summary
from badpix.mask.make import MaskSettings, MaskVote
from badpix.mask.provenance import history_lines
from badpix.mask.summary import summary_table
from badpix.vote.exposure_set import KINDS, ExposureSet, observation_dates


@dataclass(frozen=True)
class Origin:
    """The origin of a mask, for its header: the input file of each exposure or segment, and the parameters used."""

    file_names: Mapping[str, str]
    parameters: Mapping[str, object]


def mask_identity(exposures: ExposureSet) -> dict[str, str]:
    """The header values by which CRDS selects a mask: instrument, detector and further selectors of the detector."""
    detector, header = exposures.detector, exposures.segments[0].header
    selectors = {key.lower(): header[key] for key in detector.mask_selectors}
    return {"instrument": detector.instrument, "detector": detector.name} | selectors


def save(outputs: Mapping[str, str], vote: MaskVote, settings: MaskSettings, origin: Origin) -> None:
    """Write all outputs (mask, evidence, summary, rejected -> path); the mask is written last."""
    exposures = vote.exposures
    headers = [segment.header for segment in exposures.segments]
    files = {
        kind: [origin.file_names.get(s.name, s.name) for exposure in exposures.of(kind) for s in exposure.segments]
        for kind in KINDS
    }
    write_evidence(outputs["evidence"], vote.results, vote.measured, [("DETECTOR", exposures.detector.name, "")])
    summary = summary_table(vote.results, vote.dq, exposures.science)
    write_summary(outputs["summary"], summary)
    write_rejected_exposures(outputs["rejected"], exposures.rejected)
    texts = {key: getattr(settings, key) for key in ("author", "description", "useafter")}
    texts["pedigree"] = complete_pedigree(settings.pedigree, observation_dates(exposures.segments))
    history = history_lines(
        settings.history,
        files,
        exposures.rejected,
        {header["CRDS_CTX"] for header in headers if header.get("CRDS_CTX")},
        {header["R_MASK"] for header in headers if header.get("R_MASK")},
    )
    history += [f"Warning: {warning}" for warning in vote.warnings]
    if vote.frame != exposures.geometry:
        history.append(f"Only this part of the frame was measured: {exposures.geometry}")
    header = MaskHeader(mask_identity(exposures), texts, history, origin.parameters)
    write_mask(outputs["mask"], vote.dq, vote.frame, header)
    logger.info("summary:\n%s", summary.to_string(index=False))
