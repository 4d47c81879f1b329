"""Run the pipeline's dq_init on a real ramp with the final mask, and check that PIXELDQ contains all its flags.

Reads the mask and a ramp; writes a JSON report with the number of pixels per flag.
"""

import json
from pathlib import Path

from astropy.io import fits

from badpix.core.crds_settings import set_crds_environment
from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.formats.mask_file import read_mask
from badpix.instrument.dq import count_flags
from badpix.instrument.geometry import Geometry, cut
from badpix.mask.quality import QualityCheckFailed, missing_flags, pixeldq_with


def main(mask, ramp, report, crds):
    """Check `mask` on `ramp` and write `report`. Raises QualityCheckFailed if a flag is lost."""
    set_crds_environment(**crds)
    dq = read_mask(mask)
    # For a ramp of a subarray, dq_init cuts a mask of the full frame to the subarray.
    dq = cut(dq, *(Geometry.from_header(fits.getheader(path)) for path in (mask, ramp)))
    pixeldq, used = pixeldq_with(str(Path(mask).absolute()), ramp)
    if Path(used).name != Path(mask).name:
        raise QualityCheckFailed(f"dq_init used the mask {used}, not {mask}")
    if lost := missing_flags(dq, pixeldq):
        raise QualityCheckFailed(f"flags of the mask that did not arrive in PIXELDQ (pixels): {lost}")
    flags = count_flags(dq)
    logger.info("all flags of %s arrived in PIXELDQ of %s: %s", mask, ramp, flags)
    text = {"mask": Path(mask).name, "ramp": Path(ramp).name, "passed": True, "pixels_per_flag": flags}
    write_text(report, json.dumps(text, indent=2) + "\n")


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(snakemake.input.mask, snakemake.input.ramp, snakemake.output.report, snakemake.params.crds)
