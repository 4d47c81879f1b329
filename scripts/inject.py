"""Plant bad pixels into a copy of a raw exposure.

Reads the raw file and the truth that says what is planted where; writes a raw file that differs at these pixels only.
"""

from astropy.io import fits
from astropy.table import Table

from badpix.core.logs import logger, logging_to
from badpix.injection.files import inject


def main(uncal, truth, output, exposure, kind, seed):
    """Write the copy of `uncal` at `output`; `kind` is darks or flats, `exposure` the exposure's name."""
    with fits.open(truth) as hdus:
        pixels = Table(hdus["PIXELS"].data).to_pandas()
    changed = inject(uncal, output, pixels, kind == "flats", seed, exposure)
    logger.info("%s: %d counts changed for %d planted pixels", exposure, changed, len(pixels))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            snakemake.input.uncal,
            snakemake.input.truth,
            snakemake.output.uncal,
            snakemake.wildcards.exposure,
            snakemake.wildcards.kind,
            snakemake.params.seed,
        )
