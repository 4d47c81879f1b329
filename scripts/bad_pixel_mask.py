"""Vote across the exposures and write the mask, its evidence and its summary.

Reads the statistics files of the darks and flats and the response of the flats; no ramp. Writes the CRDS-format MASK,
the evidence FITS, the summary CSV (counts and fractions per type and per flag) and the CSV of the exposures left out.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from badpix.core.logs import logging_to
from badpix.formats.mask_file import load_datamodel
from badpix.instrument.detectors import detector_from_mapping
from badpix.mask.header_keys import used_parameters
from badpix.mask.make import MaskSettings, make_mask
from badpix.mask.outputs import Origin, save
from badpix.vote.exposure_set import VoteFiles
from badpix.vote.settings import VoteSettings


@dataclass(frozen=True)
class HeaderOrigin:
    """What a mask's header says beside the settings of the vote.

    `manual_flag_file` is the configured value; `steps` maps detector1_<kind>, for the kinds processed here, to step
    parameters; `file_names` maps each exposure or segment to the file that it came in.
    """

    manual_flag_file: str = "none"
    steps: Mapping[str, Mapping] = field(default_factory=dict)
    file_names: Mapping[str, str] = field(default_factory=dict)


def main(files: VoteFiles, outputs: Mapping, detector: Mapping, config: Mapping, facts: HeaderOrigin) -> None:
    """Make the mask of `detector` (a mapping with the fields of Detector) from `files`, into `outputs` (name -> path).

    `config` holds the keys of the vote.
    """
    settings, mask = VoteSettings.from_config(config), MaskSettings.from_config(config)
    # The datamodel takes seconds to load, and the vote's compiled code leaves it a core.
    with ThreadPoolExecutor(max_workers=1) as beside:
        beside.submit(load_datamodel)
        vote = make_mask(files, detector_from_mapping(detector), settings, mask)
    kinds = [kind for kind in ("darks", "flats") if getattr(files, kind)]
    keys = {**config, "manual_flag_file": facts.manual_flag_file}
    save(outputs, vote, mask, Origin(facts.file_names, used_parameters(keys, facts.steps, kinds)))


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
                snakemake.params.file_names,
            ),
        )
