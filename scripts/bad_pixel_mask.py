"""Vote across the exposures and write the mask, its evidence and its summary.

Reads the statistics files of the darks and flats and the response of the flats; no ramp. Writes the CRDS-format MASK,
the evidence FITS, the summary CSV (counts and fractions per type and per flag) and the CSV of the rejected exposures.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from badpix.core.errors import TooFewExposures
from badpix.core.logs import logger, logging_to
from badpix.core.memory import return_images
from badpix.formats.mask_file import load_datamodel
from badpix.formats.mask_tables import surviving_table, write_rejected_exposures
from badpix.formats.page_parts import mark_replaced
from badpix.instrument.detectors import detector_from_mapping
from badpix.mask.header_keys import used_parameters
from badpix.mask.identity import mask_identity
from badpix.mask.intermittent import IntermittentSettings, StoredMasks, with_intermittent
from badpix.mask.make import MaskSettings, make_mask
from badpix.mask.outputs import Origin, save
from badpix.mask.selectors import SelectorSettings
from badpix.vote.exposure_set import VoteFiles
from badpix.vote.settings import VoteSettings


@dataclass(frozen=True)
class HeaderOrigin:
    """Entries of a mask's header beside the settings of the vote.

    `manual_flag_file` is the configured value; `steps` maps detector1_<kind>, for the kinds with raw exposures, to step
    parameters. `notices` are warnings on the headers of the exposures.
    `crds` has path, server_url and context of CRDS, whose rules name the selectors of a mask.
    `stored` has the fields of a Series and the digests of its earlier masks, for intermittent pixels; else None.
    """

    manual_flag_file: str = "none"
    steps: Mapping[str, Mapping] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    crds: Mapping[str, str | None] = field(default_factory=lambda: dict.fromkeys(("path", "server_url", "context")))
    stored: Mapping | None = None


def main(
    files: VoteFiles, outputs: Mapping, detector: Mapping, config: Mapping, origin: HeaderOrigin, threads: int = 1
) -> None:
    """Vote and write the mask with its tables.

    Parameters
    ----------
    files : VoteFiles
        Statistics, responses, comparison and manual flags.
    outputs : mapping
        mask, evidence, summary, rejected and inputs -> path.
    detector : mapping
        The fields of Detector.
    config : mapping
        The configuration keys of the vote.
    origin : HeaderOrigin
        More entries of the header.
    threads : int
        Threads of the vote; the mask does not depend on them.

    Raises
    ------
    TooFewExposures
        Fewer exposures remain than min_darks or min_flats.
    BadExposure
        An exposure is rejected and on_bad_exposure is fail.
    SelectorError
        The configured selectors or SUBARRAY cannot be used for the mask.
    """
    return_images()
    surviving_table(outputs["rejected"]).unlink(missing_ok=True)
    mark_replaced(Path(outputs["evidence"]).parent)
    settings, mask = VoteSettings.from_config(config), MaskSettings.from_config(config)
    # The import of the datamodel takes seconds; it runs beside the compiled code of the vote.
    with ThreadPoolExecutor(max_workers=1) as beside:
        beside.submit(load_datamodel)
        try:
            vote = make_mask(files, detector_from_mapping(detector), settings, mask, threads)
        except TooFewExposures as error:
            write_rejected_exposures(surviving_table(outputs["rejected"]), error.rejected)
            raise
    for notice in origin.notices:
        logger.warning("%s", notice)
    vote = replace(vote, warnings=(*origin.notices, *vote.warnings))
    stored, keys = StoredMasks(), {**config, "manual_flag_file": origin.manual_flag_file}
    if origin.stored is not None:
        # Imported here because few masks need it.
        from badpix.history.earlier import Series, stored_masks

        stored = stored_masks(Series(**origin.stored["series"]), origin.stored["digests"])
        keys["history_masks"] = origin.stored["digests"]
    vote = with_intermittent(vote, IntermittentSettings.from_config(config), files.earlier, stored)
    kinds = [kind for kind in ("darks", "flats") if getattr(files, kind)]
    parameters = used_parameters(keys, origin.steps, kinds, vote.exposures.flat_product)
    identity = mask_identity(vote.exposures, vote.frame, SelectorSettings.from_config(config), origin.crds)
    save(outputs, vote, mask, Origin(parameters, identity, files.provenance(keys)))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            VoteFiles.of_rule(snakemake.input, snakemake.params),
            dict(snakemake.output.items()),
            snakemake.params.detector,
            snakemake.params.config,
            HeaderOrigin(
                snakemake.params.manual_flag_file,
                snakemake.params.steps,
                tuple(snakemake.params.notices),
                snakemake.params.crds,
                snakemake.params.stored,
            ),
            snakemake.threads,
        )
