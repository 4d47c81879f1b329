"""Run the unmodified calwebb_detector1 on an exposure."""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astropy.io import fits

from badpix.core.errors import BadExposure
from badpix.core.files import is_machine_fault
from badpix.core.startup import detector1_pipeline
from badpix.formats.detector1_products import check_planes, check_steps, open_product
from badpix.formats.lost_data import check_raw
from badpix.formats.mask_file import write_interleaved_copy
from badpix.instrument import irs2

logger = logging.getLogger(__name__)

# Step of calwebb_detector1 -> parameter -> value.
Steps = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class PipelineSettings:
    """The settings of the pipeline for an exposure."""

    kind: str  # dark or flat
    steps: Mapping[str, Mapping[str, Any]]  # the configured parameters by step
    crds: dict[str, str | None]  # the arguments of `set_crds_environment`
    threads: int = 1  # cores that jump and ramp_fit may use
    edgeless_subarrays: tuple[str, ...] = ()  # subarrays without reference pixels: refpix is skipped


def check_uncal(path: str | Path) -> None:
    """Raise BadExposure unless `path` is a complete raw file whose array has the shape given in its header."""
    with open_product(path, "uncal") as hdus:
        header, shape = hdus[0].header, hdus["SCI"].shape
        in_header = tuple(header.get(key) for key in ("NGROUPS", "SUBSIZE2", "SUBSIZE1"))
        if irs2.is_irs2(header.get("READPATT")):
            if problem := irs2.problem(header):
                raise BadExposure(problem)
            if in_header[1] == irs2.ROWS:  # rows of the detector; the raw array has all reads
                in_header = (in_header[0], irs2.RAW_ROWS, in_header[2])
        if shape[1:] != in_header:
            raise BadExposure(
                f"SCI has shape {shape} (integration, group, y, x), but NGROUPS, SUBSIZE2, SUBSIZE1 are {in_header}"
            )
        check_raw(hdus["SCI"])


def pipeline_steps(settings: PipelineSettings, reference_pixel_mask: str | Path, keep_jump: bool) -> Steps:
    """The `steps` argument of the pipeline: the configured parameters and the parameters that the workflow needs.

    `keep_jump` adds the jump and fitopt products. A configured number of cores is not changed.
    """
    steps: Steps = {step: dict(parameters) for step, parameters in settings.steps.items()}
    # The mask currently in CRDS would exclude its bad pixels from measurement: DO_NOT_USE gives rate NaN, pedestal 0.
    steps.setdefault("dq_init", {})["override_mask"] = str(reference_pixel_mask)
    if keep_jump:
        steps.setdefault("jump", {})["save_results"] = True
        steps.setdefault("ramp_fit", {})["save_opt"] = True
    if settings.threads > 1:
        for step in ("jump", "ramp_fit"):
            steps.setdefault(step, {}).setdefault("maximum_cores", str(settings.threads))
    logger.info("%s: steps %s", settings.kind, steps)
    return steps


def _is_machine_fault(error: BaseException) -> bool:
    """True for errors of the machine and of CRDS."""
    return is_machine_fault(error) or any(base.__module__.split(".")[0] == "crds" for base in type(error).__mro__)


def run_detector1(uncal: str | Path, steps: Steps, directory: str | Path) -> None:
    """Run the pipeline on `uncal` with all output files in `directory`.

    Raises BadExposure when the pipeline cannot process the exposure; errors of the machine and of CRDS are not caught.
    """
    # Here, because it takes seconds and must follow the setting of the CRDS environment.
    pipeline = detector1_pipeline()
    # The pipeline would add its own handler, and the log would have every line twice.
    for name in pipeline.get_stpipe_loggers():
        logging.getLogger(name).setLevel(logging.INFO)
    try:
        pipeline.call(str(uncal), steps=steps, output_dir=str(directory), save_results=True, configure_log=False)
    except BaseException as error:
        # Any error may follow when another run has taken over the exposure and removed its files.
        if _is_machine_fault(error) or not Path(uncal).exists():
            raise
        raise BadExposure(f"calwebb_detector1 failed: {type(error).__name__}: {error}") from error


def steps_for(uncal: str | Path, steps: Steps, directory: str | Path, edgeless: Collection[str] = ()) -> Steps:
    """`steps` adapted to the raw file `uncal`.

    IRS2: dq_init gets a mask with the rows of the raw file, a copy in `directory` with the same name. Subarrays in
    `edgeless`: refpix is skipped, unless the configuration sets its `skip`.
    """
    header = fits.getheader(uncal)
    if irs2.is_irs2(header.get("READPATT")):
        given = Path(steps["dq_init"]["override_mask"])
        copy = Path(directory) / given.name
        write_interleaved_copy(given, copy, header["DETECTOR"])
        steps = steps | {"dq_init": steps["dq_init"] | {"override_mask": str(copy)}}
    refpix = steps.get("refpix", {})
    if header.get("SUBARRAY") in edgeless and "skip" not in refpix:
        logger.warning(
            "%s has no reference pixels: refpix, which would use its illuminated edges as such, is skipped",
            header["SUBARRAY"],
        )
        steps = steps | {"refpix": refpix | {"skip": True}}
    return steps


def check_products(
    directory: str | Path, exposure: str, products: Iterable[str], reference_pixel_mask: str | Path
) -> dict[str, Path]:
    """The paths of the products of an exposure: product -> path.

    Raises BadExposure unless every product is there and has the needed steps.
    """
    paths = {}
    for product in products:
        path = Path(directory) / f"{exposure}_{product}.fits"
        if not path.is_file():
            raise BadExposure(f"calwebb_detector1 wrote no {product} file")
        with fits.open(path) as hdus:
            check_planes(hdus, product)
            if product in ("jump", "rateints"):
                check_used_mask(hdus[0].header, reference_pixel_mask)
                check_steps(hdus[0].header, product)
        paths[product] = path
    return paths


def check_used_mask(header: Mapping[str, Any], reference_pixel_mask: str | Path) -> None:
    """Raise RuntimeError unless dq_init used the mask of the workflow: a fault of the setup, not of the exposure."""
    used = str(header.get("R_MASK", "none"))
    if Path(used).name != Path(reference_pixel_mask).name:
        raise RuntimeError(f"dq_init used the mask {used}, not {reference_pixel_mask}")
