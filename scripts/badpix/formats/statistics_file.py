"""The cached statistics of an exposure: a FITS file of measurements, one plane (integration, y, x) per quantity.

The primary header repeats the keywords of the exposure that the vote and the mask need. An exposure that could not be
used has a file too, with the primary header alone, `REJECTED = T` and the reason in `REJREASN`; so the workflow goes on
without it and does not try it again until its input changes.
"""

from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.errors import BadExposure, StatisticsError
from badpix.core.files import atomic_path, card_text
from badpix.core.fits_check import examine
from badpix.core.fits_table import table_hdu

# What is copied from the exposure's own primary header, where present.
KEYWORDS = (
    "TELESCOP",
    "INSTRUME",
    "DETECTOR",
    "EXP_TYPE",
    "CHANNEL",
    "MODULE",
    "FILTER",
    "PUPIL",
    "GRATING",
    "BAND",
    "DATE-OBS",
    "TIME-OBS",
    "DATE-BEG",
    "DATE-END",
    "READPATT",
    "SUBARRAY",
    "SUBSTRT1",
    "SUBSTRT2",
    "SUBSIZE1",
    "SUBSIZE2",
    "FASTAXIS",
    "SLOWAXIS",
    "NINTS",
    "NGROUPS",
    "NFRAMES",
    "GROUPGAP",
    "TFRAME",
    "TGROUP",
    "DRPFRMS1",
    "CAL_VER",
    "CRDS_CTX",
    "R_MASK",
)


def write_rejected(path, exposure, reason):
    """Write at `path` the product of an exposure that cannot be used, saying why."""
    primary = fits.PrimaryHDU()
    primary.header["EXPOSURE"] = card_text(exposure)
    primary.header["REJECTED"] = (True, "this exposure could not be used")
    primary.header["REJREASN"] = card_text(reason)
    with atomic_path(path) as temporary:
        primary.writeto(temporary, overwrite=True)


def rejection_reason(path):
    """The reason why the exposure of product `path` was rejected, or None if it was not."""
    header = fits.getheader(path, 0)
    return header["REJREASN"] if header.get("REJECTED", False) else None


def require_usable(*paths):
    """Raise BadExposure with its reason if one of the products is that of a rejected exposure, or no FITS file."""
    for path in paths:
        try:
            reason = rejection_reason(path)
        except OSError as error:
            if error.errno is not None:
                raise  # the machine's fault, not the file's
            raise BadExposure(f"{Path(path).name} is not readable as FITS: {error}") from error
        if reason is not None:
            raise BadExposure(reason)


def checked_header(path):
    """The primary header of the statistics file `path`; StatisticsError unless the file is whole."""
    problem, found = examine(Path(path), lambda hdus: (hdus[0].header.copy(), len(hdus) - 1))
    if problem is None:
        header, n_extensions = found
        expected = header.get("NEXTEND", 0)
        if n_extensions == expected:
            return header
        problem = f"the file is truncated: {n_extensions} of {expected} extensions"
    raise StatisticsError(f"{path}: {problem}. Remove it and run again; it will be made anew.")


class StatisticsWriter:
    """Collects planes block of rows by block of rows, and writes them as one statistics file."""

    def __init__(self, exposure, source_header, n_integrations, shape):
        self.exposure = exposure
        self.source_header = source_header
        self.shape = (n_integrations, *shape)
        self.planes = {}
        self.units = {}

    def put(self, name, integration, rows, values, unit=None):
        """Store `values` (rows, x) of plane `name`; its dtype is that of the first block."""
        if name not in self.planes:
            self.planes[name] = np.zeros(self.shape, dtype=values.dtype)
            self.units[name] = unit
        self.planes[name][integration, rows] = values

    def write(self, path, extra_header=(), integrations=None):
        """Write the file whole or not at all. `integrations` is a list of dicts, a row each of table INTEGRATIONS."""
        primary = fits.PrimaryHDU()
        primary.header["EXPOSURE"] = card_text(self.exposure)
        primary.header["REJECTED"] = False
        for key in KEYWORDS:
            if key in self.source_header:
                primary.header[key] = (self.source_header[key], self.source_header.comments[key])
        for key, value, comment in extra_header:
            primary.header[key] = (value, comment)
        hdus = [primary]
        for name, plane in self.planes.items():
            hdu = fits.ImageHDU(plane, name=name)
            if self.units[name]:
                hdu.header["BUNIT"] = self.units[name]
            hdus.append(hdu)
        if integrations is not None:
            columns = {name: [row[name] for row in integrations] for name in integrations[0]}
            hdus.append(table_hdu("INTEGRATIONS", columns))
        # So that a file cut off between two extensions is not taken for whole.
        primary.header["NEXTEND"] = (len(hdus) - 1, "number of extensions")
        with atomic_path(path) as temporary:
            fits.HDUList(hdus).writeto(temporary, overwrite=True)


@contextmanager
def open_segments(paths):
    """Open the statistics files of one exposure memory-mapped, as a list."""
    with ExitStack() as stack:
        yield [stack.enter_context(open_statistics(path)) for path in paths]


def open_statistics(path):
    """Open a statistics file memory-mapped; the caller closes it (use as a context manager)."""
    return fits.open(Path(path), mode="readonly")
