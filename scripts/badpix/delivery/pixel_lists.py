"""Bad pixels for other programs: DS9 regions, lists of coordinates, and FITS images by type as in the original script.

All are of the array of the mask in the orientation of the products of the pipeline, that is, for IRS2 without the
interleaved rows of raw files.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.formats.evidence_file import Evidence
from badpix.formats.pixel_types import DARK, FLAT, PIXEL_TYPES
from badpix.instrument.dq import bits
from badpix.instrument.geometry import Geometry, embed

# The first line of a list of coordinates, as `write_list` writes it: the type, and the place of the array (1-based).
LIST_HEAD = re.compile(
    r"# (?P<name>\w+): \d+ pixels of the array .*, whose first pixel is \((?P<x>\d+), (?P<y>\d+)\) of the detector"
)
# Flagged pixels that no search has found, such as those of the table of manual flags.
OTHER = "other"
NOT_BAD = np.uint32(bits(["REFERENCE_PIXEL", "NON_SCIENCE"]))
# Colours that DS9 knows; types that appear together on a detector differ.
COLOURS = {
    "hot": "red", "warm": "orange", "rc": "magenta", "inverse_rc": "pink", "low_pedestal": "yellow", "high_cr": "cyan",
    "noisy": "green", "cold": "navy", "ipc_neighbor": "tan", "DEAD": "blue", "LOW_QE": "purple", "OPEN": "white",
    "ADJ_OPEN": "gray",
}  # fmt: skip
OTHER_COLOUR = "brown"


def images_by_type(evidence: Evidence, measured: Geometry, dq: np.ndarray, frame: Geometry) -> dict[str, np.ndarray]:
    """Type -> boolean image (y, x) of its pixels in the array of a mask, and OTHER for all other flagged pixels.

    Parameters
    ----------
    evidence : Evidence
        The result of the vote, with the Geometry `measured`.
    measured : Geometry
        The array of the exposures.
    dq : uint32 array (y, x)
        The mask, with the Geometry `frame`.
    frame : Geometry
        The array of the mask.
    """
    found = embed(evidence.found, measured, replace(frame, n_rows=dq.shape[0], n_columns=dq.shape[1]))
    images = {name: found >> np.uint32(bit) & 1 == 1 for name, bit in evidence.bit_of.items()}
    images[OTHER] = (dq & ~NOT_BAD != 0) & (found == 0)
    return images


def where_text(frame: Geometry) -> str:
    """The position of the array on the detector, in words."""
    return f"array {frame.subarray}, whose first pixel is ({frame.x_start}, {frame.y_start}) of the detector (1-based)"


def write_regions(path: Path, images: Mapping[str, np.ndarray], frame: Geometry) -> None:
    """Write a DS9 region file: a box per pixel and type, in image coordinates (1-based), with the type as its tag."""
    lines = [
        "# Region file format: DS9 version 4.1",
        f"# Bad pixels of the {where_text(frame)}; image coordinates are 1-based",
        'global color=green width=1 select=1 edit=0 move=0 delete=1 font="helvetica 8 normal roman"',
        "image",
    ]
    for name, image in images.items():
        colour = COLOURS.get(name, OTHER_COLOUR)
        lines += [f"box({x + 1},{y + 1},1,1,0) # color={colour} tag={{{name}}}" for y, x in np.argwhere(image)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def write_list(path: Path, name: str, image: np.ndarray, frame: Geometry) -> None:
    """Write the pixels of a type as lines `x y`, 0-based, sorted by y and x."""
    head = f"# {name}: {int(image.sum())} pixels of the {where_text(frame)}\n# x y, both 0-based: column and row\n"
    path.write_text(head + "".join(f"{x} {y}\n" for y, x in np.argwhere(image)), encoding="ascii")


def write_images(path: Path, images: Mapping[str, np.ndarray], kind: str, header: Mapping[str, object]) -> bool:
    """Write the types found in exposures of `kind` (DARK, FLAT): an extension each, uint8 (y, x), 1 at bad pixels.

    `header` has the cards of the primary header. Returns False, without a file, if no type of this kind was searched.
    """
    types = [name for name in images if name != OTHER and PIXEL_TYPES[name].kind == kind]
    if not types:
        return False
    primary = fits.PrimaryHDU()
    primary.header.update(header)
    hdus = [primary]
    for name in types:
        hdu = fits.ImageHDU(images[name].astype(np.uint8), name=name.upper())
        hdu.header["NPIXELS"] = (int(images[name].sum()), "number of pixels of this type")
        hdus.append(hdu)
    for hdu in hdus:
        hdu.add_checksum()
    fits.HDUList(hdus).writeto(path)
    return True


def write_pixel_lists(
    folder: Path, stem: str, images: Mapping[str, np.ndarray], frame: Geometry, header: Mapping[str, object]
) -> None:
    """Write all lists of a mask to `folder`; names begin with `stem`. `header` has the cards of the FITS images."""
    write_regions(folder / f"{stem}.reg", images, frame)
    (folder / "pixels").mkdir()
    for name, image in images.items():
        write_list(folder / "pixels" / f"{stem}_{name}.txt", name, image, frame)
    for kind, name in ((FLAT, "from_flats"), (DARK, "from_darks")):
        write_images(folder / f"{stem}_{name}.fits", images, kind, header)
