"""Read what the score needs: the truth file of a simulation, and the evidence and mask of a run."""

from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits

from badpix.geometry import cut, full_frame
from badpix.mask_file import read_mask
from badpix.score_pixels import Findings, Truth

TYPE_COLUMNS = {"CODE": int, "NAME": str, "EXPECTED": str}
MORE_TYPE_COLUMNS = {"STRONGER": int, "UNIT": str}
PIXEL_COLUMNS = {"x": int, "y": int, "type": str}
MORE_PIXEL_COLUMNS = {"strength": float, "strength_unit": str, "second": float, "phase": int, "bad_of_8": int,
                      "group": str}  # fmt: skip
EVIDENCE = "evidence.fits"
MASKS = "*_bpm.fits"


def read_truth(path: str | Path) -> Truth:
    """The truth file of simulate.py: images TRUTH, ADJ_OPEN and, if there, DONTCARE, UNLIT; tables TYPES, PIXELS.

    ValueError where an image, table or column is missing, or images differ in shape.
    """
    with fits.open(path, memmap=False) as hdus:
        images = {name: hdus[name].data.astype(bool) for name in ("DONTCARE", "UNLIT") if name in hdus}
        return Truth(
            codes=part(hdus, "TRUTH", path).astype(int),
            adjacent_to_open=part(hdus, "ADJ_OPEN", path).astype(bool),
            types=read_table(hdus, "TYPES", path, TYPE_COLUMNS, MORE_TYPE_COLUMNS),
            charge_reached=images.get("DONTCARE"),
            not_lit=images.get("UNLIT"),
            pixels=read_table(hdus, "PIXELS", path, PIXEL_COLUMNS, MORE_PIXEL_COLUMNS) if "PIXELS" in hdus else None,
            name=str(path),
        )


def read_findings(evidence: str | Path, mask: str | Path, geometry=None, detector=None) -> Findings:
    """Images FOUND, INSUFFICIENT and, if there, INTERMITTENT of an evidence file, and the mask.

    With the Geometry of the exposures and their Detector, a mask of the full frame is cut to the exposures' array.

    ValueError where an image, table or column is missing, or images differ in shape.
    """
    dq = read_mask(mask)
    if geometry is not None and dq.shape != geometry.shape:
        dq = cut(dq, full_frame(geometry, detector), geometry)
    with fits.open(evidence, memmap=False) as hdus:
        types = read_table(hdus, "TYPES", evidence, {"BIT": int, "TYPE": str})
        return Findings(
            found=part(hdus, "FOUND", evidence).astype(np.uint32),
            bits=dict(zip(types["TYPE"], types["BIT"].tolist(), strict=True)),
            dq=dq,
            insufficient=part(hdus, "INSUFFICIENT", evidence).astype(np.uint32),
            intermittent=hdus["INTERMITTENT"].data.astype(np.uint32) if "INTERMITTENT" in hdus else None,
            name=str(evidence),
        )


def mask_of(directory: str | Path) -> Path:
    """The one mask in a directory of results; ValueError when there are none or several."""
    masks = sorted(Path(directory).glob(MASKS))
    if len(masks) != 1:
        names = ", ".join(mask.name for mask in masks) or "none"
        raise ValueError(f"{directory}: one mask {MASKS} is needed, there are: {names}; name it with --mask")
    return masks[0]


def part(hdus: fits.HDUList, name: str, path: str | Path) -> np.ndarray:
    """The data of an extension; ValueError naming the file and what it has when it is not there."""
    if name not in hdus:
        raise ValueError(f"{path} has no extension {name}; it has {', '.join(hdu.name for hdu in hdus[1:])}")
    return hdus[name].data


def read_table(
    hdus: fits.HDUList, name: str, path: str | Path, columns: dict[str, type], optional: dict[str, type] | None = None
) -> pd.DataFrame:
    """The columns (name -> Python type) of a table; `optional` ones only if there. ValueError for a missing one."""
    data = part(hdus, name, path)
    missing = [column for column in columns if column not in data.names]
    if missing:
        raise ValueError(f"{path}: table {name} lacks column {', '.join(missing)}; it has {', '.join(data.names)}")
    wanted = columns | {column: kind for column, kind in (optional or {}).items() if column in data.names}
    return pd.DataFrame(
        {
            column: [str(value).strip() for value in data[column]] if kind is str else data[column].astype(kind)
            for column, kind in wanted.items()
        }
    )
