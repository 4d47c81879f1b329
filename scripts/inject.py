"""Plant bad pixels into a copy of a raw exposure.

Reads the raw file and the truth (type, strength and position of each planted pixel); writes a raw file that differs at
these pixels only.
"""

from astropy.io import fits
from astropy.table import Table

from badpix.core.logs import logger, logging_to
from badpix.injection.files import PlantedExposure, inject


def main(uncal, truth, output, exposure):
    """Write the copy of the raw file `uncal` at `output`; `exposure` is a PlantedExposure."""
    with fits.open(truth) as hdus:
        pixels = Table(hdus["PIXELS"].data).to_pandas()
    changed = inject(uncal, output, pixels, exposure)
    logger.info("%s: %d counts changed for %d planted pixels", exposure.name, changed, len(pixels))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            snakemake.input.uncal,
            snakemake.input.truth,
            snakemake.output.uncal,
            PlantedExposure(snakemake.wildcards.exposure, snakemake.wildcards.kind, snakemake.params.seed),
        )
