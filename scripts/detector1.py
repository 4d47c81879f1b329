"""Take one raw exposure through calwebb_detector1.

Reads the `uncal` file and the reference-pixel mask; writes rateints and rate (DN/s), and for darks the jump (DN) and
fitopt files. An exposure that the pipeline cannot process gets rejected products that say why.
"""

import json
import os
import shutil
from pathlib import Path

from badpix.core.errors import BadExposure
from badpix.core.files import atomic_path, card_text
from badpix.core.logs import logger, logging_to
from badpix.core.scratch import move_to_scratch, own_directory
from badpix.core.startup import read_yaml_in_c
from badpix.detector1.pipeline import (
    PipelineSettings,
    check_products,
    check_uncal,
    pipeline_steps,
    run_detector1,
    scratch_directory,
    set_crds_environment,
    steps_for,
)
from badpix.detector1.references import use_cache_alone
from badpix.formats.statistics_file import write_rejected

# What may lie in a scratch directory: the statistics need them, and nothing else.
INTERMEDIATES = ("jump", "fitopt")


def main(inputs, outputs, exposure, settings, scratch_space=None):
    """Process the raw file of `exposure` with PipelineSettings.

    `inputs` maps uncal and reference_pixel_mask to paths, and, if given, references to the file of
    `prefetch_references`, whose CRDS context is used unless another one is set. `outputs` maps product (rateints, rate,
    and for darks jump, fitopt) to path. The pipeline works in `scratch_space`, where jump and fitopt stay; without one,
    beside the outputs.
    """
    read_yaml_in_c()
    set_crds_environment(**settings.crds)
    uncal, reference_pixel_mask = inputs["uncal"], inputs["reference_pixel_mask"]
    if "references" in inputs:
        fetched = json.loads(Path(inputs["references"]).read_text(encoding="utf-8"))
        os.environ.setdefault("CRDS_CONTEXT", fetched["context"])
    folder = Path(outputs["rateints"]).resolve().parent
    try:
        check_uncal(uncal)
        with scratch_directory(own_directory(scratch_space, folder) if scratch_space else folder, exposure) as scratch:
            # A link gives the products the exposure's name, whatever the raw file is called. The pipeline writes it
            # into their headers, which hold ASCII.
            name = card_text(exposure)
            link = Path(scratch) / f"{name}_uncal.fits"
            os.symlink(os.path.abspath(uncal), link)
            use_cache_alone(link)
            all_steps = pipeline_steps(settings, os.path.abspath(reference_pixel_mask), "jump" in outputs)
            run_detector1(link, steps_for(link, all_steps, scratch, settings.edgeless_subarrays), scratch)
            made = check_products(scratch, name, outputs, reference_pixel_mask)
            for product, path in outputs.items():
                if scratch_space and product in INTERMEDIATES:
                    move_to_scratch(made[product], path, scratch_space)
                    continue
                with atomic_path(path) as temporary:
                    shutil.move(made[product], temporary)
    except BadExposure as reason:
        logger.error("%s is rejected: %s", exposure, reason)
        for path in outputs.values():
            write_rejected(path, exposure, reason)


# With several threads the pipeline starts processes that import this file under another name.
if "snakemake" in globals() and __name__ == "__main__":
    with logging_to(snakemake.log[0], snakemake.rule):
        given = snakemake.params
        main(
            dict(snakemake.input.items()),
            dict(snakemake.output.items()),
            snakemake.wildcards.exposure,
            PipelineSettings(
                given.kind, given.steps, given.crds, snakemake.threads, tuple(given.get("edgeless_subarrays", ()))
            ),
            snakemake.resources.get("scratch"),
        )
