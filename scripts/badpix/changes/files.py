"""Read two mask files for a comparison, and write the changes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits

from badpix.changes.compare import Changes, change_counts, change_matrix, changed_pixels
from badpix.core.csv_table import write_csv
from badpix.core.errors import ProductError
from badpix.core.files import atomic_path, card_text, is_machine_fault, write_text
from badpix.core.fits_check import file_problem
from badpix.core.fits_table import table_hdu
from badpix.formats.mask_dq import flag_image, read_dq
from badpix.instrument.dq import PIXEL_FLAGS

# Keywords of the orientation and of the detector. Older masks lack some of them.
MUST_AGREE = ("INSTRUME", "DETECTOR", "FASTAXIS", "SLOWAXIS")
# Words of CRDS for masks of any subarray; their origin and size alone are compared.
ANY_SUBARRAY = ("GENERIC", "N/A", "ANY")
DESCRIBING = ("DETECTOR", "SUBARRAY", "USEAFTER", "PEDIGREE", "DATE")
# Shapes (y, x) of the full frames.
FULL_FRAMES = ((2048, 2048), (1024, 1032))
LISTED = np.uint32(PIXEL_FLAGS["OTHER_BAD_PIXEL"])


class MaskMismatch(ValueError):
    """Two masks cannot be compared; the message has the reason."""


@dataclass(frozen=True)
class MaskImage:
    """A mask file: its `path`, its DQ image (uint32 (y, x), the pipeline's bits), its primary header, and notes.

    The notes state what was assumed or dropped to read the file.
    """

    path: Path
    dq: np.ndarray
    header: fits.Header
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """Two masks on the array of the mask `after`: images (y, x) of uint32 in the pipeline's bits.

    `compared` is True where both masks have the pixel; elsewhere `before` is `after`. The notes state what was assumed
    for the comparison.
    """

    before: np.ndarray
    after: np.ndarray
    compared: np.ndarray
    notes: tuple[str, ...]


def read_image(path: str | Path, lists: bool = False) -> MaskImage:
    """The MaskImage of the file `path`; MaskMismatch if it is not a mask file.

    With `lists`, a file without DQ is a list of bad pixels: an image of integers in its primary HDU, bad where it is
    not 0. The listed pixels have the flag OTHER_BAD_PIXEL.
    """
    try:
        if problem := file_problem(Path(path)):
            raise MaskMismatch(f"{path} is not a mask file: {problem}")
        with fits.open(path) as hdus:
            header, has_dq, primary = hdus[0].header, "DQ" in hdus, hdus[0].data
        if has_dq:
            content = read_dq(path)
            return MaskImage(Path(path), content.dq, header, content.notes)
        if lists:
            listed = flag_image(primary, f"{path}: primary HDU") != 0
            return MaskImage(
                Path(path), np.where(listed, LISTED, np.uint32(0)), header,
                (f"{path} is a list: its {listed.sum()} pixels that are not 0 are read as OTHER_BAD_PIXEL",),
            )  # fmt: skip
    except MaskMismatch:
        raise
    except Exception as error:  # damaged files raise many types of error
        if is_machine_fault(error):
            raise
        name = "" if isinstance(error, ProductError) else f"{type(error).__name__}: "
        raise MaskMismatch(f"{path} is not a mask file: {name}{error}") from error
    hint = "; compare_masks.py --lists reads the image in its primary HDU as a list" if primary is not None else ""
    raise MaskMismatch(f"{path} is not a mask file: it has no DQ extension{hint}")


def align(before: MaskImage, after: MaskImage) -> Pair:
    """The Pair of two MaskImages; MaskMismatch unless they are of a detector and one array lies within the other.

    The larger array is cut to the smaller one by SUBSTRT1, SUBSTRT2 and its size, as dq_init cuts a reference file to
    an exposure (`jwst.lib.reffile_utils.get_subarray_model`). Equal arrays must have the same SUBARRAY, unless one is
    for any subarray.
    """
    found, notes = _differences(before, after), [*before.notes, *after.notes]
    boxes = [_box(before, after), _box(after, before)]
    names = [str(mask.header.get("SUBARRAY", "")).strip().upper() for mask in (before, after)]
    if boxes[0] == boxes[1] and all(names) and names[0] != names[1] and not set(names) & set(ANY_SUBARRAY):
        found.append(f"SUBARRAY is {names[0]!r} and {names[1]!r}")
    of_before, of_after = _overlap(*boxes), _overlap(*boxes[::-1])
    if of_before is None or of_after is None:
        found += [
            f"{key} is {values[0]} and {values[1]}"
            for key, values in zip(("SUBSTRT1", "SUBSTRT2"), zip(boxes[0][:2], boxes[1][:2], strict=True), strict=True)
            if values[0] != values[1]
        ]
        if before.dq.shape != after.dq.shape:
            found.append(f"the images have {_text(before.dq.shape)} and {_text(after.dq.shape)} pixels (y, x)")
    if found or of_before is None or of_after is None:
        raise MaskMismatch(f"{before.path} and {after.path} cannot be compared: {'; '.join(found)}")
    notes += [
        f"{key} is missing in {mask.path}, so it was not compared"
        for key in ("DETECTOR",)
        for mask in (before, after)
        if key not in mask.header
    ]
    if boxes[0] != boxes[1]:
        larger, smaller = (before, after) if before.dq.size > after.dq.size else (after, before)
        notes.append(f"{larger.path} ({_text(larger.dq.shape)}) is cut to the array of {smaller.path}")
    on_after, compared = after.dq.copy(), np.zeros(after.dq.shape, bool)
    on_after[of_after], compared[of_after] = before.dq[of_before], True
    return Pair(on_after, after.dq, compared, tuple(notes))


def _differences(before: MaskImage, after: MaskImage) -> list[str]:
    """The keywords MUST_AGREE with different values in two MaskImages."""
    headers = before.header, after.header
    return [
        f"{key} is {headers[0][key]!r} and {headers[1][key]!r}"
        for key in MUST_AGREE
        if all(key in header for header in headers) and _same_case(headers[0][key]) != _same_case(headers[1][key])
    ]


def _same_case(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _box(mask: MaskImage, other: MaskImage) -> tuple[int, int, int, int]:
    """SUBSTRT1, SUBSTRT2, columns and rows of a MaskImage. The size is that of the image, as in dq_init.

    Without SUBSTRT, a full frame and a mask for any subarray begin at (1, 1), and a mask of the same shape as the
    `other` where the other begins; else MaskMismatch.
    """
    header, shape = mask.header, mask.dq.shape
    starts = []
    for key in ("SUBSTRT1", "SUBSTRT2"):
        if key in header:
            start = header[key]
        elif shape in FULL_FRAMES or header.get("SUBARRAY") in (*ANY_SUBARRAY, "FULL"):
            start = 1
        elif shape == other.dq.shape:
            start = other.header.get(key, 1)
        else:
            raise MaskMismatch(f"{mask.path} has no {key}: the place of its {_text(shape)} pixels is not known")
        if not isinstance(start, int) or isinstance(start, bool) or start < 1:
            raise MaskMismatch(f"{mask.path}: {key} is {start!r}; it must be an integer from 1")
        starts.append(start)
    return starts[0], starts[1], shape[1], shape[0]


def _overlap(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> tuple[slice, slice] | None:
    """Slices (y, x) of the image with `box` that both boxes have; None unless one lies within the other."""
    sides = []
    for start, size, other_start, other_size in zip(box[:2], box[2:], other[:2], other[2:], strict=True):
        first, last = max(start, other_start), min(start + size, other_start + other_size)
        sides.append((slice(first - start, last - start), last - first))
    common = [length for _, length in sides]
    return (sides[1][0], sides[0][0]) if common in (list(box[2:]), list(other[2:])) else None


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
    outputs: Mapping[str, str | Path], changes: Changes, masks: tuple[MaskImage, MaskImage], notes: Sequence[str] = ()
) -> dict[str, Any]:
    """Write the comparison `changes` of two MaskImages and return its summary.

    Parameters
    ----------
    outputs : Mapping
        matrix, pixels, table and summary -> path.
    changes : Changes
        The comparison.
    masks : tuple of MaskImage
        The masks before and after.
    notes : sequence of str
        What was assumed for the comparison.
    """
    before, after = masks
    write_csv(outputs["matrix"], change_matrix(changes), index=True)
    pixels = changed_pixels(changes)
    write_csv(outputs["pixels"], pixels)
    with atomic_path(outputs["table"]) as temporary:
        write_table(temporary, pixels, before, after)
    summary = {"before": description(before), "after": description(after), "notes": list(notes)} | change_counts(
        changes
    )
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
