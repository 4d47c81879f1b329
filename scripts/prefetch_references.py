"""Fetch the reference files of a detector once, before its exposures are processed in parallel.

Reads an exposure; writes a JSON list of the references and the CRDS context.
"""

import json

from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.core.startup import read_yaml_in_c
from badpix.detector1.pipeline import set_crds_environment
from badpix.detector1.references import fetch_references


def main(exposures, output, crds, types):
    """Fetch the references of `types` for `exposures` (kind -> raw file) and write their names to `output`."""
    read_yaml_in_c()
    set_crds_environment(**crds)
    listing = {}
    for kind, path in exposures.items():
        context, references = fetch_references(path, types)
        listing["context"], listing[kind] = context, references
        logger.info("%s: context %s, references %s", kind, context, references)
    write_text(output, json.dumps(listing, indent=2) + "\n")


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            {snakemake.wildcards.kind: snakemake.resources.raw_file},
            snakemake.output.references,
            snakemake.params.crds,
            snakemake.params.types,
        )
