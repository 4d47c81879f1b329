"""Take one raw exposure through calwebb_detector1 and measure its statistics.

Reads the `uncal` file and the reference-pixel mask. The products of the pipeline (rateints and rate, DN/s; for darks
jump, DN, and fitopt) are temporary, except for those that are outputs. If the pipeline cannot process the exposure,
the outputs are rejected products with the reason; if its products cannot be measured, the statistics are rejected.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from badpix.core.content import cache_folder, unchanged
from badpix.core.crds_settings import set_crds_environment
from badpix.core.errors import BadExposure
from badpix.core.files import atomic_path, card_text
from badpix.core.logs import logger, logging_to
from badpix.core.scratch import scratch_directory, scratch_parent
from badpix.core.startup import read_yaml_in_c
from badpix.detector1.origin import products_provenance, rejected_provenance
from badpix.detector1.pipeline import (
    PipelineSettings,
    check_products,
    check_uncal,
    pipeline_steps,
    run_detector1,
    steps_for,
)
from badpix.detector1.references import require_sound, use_cache_alone
from badpix.formats.detector1_products import PLANES
from badpix.formats.product_file import append_provenance
from badpix.formats.statistics_origin import statistics_provenance
from badpix.instrument.detectors import detector_from_mapping
from badpix.statistics.write import DarkMeasurement, reject, settings_of, write_statistics

STATISTICS = "statistics"
# The products that the statistics of each kind are measured from.
MEASURED = {"dark": ("jump", "rateints", "fitopt"), "flat": ("rateints",)}


@dataclass(frozen=True)
class Space:
    """Where the pipeline works: `scratch` as in the configuration, and what it needs (10^6 bytes) of how many jobs."""

    scratch: str | None = None
    needed_mb: float = 0
    at_a_time: int = 1


def main(inputs, outputs, exposure, settings, dark=None, space=Space()):
    """Run calwebb_detector1 on a raw exposure, write its statistics, and keep the products among the outputs.

    Parameters
    ----------
    inputs : mapping
        uncal, reference_pixel_mask -> path, and optionally references -> the file of `prefetch_references`, whose CRDS
        context applies unless CRDS_CONTEXT is set, and flux_check -> the raw file of a flat for the flux check.
    outputs : mapping
        statistics -> path of the statistics; products rateints, rate, and for darks jump, fitopt -> path.
    exposure : str
        Name of the exposure.
    settings : PipelineSettings
        Kind, steps, threads and CRDS.
    dark : DarkMeasurement, optional
        Settings of the statistics of a dark.
    space : Space, optional
        Where the pipeline works. Default: in the folder of the outputs.
    """
    read_yaml_in_c()
    set_crds_environment(**settings.crds)
    if os.environ.pop("STPIPE_DISABLE_CRDS_STEPPARS", None):
        logger.warning(
            "STPIPE_DISABLE_CRDS_STEPPARS has no effect: the parameters of CRDS and of the configuration apply"
        )
    uncal = inputs["uncal"]
    if "references" in inputs:
        fetched = json.loads(Path(inputs["references"]).read_text(encoding="utf-8"))
        os.environ.setdefault("CRDS_CONTEXT", fetched["context"])
        # A damaged file would make the pipeline fail for every exposure, which would then be rejected.
        cached = (cache_folder(os.environ.get("CRDS_PATH")) / path for path in fetched["files"])
        require_sound(path for path in cached if path.exists())  # CRDS fetches the rest
    folder = Path(next(iter(outputs.values()))).resolve().parent
    with unchanged(uncal, *filter(None, [inputs.get("flux_check")])):
        try:
            check_uncal(uncal)
            parent = scratch_parent(space.scratch, folder, space.needed_mb, space.at_a_time)
            with scratch_directory(parent, exposure) as scratch:
                made = _products(Path(scratch), exposure, inputs, settings, outputs)
                provenance = products_provenance(uncal, made["rateints"], settings)
                if STATISTICS in outputs:
                    _measure(made, inputs, outputs[STATISTICS], exposure, dark, provenance)
                for product, path in outputs.items():
                    if product != STATISTICS:
                        append_provenance(made[product], provenance, PLANES[product])
                        with atomic_path(path) as temporary:
                            shutil.move(made[product], temporary)
        except BadExposure as reason:
            provenance = rejected_provenance(uncal, settings)
            measured = statistics_provenance(provenance, _given(inputs), settings_of(dark))
            for product, path in outputs.items():
                reject(path, exposure, reason, measured if product == STATISTICS else provenance)


def _products(scratch, exposure, inputs, settings, outputs):
    """Run the pipeline in `scratch`: product -> path. Raises BadExposure."""
    # The products take the name of the link, not that of the raw file. The pipeline writes the name into their
    # headers, which hold ASCII only.
    name, mask = card_text(exposure), inputs["reference_pixel_mask"]
    link = scratch / f"{name}_uncal.fits"
    link.symlink_to(Path(inputs["uncal"]).absolute())
    use_cache_alone(link)
    wanted = {product for product in outputs if product != STATISTICS} | {"rateints"}
    if STATISTICS in outputs:
        wanted.update(MEASURED[settings.kind])
    all_steps = pipeline_steps(settings, str(Path(mask).absolute()), "jump" in wanted)
    run_detector1(link, steps_for(link, all_steps, scratch, settings.edgeless_subarrays), scratch)
    return check_products(scratch, name, sorted(wanted), mask)


def _given(inputs):
    """The files of the user that the statistics need beside the raw file: product -> path."""
    return {"uncal": inputs["flux_check"]} if "flux_check" in inputs else {}


def _measure(made, inputs, output, exposure, dark, provenance):
    """Write the statistics of the products `made`, or a rejected file with the reason."""
    given = _given(inputs)
    provenance = statistics_provenance(provenance, given, settings_of(dark))
    paths = {product: made[product] for product in MEASURED["dark" if dark else "flat"]}
    if dark is None or dark.detector.relative_pedestal:
        paths["uncal"] = given.get("uncal", inputs["uncal"])
    try:
        write_statistics(paths, output, exposure, dark, provenance)
    except BadExposure as reason:
        if not made["rateints"].exists():
            raise RuntimeError(f"{made['rateints']} was removed: another run has taken over the exposure") from reason
        reject(output, exposure, reason, provenance)


# With several threads, the pipeline starts processes that import this file under another name.
if "snakemake" in globals() and __name__ == "__main__":
    with logging_to(snakemake.log[0], snakemake.rule):
        given, resources = snakemake.params, snakemake.resources
        is_dark = given.kind == "dark"
        main(
            dict(snakemake.input.items()),
            dict(snakemake.output.items()),
            snakemake.wildcards.exposure,
            PipelineSettings(
                given.kind, given.steps, given.crds, snakemake.threads, tuple(given.get("edgeless_subarrays", ()))
            ),
            DarkMeasurement(detector_from_mapping(given.detector), given.early_cutoff_fraction) if is_dark else None,
            Space(resources.get("scratch"), resources.mem_mb + resources.disk_mb, resources.at_a_time),
        )
