"""Read two mask files for a comparison, and write the changes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits

from badpix.changes.compare import Changes, change_counts, change_matrix, changed_pixels
from badpix.core.csv_table import write_csv
from badpix.core.files import atomic_path, card_text, is_machine_fault, write_text
from badpix.core.fits_check import file_problem
from badpix.core.fits_table import table_hdu
from badpix.formats.mask_file import read_mask

# Equal indices in both arrays are the same pixel only if these keywords agree. Older masks lack some of them.
MUST_AGREE = ("INSTRUME", "DETECTOR", "SUBARRAY", "SUBSTRT1", "SUBSTRT2", "FASTAXIS", "SLOWAXIS")
# CRDS' words for masks of any subarray; their origin and size alone are compared.
ANY_SUBARRAY = ("GENERIC", "N/A", "ANY")
DESCRIBING = ("DETECTOR", "SUBARRAY", "USEAFTER", "PEDIGREE", "DATE")


class MaskMismatch(ValueError):
    """Two masks cannot be compared; the message has the reason."""


@dataclass(frozen=True)
class MaskImage:
    """A mask file: its `path`, its DQ image (uint32 (y, x), the pipeline's bits) and its primary header."""

    path: Path
    dq: np.ndarray
    header: fits.Header


def read_image(path: str | Path) -> MaskImage:
    """The MaskImage of the file `path`; MaskMismatch if it is not a mask file."""
    try:
        if problem := file_problem(Path(path)):
            raise MaskMismatch(f"{path} is not a mask file: {problem}")
        header = fits.getheader(path, 0)
        with fits.open(path) as hdus:
            missing = [name for name in ("DQ", "DQ_DEF") if name not in hdus]
        if not missing:
            return MaskImage(Path(path), read_mask(path), header)
    except MaskMismatch:
        raise
    except Exception as error:  # datamodels raise many types of error for a file of another kind
        if is_machine_fault(error):
            raise
        raise MaskMismatch(f"{path} is not a mask file: {type(error).__name__}: {error}") from error
    raise MaskMismatch(f"{path} is not a mask file: it has no {' and no '.join(missing)} extension")


def check_pair(before: MaskImage, after: MaskImage) -> None:
    """Raise MaskMismatch unless two MaskImages have the same array of the same detector."""
    headers = [_completed(mask.header) for mask in (before, after)]
    found = [
        f"{key} is {headers[0][key]!r} and {headers[1][key]!r}"
        for key in MUST_AGREE
        if key in headers[0] and key in headers[1] and headers[0][key] != headers[1][key]
    ]
    if before.dq.shape != after.dq.shape:
        found.append(f"the images have {_text(before.dq.shape)} and {_text(after.dq.shape)} pixels (y, x)")
    if found:
        raise MaskMismatch(f"{before.path} and {after.path} cannot be compared: {'; '.join(found)}")


def _completed(header: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords MUST_AGREE of a mask. A mask for any subarray has no SUBARRAY, and the origin (1, 1) by default."""
    found = {key: header[key] for key in MUST_AGREE if key in header}
    if found.get("SUBARRAY") in ANY_SUBARRAY:
        del found["SUBARRAY"]
        found = {"SUBSTRT1": 1, "SUBSTRT2": 1, **found}
    return found


def _text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def labels(before: MaskImage, after: MaskImage) -> list[str]:
    """Labels of two MaskImages: their file names, or the ends of their paths from the last difference on."""
    parts = [mask.path.parts[::-1] for mask in (before, after)]
    n_parts = next((n for n, (first, second) in enumerate(zip(*parts, strict=False), 1) if first != second), 1)
    return ["/".join(names[:n_parts][::-1]) for names in parts]


def description(mask: MaskImage) -> dict[str, str]:
    """Path and header keywords of a MaskImage, for the summary of a comparison."""
    return {"file": str(mask.path)} | {key.lower(): str(mask.header[key]) for key in DESCRIBING if key in mask.header}


def write_changes(
    outputs: Mapping[str, str | Path], changes: Changes, before: MaskImage, after: MaskImage
) -> dict[str, Any]:
    """Write the comparison `changes` of two MaskImages and return its summary.

    Parameters
    ----------
    outputs : Mapping
        matrix, pixels, table and summary -> path.
    changes : Changes
        The comparison.
    before, after : MaskImage
        The masks.
    """
    write_csv(outputs["matrix"], change_matrix(changes), index=True)
    pixels = changed_pixels(changes)
    write_csv(outputs["pixels"], pixels)
    with atomic_path(outputs["table"]) as temporary:
        write_table(temporary, pixels, before, after)
    summary = {"before": description(before), "after": description(after)} | change_counts(changes)
    write_text(outputs["summary"], json.dumps(summary, indent=2) + "\n")
    return summary


def write_table(path: str | Path, pixels: pd.DataFrame, before: MaskImage, after: MaskImage) -> None:
    """Write the DataFrame of `changed_pixels` as the FITS table CHANGES."""
    hdu = table_hdu("CHANGES", {name: np.asarray(pixels[name], dtype=_dtype(pixels[name])) for name in pixels})
    for keyword, label in zip(("BEFORE", "AFTER"), labels(before, after), strict=True):
        hdu.header[keyword] = (card_text(label), "mask file")
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, overwrite=True)


def _dtype(column: pd.Series) -> str | np.dtype:
    """The dtype of a column of the table; texts need a length of at least 1, also without rows."""
    return f"U{max([1, *map(len, column)])}" if column.dtype.kind not in "iu" else column.dtype
