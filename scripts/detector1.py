"""Take one raw exposure through calwebb_detector1.

Reads the `uncal` file and the reference-pixel mask; writes rateints and rate (DN/s), and for darks the jump (DN) and
fitopt files. If the pipeline cannot process the exposure, the outputs are rejected products with the reason.
"""

import json
import os
import shutil
from pathlib import Path

from badpix.core.content import cache_folder, unchanged
from badpix.core.crds_settings import set_crds_environment
from badpix.core.errors import BadExposure
from badpix.core.files import atomic_path, card_text
from badpix.core.logs import logger, logging_to
from badpix.core.scratch import move_to_scratch, own_directory
from badpix.core.startup import read_yaml_in_c
from badpix.detector1.origin import products_provenance, rejected_provenance
from badpix.detector1.pipeline import (
    PipelineSettings,
    check_products,
    check_uncal,
    pipeline_steps,
    run_detector1,
    scratch_directory,
    steps_for,
)
from badpix.detector1.references import require_sound, use_cache_alone
from badpix.formats.detector1_products import PLANES
from badpix.formats.product_file import append_provenance
from badpix.formats.statistics_file import write_rejected

# The products that may stay in a scratch directory: only the statistics need them.
INTERMEDIATES = ("jump", "fitopt")


def main(inputs, outputs, exposure, settings, scratch_space=None):
    """Run calwebb_detector1 on a raw exposure and move its products to the outputs.

    Parameters
    ----------
    inputs : mapping
        uncal, reference_pixel_mask -> path, and optionally references -> the file of `prefetch_references`. Its CRDS
        context applies unless CRDS_CONTEXT is set.
    outputs : mapping
        Products rateints, rate, and for darks jump, fitopt -> path.
    exposure : str
        Name of the exposure.
    settings : PipelineSettings
        Steps, threads and CRDS.
    scratch_space : path, optional
        Folder in which the pipeline works, and in which jump and fitopt stay. Default: the folder of the outputs.
    """
    read_yaml_in_c()
    set_crds_environment(**settings.crds)
    if os.environ.pop("STPIPE_DISABLE_CRDS_STEPPARS", None):
        logger.warning(
            "STPIPE_DISABLE_CRDS_STEPPARS has no effect: the parameters of CRDS and of the configuration apply"
        )
    uncal, reference_pixel_mask = inputs["uncal"], inputs["reference_pixel_mask"]
    if "references" in inputs:
        fetched = json.loads(Path(inputs["references"]).read_text(encoding="utf-8"))
        os.environ.setdefault("CRDS_CONTEXT", fetched["context"])
        # A damaged file would make the pipeline fail for every exposure, which would then be rejected.
        cached = (cache_folder(os.environ.get("CRDS_PATH")) / path for path in fetched["files"])
        require_sound(path for path in cached if path.exists())  # CRDS fetches the rest
    folder = Path(outputs["rateints"]).resolve().parent
    with unchanged(uncal):
        try:
            check_uncal(uncal)
            parent = own_directory(scratch_space, folder) if scratch_space else folder
            with scratch_directory(parent, exposure) as scratch:
                # The products take the name of the link, not that of the raw file. The pipeline writes the name into
                # their headers, which hold ASCII only.
                name = card_text(exposure)
                link = Path(scratch) / f"{name}_uncal.fits"
                link.symlink_to(Path(uncal).absolute())
                use_cache_alone(link)
                all_steps = pipeline_steps(settings, str(Path(reference_pixel_mask).absolute()), "jump" in outputs)
                run_detector1(link, steps_for(link, all_steps, scratch, settings.edgeless_subarrays), scratch)
                made = check_products(scratch, name, outputs, reference_pixel_mask)
                provenance = products_provenance(uncal, made["rateints"], settings)
                for product, path in outputs.items():
                    append_provenance(made[product], provenance, PLANES[product])
                    if scratch_space and product in INTERMEDIATES:
                        move_to_scratch(made[product], path, scratch_space)
                        continue
                    with atomic_path(path) as temporary:
                        shutil.move(made[product], temporary)
        except BadExposure as reason:
            logger.error("%s is rejected: %s", exposure, reason)
            provenance = rejected_provenance(uncal, settings)
            for path in outputs.values():
                write_rejected(path, exposure, reason, provenance)


# With several threads, the pipeline starts processes that import this file under another name.
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
