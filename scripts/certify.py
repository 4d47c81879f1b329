"""Require the certificates of all masks, for the target `certify`: each must be of a mask that CRDS has accepted.

Reads the certificates (JSON); writes an empty file.
"""

from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.delivery.certify import NotCertified
from badpix.formats.certificate_file import PASSED, read_certificate


def main(certificates, output):
    """Write `output` if all `certificates` are of masks that passed; else NotCertified with the reasons."""
    found = [read_certificate(path) for path in certificates]
    for one in found:
        logger.info("%s: %s in %s", one.mask, one.status, one.context or "no context")
    if reasons := sorted({f"{one.mask}: {one.reason}" for one in found if one.status != PASSED}):
        raise NotCertified(f"crds certify was not run: {'; '.join(reasons)}")
    write_text(output, "")


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(list(snakemake.input.certificates), snakemake.output[0])
