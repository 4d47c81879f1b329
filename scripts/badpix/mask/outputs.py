"""The output files of a vote: mask, evidence, summary and the list of rejected exposures."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from astropy.io import fits

from badpix.config.dates import LAUNCH, complete_pedigree
from badpix.config.presets import record_text
from badpix.core.fits_table import table_hdu
from badpix.core.logs import logger
from badpix.exposures.optical_setup import setups_text
from badpix.formats.evidence_file import write_evidence
from badpix.formats.flat_product import FlatProduct
from badpix.formats.input_files import input_file
from badpix.formats.mask_file import MaskHeader, warning_entries, write_mask
from badpix.formats.mask_tables import write_inputs, write_rejected_exposures, write_summary
from badpix.formats.product_file import provenance_of
from badpix.formats.provenance import InputFile, Provenance
from badpix.mask.identity import Identity
from badpix.mask.make import MaskSettings, MaskVote
from badpix.mask.provenance import history_lines, product_lines
from badpix.mask.summary import summary_table
from badpix.vote.exposure_set import KINDS, ExposureSet, observation_dates
from badpix.vote.reference_pixels import ReferenceVote


@dataclass(frozen=True)
class Origin:
    """The origin of a mask: the parameters used, for its header, its Identity, and the provenance of the evidence."""

    parameters: Mapping[str, object]
    identity: Identity
    provenance: Provenance


def input_files(exposures: ExposureSet) -> Iterator[tuple[str, str, InputFile]]:
    """(kind, exposure or segment, InputFile) of every file that the exposures were measured from."""
    for kind in KINDS:
        for exposure in exposures.of(kind):
            for segment in exposure.segments:
                for file in provenance_of(segment.path).inputs:
                    yield kind, segment.name, file


def product_file(product: FlatProduct) -> tuple[str, str, InputFile]:
    """The row of a finished product in place of flats, as of `input_files`."""
    return "flats", "", input_file(f"flat_types ({product.kind})", product.path)


def versions_of(exposures: ExposureSet, kind: str) -> Iterator[str]:
    """The version of the pipeline (CAL_VER) that processed each exposure of `kind`."""
    for exposure in exposures.of(kind):
        yield str(exposure.header.get("CAL_VER", "unknown"))


def exp_type_lines(exposures: ExposureSet) -> Iterator[str]:
    """A line of HISTORY per kind with exposures of other types (EXP_TYPE) than the default of the detector."""
    defaults = {"darks": exposures.detector.dark_exp_types, "flats": exposures.detector.flat_exp_types}
    for kind, default in defaults.items():
        numbers = Counter(str(exposure.header.get("EXP_TYPE")) for exposure in exposures.of(kind))
        if set(numbers) - set(default):
            used = ", ".join(f"{number} {name}" for name, number in sorted(numbers.items()))
            yield f"EXP_TYPE of the {kind}: {used} ({kind[:-1]}_exp_types; the default is {', '.join(default)})"


def ground_lines(pedigree: str, exposures: ExposureSet) -> list[str]:
    """The HISTORY entries of ground exposures that vote together with flight exposures; none without either.

    PEDIGREE of the mask has the dates of flight alone.
    """
    launch, lines = f"{LAUNCH:%Y-%m-%d}", []
    is_ground = {s.name: s.header["DATE-OBS"] < launch for s in exposures.segments if s.header.get("DATE-OBS")}
    if pedigree.split()[0] not in ("GROUND", "INFLIGHT") or len(set(is_ground.values())) < 2:
        return []
    for kind in KINDS:
        names = [s.name for exposure in exposures.of(kind) for s in exposure.segments if is_ground.get(s.name)]
        if names:
            lines.append(
                f"Exposures of the ground, before {launch}, beside those of flight: {kind}: {', '.join(names)}"
            )
    return lines


def reference_table(vote: ReferenceVote) -> fits.BinTableHDU:
    """Table REFERENCE_PIXELS of the evidence: a row per reference pixel (X, Y) with its flags and votes."""
    # Not uint32: astropy stores an unsigned column with an offset after the checksum is made.
    dq = vote.dq.astype(np.int64)
    columns = {"X": vote.groups.x.astype(np.int16), "Y": vote.groups.y.astype(np.int16), "DQ": dq}
    for test in vote.found:
        columns[f"{test.upper()}_K"] = vote.k[test].astype(np.int16)
        columns[f"{test.upper()}_N"] = vote.n_valid[test].astype(np.int16)
    return table_hdu("REFERENCE_PIXELS", columns)


def save(outputs: Mapping[str, str], vote: MaskVote, settings: MaskSettings, origin: Origin) -> None:
    """Write all outputs (mask, evidence, summary, rejected, inputs -> path); the mask is written last."""
    exposures = vote.exposures
    headers = [segment.header for segment in exposures.segments]
    inputs, instead = list(input_files(exposures)), {}
    if (product := exposures.flat_product) is not None:
        inputs.append(product_file(product))
        instead["flats"] = product_lines(product, inputs[-1][2].digest, exposures.science)
    gain = exposures.gain
    write_inputs(outputs["inputs"], [*inputs, *([("reference", "", gain.reference)] if gain else [])])
    tables = [reference_table(vote.reference)] if vote.reference else []
    write_evidence(outputs["evidence"], vote.results, vote.measured, exposures.detector.name, origin.provenance, tables)
    summary = summary_table(vote.results, vote.dq, exposures.science, vote.not_lit)
    write_summary(outputs["summary"], summary)
    write_rejected_exposures(outputs["rejected"], exposures.rejected)
    texts = {key: getattr(settings, key) for key in ("author", "description", "useafter")}
    texts["pedigree"] = complete_pedigree(settings.pedigree, observation_dates(exposures.segments))
    history = history_lines(
        settings.history,
        {kind: [file.name for of_kind, name, file in inputs if of_kind == kind and name] for kind in KINDS},
        {kind: Counter(versions_of(exposures, kind)) for kind in KINDS},
        exposures.rejected,
        {header["CRDS_CTX"] for header in headers if header.get("CRDS_CTX")},
        {header["R_MASK"] for header in headers if header.get("R_MASK")},
        instead,
    )
    if settings.preset:
        history.append(record_text(settings.preset))
    history += exp_type_lines(exposures)
    history += ground_lines(settings.pedigree, exposures)
    if setups := setups_text(segment.header for flat in exposures.flats for segment in flat.segments):
        history.append(f"Optical set-up of the flats: {setups}")
    if gain:
        history.append(gain.text)
    history += vote.notes
    history.append(origin.identity.source)
    history += vote.reference.notes if vote.reference else []
    if vote.frame != exposures.geometry:
        history.append(f"Only this part of the frame was measured: {exposures.geometry}")
    # The last entries, so that they can be read back.
    history += warning_entries(vote.warnings)
    identity = origin.identity
    names = {"instrument": identity.instrument, "detector": identity.detector}
    header = MaskHeader(names, texts, history, origin.parameters, identity.cards, identity.irs2_rows)
    write_mask(outputs["mask"], vote.dq, replace(vote.frame, subarray=identity.subarray), header)
    logger.info("summary:\n%s", summary.to_string(index=False))
