"""The IRS2 readout of NIRSpec: rows of a raw array with science pixels, and interleaved rows with reference pixels.

Each of the four amplifiers reads 512 pixels of a detector line, and 4 reference pixels after 8, 24, 40 ... of them. A
fifth output reads reference pixels only. The raw file holds all reads: its arrays have 3200 rows (a line runs along y),
although SUBSIZE2 is 2048, and dq_init needs a mask of 3200 rows too. The pipeline's refpix step removes the interleaved
rows; all later products have 2048 rows.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

RAW_ROWS, ROWS = 3200, 2048
N_AMPLIFIERS = 4
# NRS_NORM and NRS_REF: pixels between two groups of reference reads, and reads in each group.
NORMAL, REFERENCE = 16, 4


def is_irs2(readpatt: object) -> bool:
    """True when the readout pattern (READPATT) is IRS2, such as NRSIRS2RAPID."""
    return "IRS2" in str(readpatt).upper()


def problem(header: Mapping[str, Any]) -> str | None:
    """The reason why the interleaved rows of a raw IRS2 file with this primary header are not known; else None."""
    if header.get("DETECTOR") not in ("NRS1", "NRS2"):
        return f"READPATT is {header.get('READPATT')!r}, but DETECTOR is {header.get('DETECTOR')!r}, not NRS1 or NRS2"
    for key, supported in (("NRS_NORM", NORMAL), ("NRS_REF", REFERENCE)):
        # The pipeline uses these numbers too where the keyword is missing.
        if header.get(key, supported) != supported:
            return f"IRS2 with {key} = {header[key]!r} is not supported, only {supported}"
    return None


def science_rows(detector: str) -> np.ndarray:
    """Boolean array of 3200: True where a row of the raw array (in the orientation of the file) has science pixels."""
    amplifier = np.ones(RAW_ROWS // (N_AMPLIFIERS + 1), bool)
    for start in range(NORMAL // 2, len(amplifier), NORMAL + REFERENCE):
        amplifier[start : start + REFERENCE] = False
    rows = np.concatenate([np.zeros_like(amplifier), *[amplifier] * N_AMPLIFIERS])
    # NRS2 is stored rotated by 180 degrees.
    return rows[::-1] if detector == "NRS2" else rows


def take_science(raw: np.ndarray, detector: str) -> np.ndarray:
    """The science pixels of `raw` (..., 3200, x) as (..., 2048, x)."""
    return raw[..., science_rows(detector), :]


def interleave(image: np.ndarray, detector: str, fill: int | float | np.generic) -> np.ndarray:
    """`image` (2048, x) in the rows of a raw array (3200, x), with `fill` in the interleaved rows."""
    raw = np.full((RAW_ROWS, image.shape[1]), fill, image.dtype)
    raw[science_rows(detector)] = image
    return raw


class Section:
    """The array of a FITS extension, read from the file by slices; `shape` is the shape of the array."""

    def __init__(self, hdu: Any) -> None:
        self.section, self.shape = hdu.section, tuple(hdu.shape)

    def __getitem__(self, key: Any) -> np.ndarray:
        return self.section[key]


class ScienceSection:
    """The science pixels (integration, group, 2048, x) of a raw IRS2 array (integration, group, 3200, x).

    Read from the file by `section[integration, groups, rows]`: an index, an index or a slice, and a slice of the 2048
    rows. `hdu` is the FITS extension of the raw array.
    """

    def __init__(self, hdu: Any, detector: str) -> None:
        self.section = hdu.section
        if hdu.shape[2] != RAW_ROWS:
            raise ValueError(f"a raw IRS2 array has {RAW_ROWS} rows, not {hdu.shape[2]}")
        self.raw_rows = np.flatnonzero(science_rows(detector))
        self.shape = (*hdu.shape[:2], ROWS, hdu.shape[3])

    def __getitem__(self, key: tuple[int, int | slice, slice]) -> np.ndarray:
        integration, groups, rows = key
        wanted = self.raw_rows[rows]
        block = self.section[integration, groups, int(wanted[0]) : int(wanted[-1]) + 1]
        return block[..., wanted - wanted[0], :]


def science_section(hdus: Any) -> Section | ScienceSection:
    """The raw ramps of an open uncal file without interleaved rows, read by slices of rows; has a `shape`."""
    header, hdu = hdus[0].header, hdus["SCI"]
    return ScienceSection(hdu, header["DETECTOR"]) if is_irs2(header.get("READPATT")) else Section(hdu)
