"""The old mask of the science check, before hours of exposures: whether a run can be checked against it."""

from collections.abc import Iterable

from badpix.changes.files import MaskMismatch, read_image


def old_mask_problem(path: str, detectors: Iterable[str]) -> str | None:
    """Why the file `path` cannot be the old mask of masks of all these `detectors`; None if it can."""
    try:
        image = read_image(path)
    except MaskMismatch as error:
        return str(error)
    own = str(image.header.get("DETECTOR", "")).strip().upper()
    others = sorted({*detectors} - {own})
    if own and others:
        return f"{path}: DETECTOR is {own}, and the run has masks of {', '.join(others)}; crds has the mask of each"
    return None
