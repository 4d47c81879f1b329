"""Run the unmodified calwebb_detector1 on one exposure."""

import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from astropy.io import fits

from badpix.core.errors import BadExposure
from badpix.core.files import is_machine_fault, stale
from badpix.core.startup import importing_much
from badpix.formats.detector1_products import check_planes, check_steps, open_product
from badpix.formats.lost_data import check_raw
from badpix.formats.mask_file import write_interleaved_copy
from badpix.instrument import irs2

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PipelineSettings:
    """How the pipeline is to process an exposure."""

    kind: str  # dark or flat
    steps: dict  # the configured parameters by step
    crds: dict  # the arguments of `set_crds_environment`
    threads: int = 1  # cores that jump and ramp_fit may use
    edgeless_subarrays: tuple = ()  # those of which refpix is skipped, since they have no reference pixels


def set_crds_environment(path, server_url, context):
    """Put the configuration's CRDS settings into the environment; None leaves what the environment says."""
    for variable, value in (("CRDS_PATH", path), ("CRDS_SERVER_URL", server_url), ("CRDS_CONTEXT", context)):
        if value is not None:
            os.environ[variable] = os.path.abspath(value) if variable == "CRDS_PATH" else value
    os.environ["CRDS_OBSERVATORY"] = "jwst"


def check_uncal(path):
    """Raise BadExposure unless `path` is a whole raw exposure whose array is the one its header announces."""
    with open_product(path, "uncal") as hdus:
        header, shape = hdus[0].header, hdus["SCI"].shape
        announced = tuple(header.get(key) for key in ("NGROUPS", "SUBSIZE2", "SUBSIZE1"))
        if irs2.is_irs2(header.get("READPATT")):
            if problem := irs2.problem(header):
                raise BadExposure(problem)
            if announced[1] == irs2.ROWS:  # of the detector; the raw array has all reads
                announced = (announced[0], irs2.RAW_ROWS, announced[2])
        if shape[1:] != announced:
            raise BadExposure(
                f"SCI has shape {shape} (integration, group, y, x), but NGROUPS, SUBSIZE2, SUBSIZE1 say {announced}"
            )
        check_raw(hdus["SCI"])


def pipeline_steps(settings, reference_pixel_mask, keep_jump):
    """The `steps` argument of the pipeline: the parameters of PipelineSettings and what the workflow itself needs.

    Of the number of threads the configured parameters have the last word.
    """
    steps = {step: dict(parameters) for step, parameters in settings.steps.items()}
    # The mask that CRDS selects would make yesterday's bad pixels unmeasurable: DO_NOT_USE gives rate NaN, pedestal 0.
    steps.setdefault("dq_init", {})["override_mask"] = str(reference_pixel_mask)
    if keep_jump:
        steps.setdefault("jump", {})["save_results"] = True
        steps.setdefault("ramp_fit", {})["save_opt"] = True
    if settings.threads > 1:
        for step in ("jump", "ramp_fit"):
            steps.setdefault(step, {}).setdefault("maximum_cores", str(settings.threads))
    logger.info("%s: steps %s", settings.kind, steps)
    return steps


def _is_machine_fault(error):
    return is_machine_fault(error) or any(base.__module__.split(".")[0] == "crds" for base in type(error).__mro__)


def run_detector1(uncal, steps, directory):
    """Run the pipeline on `uncal` with all its files in `directory`.

    Raises BadExposure when the pipeline cannot process the exposure; faults of the machine and of CRDS go through.
    """
    # Imported here because it takes seconds, and after the CRDS environment has been set.
    with importing_much():
        from jwst.pipeline import Detector1Pipeline
    # The pipeline would add a handler of its own, and every line would stand in the log twice.
    for name in Detector1Pipeline.get_stpipe_loggers():
        logging.getLogger(name).setLevel(logging.INFO)
    try:
        Detector1Pipeline.call(
            str(uncal), steps=steps, output_dir=str(directory), save_results=True, configure_log=False
        )
    except BaseException as error:
        # Without its files (another run has taken over the exposure) any error may come.
        if _is_machine_fault(error) or not Path(uncal).exists():
            raise
        raise BadExposure(f"calwebb_detector1 failed: {type(error).__name__}: {error}") from error


def steps_for(uncal, steps, directory, edgeless=()):
    """`steps` as the raw file `uncal` needs them.

    IRS2: a mask for dq_init that has the rows of the raw file, a copy in `directory` with the same name. Subarrays
    named in `edgeless`: no refpix, unless the configuration says so.
    """
    header = fits.getheader(uncal)
    if irs2.is_irs2(header.get("READPATT")):
        given = Path(steps["dq_init"]["override_mask"])
        copy = Path(directory) / given.name
        write_interleaved_copy(given, copy, header["DETECTOR"])
        steps = steps | {"dq_init": steps["dq_init"] | {"override_mask": str(copy)}}
    refpix = steps.get("refpix", {})
    if header.get("SUBARRAY") in edgeless and "skip" not in refpix:
        logger.warning("%s has no reference pixels: refpix, which would take its lit edges for them, is skipped",
                       header["SUBARRAY"])  # fmt: skip
        steps = steps | {"refpix": refpix | {"skip": True}}
    return steps


def check_products(directory, exposure, products, reference_pixel_mask):
    """Raise BadExposure unless every product is there, processed as asked; returns their paths by product."""
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


def check_used_mask(header, reference_pixel_mask):
    """Raise RuntimeError unless dq_init used the workflow's own mask: a fault of the set-up, not of the exposure."""
    used = str(header.get("R_MASK", "none"))
    if Path(used).name != Path(reference_pixel_mask).name:
        raise RuntimeError(f"dq_init used the mask {used}, not {reference_pixel_mask}")


def scratch_directory(parent, exposure):
    """A temporary directory in `parent`, made if need be; what killed jobs of the same exposure left is taken away."""
    parent = Path(parent)
    parent.mkdir(parents=True, exist_ok=True)
    prefix = f".detector1-{exposure}-"
    for left in stale(parent, prefix):
        shutil.rmtree(left, ignore_errors=True)
    return tempfile.TemporaryDirectory(prefix=prefix, dir=parent)
