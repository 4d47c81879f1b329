"""Take one raw exposure through calwebb_detector1.

Reads the `uncal` file and the reference-pixel mask; writes rateints and rate (DN/s), and for darks the jump (DN) and
fitopt files. An exposure that the pipeline cannot process gets quarantined products that say why.
"""

import os
import shutil
from pathlib import Path

from badpix.detector1 import (
    check_products,
    check_uncal,
    pipeline_steps,
    run_detector1,
    scratch_directory,
    set_crds_environment,
    steps_for,
)
from badpix.errors import BadExposure
from badpix.files import atomic_path, card_text
from badpix.logs import logger, logging_to
from badpix.statistics_file import write_quarantined


def main(uncal, reference_pixel_mask, outputs, exposure, kind, steps, crds):
    """Process `uncal`; `outputs` maps product (rateints, rate, and for darks jump, fitopt) to path.

    `steps` are the configured parameters by step, `crds` the arguments of `set_crds_environment`.
    """
    set_crds_environment(**crds)
    try:
        check_uncal(uncal)
        with scratch_directory(outputs["rateints"], exposure) as scratch:
            # A link gives the products the exposure's name, whatever the raw file is called. The pipeline writes it
            # into their headers, which hold ASCII.
            name = card_text(exposure)
            link = Path(scratch) / f"{name}_uncal.fits"
            os.symlink(os.path.abspath(uncal), link)
            all_steps = pipeline_steps(kind, steps, os.path.abspath(reference_pixel_mask), "jump" in outputs)
            run_detector1(link, steps_for(link, all_steps, scratch), scratch)
            made = check_products(scratch, name, outputs, reference_pixel_mask)
            for product, path in outputs.items():
                with atomic_path(path) as temporary:
                    shutil.move(made[product], temporary)
    except BadExposure as reason:
        logger.error("%s is put in quarantine: %s", exposure, reason)
        for path in outputs.values():
            write_quarantined(path, exposure, reason)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            snakemake.input.uncal,
            snakemake.input.reference_pixel_mask,
            dict(snakemake.output.items()),
            snakemake.wildcards.exposure,
            snakemake.params.kind,
            snakemake.params.steps,
            snakemake.params.crds,
        )
