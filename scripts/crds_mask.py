"""Fetch the mask that CRDS selects now for an exposure, and cut it to the exposure's array as dq_init does.

Reads the header of the exposure; writes a MASK file.
"""

import shutil

from astropy.io import fits

from badpix.core.crds_settings import set_crds_environment
from badpix.core.files import atomic_path
from badpix.core.logs import logger, logging_to
from badpix.detector1.references import fetch_mask
from badpix.formats.mask_dq import read_dq
from badpix.formats.mask_file import has_array, write_cut_copy
from badpix.instrument.geometry import Geometry


def main(exposure, output, crds, whole):
    """Write the mask that CRDS selects for the file `exposure` to `output`; with `whole`, without the cut.

    Raises ReferencesUnavailable if CRDS has no mask or cannot be reached.
    """
    set_crds_environment(**crds)
    context, selected = fetch_mask(exposure)
    header = fits.getheader(selected)
    logger.info("%s: context %s selects the mask %s, USEAFTER %s", exposure, context, selected, header.get("USEAFTER"))
    read_dq(selected)  # the datamodel of the copy would turn any numbers into flags
    part = Geometry.from_header(fits.getheader(exposure))
    with atomic_path(output) as temporary:
        if whole or has_array(selected, part):
            shutil.copyfile(selected, temporary)
        else:
            logger.info("cut to %s", part)
            write_cut_copy(selected, temporary, part)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(snakemake.input.exposure, snakemake.output.mask, snakemake.params.crds, snakemake.params.whole)
