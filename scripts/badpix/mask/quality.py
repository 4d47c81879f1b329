"""Try a mask in the pipeline: do its flags arrive where observations will see them?"""

import numpy as np

from badpix.instrument import irs2
from badpix.instrument.dq import PIXEL_FLAGS


class QualityCheckFailed(Exception):
    """The pipeline did not take the mask as it is."""


def missing_flags(mask_dq, pixeldq):
    """Number of pixels, by flag mnemonic, that carry a flag in `mask_dq` and not in `pixeldq` (both uint32 (y, x))."""
    lost = mask_dq & ~pixeldq
    counts = {name: int(np.count_nonzero(lost & np.uint32(bit))) for name, bit in PIXEL_FLAGS.items()}
    return {name: count for name, count in counts.items() if count}


def pixeldq_with(mask, ramp):
    """PIXELDQ (uint32 (y, x)) of the `ramp` file after dq_init with `mask`, and the mask that the step says it used."""
    # Imported here because it takes seconds, and after the CRDS environment has been set.
    from jwst.dq_init import DQInitStep

    result = DQInitStep.call(str(ramp), override_mask=str(mask))
    try:
        if result.meta.cal_step.dq_init != "COMPLETE":
            raise QualityCheckFailed(f"dq_init of {ramp} is {result.meta.cal_step.dq_init}, not COMPLETE")
        pixeldq = np.array(result.pixeldq, dtype=np.uint32)
        if pixeldq.shape[0] == irs2.RAW_ROWS:
            pixeldq = irs2.take_science(pixeldq, result.meta.instrument.detector)
        return pixeldq, result.meta.ref_file.mask.name
    finally:
        result.close()
