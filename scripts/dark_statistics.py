"""Reduce one dark exposure to its cached statistics.

Reads the jump (DN), rateints (DN/s) and fitopt (DN) files, and for a relative pedestal the uncal file (DN); writes one
statistics FITS of measurements without thresholds. If the products do not fit together, the file is a rejected
product with the reason.
"""

from contextlib import ExitStack
from dataclasses import dataclass

from badpix.core.content import unchanged
from badpix.core.errors import BadExposure
from badpix.core.logs import logger, logging_to
from badpix.core.scratch import discard
from badpix.formats.detector1_products import open_product
from badpix.formats.statistics_file import require_usable, write_rejected
from badpix.formats.statistics_origin import statistics_provenance, verify_products
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.geometry import Geometry, reference_pixels
from badpix.statistics.dark import DarkProducts, measure_dark


@dataclass(frozen=True)
class Measurement:
    """`early_cutoff_fraction` of the groups count as early; the products `given` are input files of the user."""

    early_cutoff_fraction: float
    given: tuple[str, ...] = ()


def main(paths, output, exposure, detector, measurement):
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
    measurement : Measurement
        Settings, and the origin of the files.
    """
    detector = detector_from_mapping(detector)
    fraction = measurement.early_cutoff_fraction

    def science_of(header):
        return ~reference_pixels(Geometry.from_header(header), detector)

    with unchanged(*paths.values()):
        provenance = statistics_provenance(paths, measurement.given, {"early_cutoff_fraction": fraction})
        try:
            require_usable(*(path for product, path in paths.items() if product != "uncal"))
            with ExitStack() as stack:
                opened = {product: stack.enter_context(open_product(path, product)) for product, path in paths.items()}
                verify_products(opened, measurement.given)
                writer, integrations = measure_dark(exposure, DarkProducts(**opened), science_of, fraction)
                writer.write(output, provenance, integrations)
        except BadExposure as reason:
            logger.error("%s is rejected: %s", exposure, reason)
            write_rejected(output, exposure, reason, provenance)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        products = dict(snakemake.input.items())
        main(
            products,
            snakemake.output.statistics,
            snakemake.wildcards.exposure,
            snakemake.params.detector,
            Measurement(snakemake.params.early_cutoff_fraction, tuple(snakemake.params.given)),
        )
        if not snakemake.resources.keep_intermediates:
            # Only the files in a scratch directory: Snakemake removes all others.
            for path in products.values():
                discard(path)
