"""Measure the reference pixels of one raw dark.

Reads the uncal file (DN); writes a FITS table of measurements without thresholds: noise, level (DN), groups at a rail.
If the file cannot be used, the table is a rejected product with the reason.
"""

from badpix.core.content import unchanged
from badpix.core.errors import BadExposure
from badpix.core.logs import logger, logging_to
from badpix.formats.detector1_products import check_announced, open_product
from badpix.formats.provenance import Provenance
from badpix.formats.reference_statistics_file import write_reference_statistics
from badpix.formats.statistics_file import write_rejected
from badpix.formats.statistics_origin import statistics_provenance
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.geometry import Geometry
from badpix.instrument.irs2 import science_section
from badpix.instrument.reference_groups import reference_groups
from badpix.statistics.reference_pixels import measure_reference_pixels, read_reference_pixels


def main(uncal, output, exposure, detector):
    """Measure the reference pixels of the raw file `uncal` and write `output`, or a rejected product with the reason.

    `exposure` is the name of the exposure; `detector` has the fields of Detector.
    """
    detector = detector_from_mapping(detector)
    with unchanged(uncal):
        provenance = statistics_provenance(Provenance(), {"uncal": uncal}, {})
        try:
            with open_product(uncal, "uncal") as hdus:
                groups = reference_groups(Geometry.from_header(hdus[0].header), detector)
                section = science_section(hdus)
                check_announced(hdus[0].header, section.shape[0], section.shape[2:], "uncal", section.shape[1])
                values = read_reference_pixels(section, groups)
                write_reference_statistics(output, exposure, measure_reference_pixels(values, groups), provenance)
        except BadExposure as reason:
            logger.error("the reference pixels of %s are not measured: %s", exposure, reason)
            write_rejected(output, exposure, reason, provenance)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            snakemake.input.uncal,
            snakemake.output.statistics,
            snakemake.wildcards.exposure,
            snakemake.params.detector,
        )
