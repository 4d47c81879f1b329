"""Check a mask with the pipeline: the flags of the mask must arrive in PIXELDQ of a real ramp."""

from pathlib import Path

import numpy as np

from badpix.instrument import irs2
from badpix.instrument.dq import PIXEL_FLAGS


class QualityCheckFailed(Exception):
    """The pipeline did not use the mask, or did not use all of its flags."""


def missing_flags(mask_dq: np.ndarray, pixeldq: np.ndarray) -> dict[str, int]:
    """Number of pixels, by flag mnemonic, with a flag in `mask_dq` that `pixeldq` lacks (both uint32 (y, x))."""
    lost = mask_dq & ~pixeldq
    counts = {name: int(np.count_nonzero(lost & np.uint32(bit))) for name, bit in PIXEL_FLAGS.items()}
    return {name: count for name, count in counts.items() if count}


def pixeldq_with(mask: str | Path, ramp: str | Path) -> tuple[np.ndarray, str]:
    """PIXELDQ, uint32 (y, x), of the file `ramp` after dq_init with `mask`, and the mask recorded in its metadata.

    Raises QualityCheckFailed if dq_init is not COMPLETE.
    """
    # Imported here because the import takes seconds, and must follow the setting of the CRDS environment.
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
