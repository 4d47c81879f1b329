"""Fetch the reference files of a detector once, before its exposures are processed in parallel.

Reads an exposure; writes a JSON list of the references and the CRDS context.
"""

import json
from pathlib import Path

from badpix.core.crds_settings import set_crds_environment
from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.core.startup import read_yaml_in_c
from badpix.detector1.references import content_of, fetch_references


def main(exposure, output, crds, types):
    """Fetch the references of `types` for `exposure` (raw file), and write their names and contents to `output`."""
    read_yaml_in_c()
    set_crds_environment(**crds)
    context, paths = fetch_references(exposure, types)
    names = {kind: Path(path).name if path else "N/A" for kind, path in paths.items()}
    logger.info("context %s, references %s", context, names)
    listing = {"context": context, "references": names, "files": content_of(paths)}
    write_text(output, json.dumps(listing, indent=2) + "\n")


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            snakemake.resources.raw_file,
            snakemake.output.references,
            snakemake.params.crds,
            snakemake.params.types,
        )
