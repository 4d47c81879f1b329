"""Reduce one dark exposure to its cached statistics.

Reads the jump (DN), rateints (DN/s) and fitopt (DN) files, and for a relative pedestal the uncal file (DN); writes one
statistics FITS of measurements without thresholds. If the products do not fit together, the file is a rejected
product with the reason.
"""

from contextlib import ExitStack

from badpix.core.errors import BadExposure
from badpix.core.logs import logger, logging_to
from badpix.core.scratch import discard
from badpix.formats.detector1_products import open_product
from badpix.formats.statistics_file import require_usable, write_rejected
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.geometry import Geometry, reference_pixels
from badpix.statistics.dark import DarkProducts, measure_dark


def main(paths, output, exposure, detector, early_cutoff_fraction):
    """Measure a dark and write its statistics, or a rejected product with the reason.

    Parameters
    ----------
    paths : mapping
        Products jump, rateints, fitopt, and for a relative pedestal uncal -> path.
    output : path
        Statistics file to write.
    exposure : str
        Name of the exposure.
    detector : mapping
        The fields of Detector.
    early_cutoff_fraction : float
        Fraction of the groups that count as early.
    """
    detector = detector_from_mapping(detector)

    def science_of(header):
        return ~reference_pixels(Geometry.from_header(header), detector)

    try:
        require_usable(*(path for product, path in paths.items() if product != "uncal"))
        with ExitStack() as stack:
            opened = {product: stack.enter_context(open_product(path, product)) for product, path in paths.items()}
            writer, integrations = measure_dark(exposure, DarkProducts(**opened), science_of, early_cutoff_fraction)
            writer.write(output, [("EARLYCUT", early_cutoff_fraction, "fraction of groups called early")], integrations)
    except BadExposure as reason:
        logger.error("%s is rejected: %s", exposure, reason)
        write_rejected(output, exposure, reason)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        products = dict(snakemake.input.items())
        main(
            products,
            snakemake.output.statistics,
            snakemake.wildcards.exposure,
            snakemake.params.detector,
            snakemake.params.early_cutoff_fraction,
        )
        if not snakemake.resources.keep_intermediates:
            # Only the files in a scratch directory: Snakemake removes all others.
            for path in products.values():
                discard(path)
