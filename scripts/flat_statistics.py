"""Reduce one flat exposure to its cached statistics.

Reads the rateints file (DN/s) and, if it exists, the uncal file (DN); writes one statistics FITS of measurements
without thresholds. If the files do not fit together, the file is a rejected product with the reason.
"""

from contextlib import ExitStack

from badpix.core.content import unchanged
from badpix.core.errors import BadExposure
from badpix.core.logs import logger, logging_to
from badpix.formats.detector1_products import open_product
from badpix.formats.statistics_file import require_usable, write_rejected
from badpix.formats.statistics_origin import statistics_provenance, verify_products
from badpix.statistics.flat import measure_flat


def main(paths, output, exposure, given=()):
    """Measure the exposure with the files `paths` (product -> path) and write `output`.

    The products `given` are input files of the user.
    """
    with unchanged(*paths.values()):
        provenance = statistics_provenance(paths, given, {})
        try:
            require_usable(paths["rateints"])
            with ExitStack() as stack:
                opened = {product: stack.enter_context(open_product(path, product)) for product, path in paths.items()}
                verify_products(opened, given)
                measure_flat(exposure, opened["rateints"], opened.get("uncal")).write(output, provenance)
        except BadExposure as reason:
            logger.error("%s is rejected: %s", exposure, reason)
            write_rejected(output, exposure, reason, provenance)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            dict(snakemake.input.items()),
            snakemake.output.statistics,
            snakemake.wildcards.exposure,
            tuple(snakemake.params.given),
        )
