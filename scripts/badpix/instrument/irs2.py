"""NIRSpec's IRS2 readout: which rows of a raw array hold pixels, and which the reference pixels read between them.

Reading a line of the detector, each of the four amplifiers visits the reference pixels for 4 reads after 8, 24, 40 ...
of its 512 pixels, and a fifth output reads reference pixels all the time. All reads are in the raw file, whose arrays
have 3200 rows instead of 2048 (a line runs along y), although SUBSIZE2 says 2048; so has the mask that dq_init needs.
The pipeline's refpix step takes the interleaved rows out, and all products after it have 2048.
"""

import numpy as np

RAW_ROWS, ROWS = 3200, 2048
N_AMPLIFIERS = 4
# NRS_NORM and NRS_REF: pixels between two visits to the reference pixels, and reads at each visit.
NORMAL, REFERENCE = 16, 4


def is_irs2(readpatt):
    """True when the read pattern (READPATT) is one of IRS2, such as NRSIRS2RAPID."""
    return "IRS2" in str(readpatt).upper()


def problem(header):
    """Why the rows of a raw IRS2 file with this primary header (any mapping) cannot be told apart; None if they can."""
    if header.get("DETECTOR") not in ("NRS1", "NRS2"):
        return f"READPATT is {header.get('READPATT')!r}, but DETECTOR is {header.get('DETECTOR')!r}, not NRS1 or NRS2"
    for key, usual in (("NRS_NORM", NORMAL), ("NRS_REF", REFERENCE)):
        # The pipeline takes the usual number where the keyword is missing.
        if header.get(key, usual) != usual:
            return f"IRS2 with {key} = {header[key]!r} is not supported, only {usual}"
    return None


def science_rows(detector):
    """Boolean array of 3200: True where a row of the raw array (in the orientation of the file) holds pixels."""
    amplifier = np.ones(RAW_ROWS // (N_AMPLIFIERS + 1), bool)
    for start in range(NORMAL // 2, len(amplifier), NORMAL + REFERENCE):
        amplifier[start : start + REFERENCE] = False
    rows = np.concatenate([np.zeros_like(amplifier), *[amplifier] * N_AMPLIFIERS])
    # NRS2 is stored turned by 180 degrees.
    return rows[::-1] if detector == "NRS2" else rows


def take_science(raw, detector):
    """The pixels of `raw` (..., 3200, x) as (..., 2048, x)."""
    return raw[..., science_rows(detector), :]


def interleave(image, detector, fill):
    """`image` (2048, x) in the rows of a raw array (3200, x), with `fill` at the reads of reference pixels."""
    raw = np.full((RAW_ROWS, image.shape[1]), fill, image.dtype)
    raw[science_rows(detector)] = image
    return raw


class Section:
    """Reads the array of a FITS extension from the file by slices; has its `shape`."""

    def __init__(self, hdu):
        self.section, self.shape = hdu.section, tuple(hdu.shape)

    def __getitem__(self, key):
        return self.section[key]


class ScienceSection:
    """Reads a raw IRS2 array (integration, group, 3200, x) as one of 2048 rows: `section[integration, groups, rows]`.

    `hdu` is its FITS extension, `rows` a slice of the 2048.
    """

    def __init__(self, hdu, detector):
        self.section = hdu.section
        if hdu.shape[2] != RAW_ROWS:
            raise ValueError(f"a raw IRS2 array has {RAW_ROWS} rows, not {hdu.shape[2]}")
        self.raw_rows = np.flatnonzero(science_rows(detector))
        self.shape = (*hdu.shape[:2], ROWS, hdu.shape[3])

    def __getitem__(self, key):
        integration, groups, rows = key
        wanted = self.raw_rows[rows]
        block = self.section[integration, groups, int(wanted[0]) : int(wanted[-1]) + 1]
        return block[..., wanted - wanted[0], :]


def science_section(hdus):
    """The raw ramps of an open uncal file without interleaved rows: has `shape` and is read by slices of rows."""
    header, hdu = hdus[0].header, hdus["SCI"]
    return ScienceSection(hdu, header["DETECTOR"]) if is_irs2(header.get("READPATT")) else Section(hdu)
