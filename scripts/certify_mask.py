"""Check a mask with `crds certify`, and insert it into the rules of CRDS as at a delivery.

Reads the mask and the headers of the statistics of its exposures; writes the certificate (JSON). Uses the cache of CRDS
alone. The certificate of a refused mask stays among the logs.
"""

from astropy.io import fits

from badpix.core.logs import logger, logging_to
from badpix.delivery.certify import MaskRefused, certify
from badpix.formats.certificate_file import NOT_RUN, REFUSED, surviving_certificate, write_certificate


def main(mask, statistics, output, crds):
    """Write the certificate of `mask` to `output`; `statistics` are the statistics files of its exposures.

    Raises MaskRefused if CRDS refuses the mask.
    """
    # A Header of astropy takes six times the memory of a plain mapping.
    headers = [header for path in statistics if not (header := dict(fits.getheader(path))).get("REJECTED", False)]
    certificate = certify(mask, headers, crds, {h["CRDS_CTX"] for h in headers if h.get("CRDS_CTX")})
    logger.info("%s\ncrds certify of %s: %s %s", certificate.output, mask, certificate.status, certificate.reason)
    surviving = surviving_certificate(output)
    surviving.unlink(missing_ok=True)
    if certificate.status == REFUSED:
        write_certificate(surviving, certificate)
        raise MaskRefused(
            f"CRDS ({certificate.context}) refuses {mask}: {'; '.join(certificate.errors)}. If the rules of CRDS"
            " changed since the mask was made, make it again: snakemake --forcerun bad_pixel_mask"
        )
    for warning in certificate.warnings:
        logger.warning("%s", warning)
    if certificate.status == NOT_RUN:
        logger.warning("crds certify was not run: %s", certificate.reason)
    write_certificate(output, certificate)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(snakemake.input.mask, snakemake.params.statistics, snakemake.output.certificate, snakemake.params.crds)
