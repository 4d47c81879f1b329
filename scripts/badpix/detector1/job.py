"""The job of a raw exposure: calwebb_detector1, the statistics, and the products that are kept.

The products of the pipeline (rateints and rate, DN/s; for darks jump, DN, and fitopt) are temporary, except for those
that are outputs. If the pipeline cannot process the exposure, the outputs are rejected products with the reason; if its
products cannot be measured, the statistics are rejected.
"""

import json
import logging
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from badpix.core.content import cache_folder, unchanged
from badpix.core.crds_settings import set_crds_environment
from badpix.core.errors import BadExposure
from badpix.core.files import atomic_path, card_text
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
from badpix.formats.provenance import Provenance
from badpix.formats.statistics_file import reject
from badpix.formats.statistics_origin import Measurement, statistics_provenance

logger = logging.getLogger(__name__)

STATISTICS = "statistics"


# Product -> path; an input or an output without a product of the pipeline by its name.
Paths = Mapping[str, str | Path]


@dataclass(frozen=True)
class Space:
    """Where the pipeline works: `scratch` as in the configuration, and what it needs (10^6 bytes) of how many jobs."""

    scratch: str | None = None
    needed_mb: float = 0
    at_a_time: int = 1


def process(
    inputs: Paths,
    outputs: Paths,
    exposure: str,
    settings: PipelineSettings,
    measurement: Measurement,
    space: Space = Space(),
) -> None:
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
    measurement : Measurement
        How the statistics are measured.
    space : Space, optional
        Where the pipeline works. Default: in the folder of the outputs.
    """
    read_yaml_in_c()
    set_crds_environment(**settings.crds)
    if os.environ.pop("STPIPE_DISABLE_CRDS_STEPPARS", None):
        logger.warning(
            "STPIPE_DISABLE_CRDS_STEPPARS has no effect: the parameters of CRDS and of the configuration apply"
        )
    if "references" in inputs:
        fetched = json.loads(Path(inputs["references"]).read_text(encoding="utf-8"))
        os.environ.setdefault("CRDS_CONTEXT", fetched["context"])
        # A damaged file would make the pipeline fail for every exposure, which would then be rejected.
        cached = (cache_folder(os.environ.get("CRDS_PATH")) / path for path in fetched["files"])
        require_sound(path for path in cached if path.exists())  # CRDS fetches the rest
    uncal, given = inputs["uncal"], {"uncal": inputs["flux_check"]} if "flux_check" in inputs else {}
    folder = Path(next(iter(outputs.values()))).resolve().parent
    with unchanged(uncal, *given.values()):
        try:
            check_uncal(uncal)
            parent = scratch_parent(space.scratch, folder, space.needed_mb, space.at_a_time)
            with scratch_directory(parent, exposure) as scratch:
                needed = {*outputs, *measurement.products} if STATISTICS in outputs else set(outputs)
                made = _run(Path(scratch), exposure, inputs, settings, (needed | {"rateints"}) - {STATISTICS})
                provenance = products_provenance(uncal, made["rateints"], settings)
                if STATISTICS in outputs:
                    measured = statistics_provenance(provenance, given, measurement.settings)
                    paths: dict[str, str | Path] = {product: made[product] for product in measurement.products}
                    if measurement.needs_raw:
                        paths["uncal"] = given.get("uncal", uncal)
                    _measure(paths, outputs[STATISTICS], exposure, measurement, measured)
                for product in outputs.keys() - {STATISTICS}:
                    _keep(made[product], product, outputs[product], provenance)
        except BadExposure as reason:
            provenance = rejected_provenance(uncal, settings)
            measured = statistics_provenance(provenance, given, measurement.settings)
            for product, path in outputs.items():
                reject(path, exposure, reason, measured if product == STATISTICS else provenance)


def _run(
    scratch: Path, exposure: str, inputs: Paths, settings: PipelineSettings, products: Collection[str]
) -> dict[str, Path]:
    """Run the pipeline in `scratch`: product -> path of `products`. Raises BadExposure."""
    # The products take the name of the link, not that of the raw file. The pipeline writes the name into their
    # headers, which hold ASCII only.
    name, mask = card_text(exposure), inputs["reference_pixel_mask"]
    link = scratch / f"{name}_uncal.fits"
    link.symlink_to(Path(inputs["uncal"]).absolute())
    use_cache_alone(link)
    all_steps = pipeline_steps(settings, str(Path(mask).absolute()), "jump" in products)
    run_detector1(link, steps_for(link, all_steps, scratch, settings.edgeless_subarrays), scratch)
    try:
        return check_products(scratch, name, sorted(products), mask)
    except BadExposure as reason:
        # The pipeline makes the directory again that a second job of the exposure, on another node, has removed.
        if not link.is_symlink():
            raise RuntimeError(f"{link} is gone: another run has taken over the exposure") from reason
        raise


def _measure(paths: Paths, output: str | Path, exposure: str, measurement: Measurement, provenance: Provenance) -> None:
    """Write the statistics of the products `paths`, or a rejected file with the reason."""
    try:
        measurement.write(paths, output, exposure, provenance)
    except BadExposure as reason:
        if not Path(paths["rateints"]).exists():
            raise RuntimeError(f"{paths['rateints']} is gone: another run has taken over the exposure") from reason
        reject(output, exposure, reason, provenance)


def _keep(made: Path, product: str, path: str | Path, provenance: Provenance) -> None:
    """Move the product `made` of the pipeline to `path`, with its provenance."""
    append_provenance(made, provenance, PLANES[product])
    with atomic_path(path) as temporary:
        shutil.move(made, temporary)
