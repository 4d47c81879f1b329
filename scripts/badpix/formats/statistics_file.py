"""The cached statistics of an exposure: a FITS file of measurements, one plane (integration, y, x) per quantity.

The primary header repeats the keywords of the exposure that the vote and the mask need. The file of a rejected exposure
has only a primary header, with `REJECTED = T` and the reason in `REJREASN`. The workflow then continues without the
exposure, and does not process it again until its input changes.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.errors import BadExposure
from badpix.core.files import card_text
from badpix.core.fits_table import table_hdu
from badpix.formats.product_file import open_verified, write_product
from badpix.formats.provenance import Provenance
from badpix.instrument import pointing

logger = logging.getLogger(__name__)

# Copied from the primary header of the exposure, where present.
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
    "LAMP",
    "OPMODE",
    "PILIN",
    "MSASTATE",
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
    *pointing.KEYWORDS,
)


def write_rejected(path: str | Path, exposure: str, reason: str | Exception, provenance: Provenance) -> None:
    """Write at `path` the product of an exposure that cannot be used, with the reason."""
    primary = fits.PrimaryHDU()
    primary.header["EXPOSURE"] = card_text(exposure)
    primary.header["REJECTED"] = (True, "this exposure could not be used")
    primary.header["REJREASN"] = card_text(reason)
    write_product(path, [primary], provenance)


def reject(path: str | Path, exposure: str, reason: str | Exception, provenance: Provenance) -> None:
    """As `write_rejected`, with the reason in the log."""
    logger.error("%s is rejected: %s", exposure, reason)
    write_rejected(path, exposure, reason, provenance)


def rejection_reason(path: str | Path) -> str | None:
    """The reason why the exposure of product `path` was rejected, or None if it was not rejected."""
    header = fits.getheader(path, 0)
    return header["REJREASN"] if header.get("REJECTED", False) else None


def require_usable(*paths: str | Path) -> None:
    """Raise BadExposure with the reason if any of the products is from a rejected exposure, or is not a FITS file."""
    for path in paths:
        try:
            reason = rejection_reason(path)
        except OSError as error:
            if error.errno is not None:
                raise  # the machine's fault, not the file's
            raise BadExposure(f"{Path(path).name} is not readable as FITS: {error}") from error
        if reason is not None:
            raise BadExposure(reason)


def checked_header(path: str | Path) -> fits.Header:
    """The primary header of the statistics file `path`; ProductError unless the file is as it was written."""
    with open_verified(path) as hdus:
        return hdus[0].header.copy()


class StatisticsWriter:
    """Collects the planes of an exposure in blocks of rows, and writes them to a statistics file.

    `source_header` is the primary header of the exposure, `shape` is (rows, columns).
    """

    def __init__(self, exposure: str, source_header: fits.Header, n_integrations: int, shape: tuple[int, ...]) -> None:
        self.exposure = exposure
        self.source_header = source_header
        self.shape = (n_integrations, *shape)
        self.planes: dict[str, np.ndarray] = {}
        self.units: dict[str, str | None] = {}

    def put(self, name: str, integration: int, rows: slice, values: np.ndarray, unit: str | None = None) -> None:
        """Store a block of rows of a plane.

        Parameters
        ----------
        name : str
            Name of the plane.
        integration : int
            Number of the integration, 0-based.
        rows : slice
            The rows of the block.
        values : array (rows, x)
            The block; the first block sets the dtype of the plane.
        unit : str, optional
            Unit of the plane, for BUNIT.
        """
        if name not in self.planes:
            self.planes[name] = np.zeros(self.shape, dtype=values.dtype)
            self.units[name] = unit
        self.planes[name][integration, rows] = values

    def write(
        self,
        path: str | Path,
        provenance: Provenance,
        integrations: Sequence[Mapping[str, float]] | None = None,
    ) -> None:
        """Write the file; after an error there is no file. `integrations` are the rows of table INTEGRATIONS."""
        primary = fits.PrimaryHDU()
        primary.header["EXPOSURE"] = card_text(self.exposure)
        primary.header["REJECTED"] = False
        for key in KEYWORDS:
            if key in self.source_header:
                primary.header[key] = (self.source_header[key], self.source_header.comments[key])
        hdus = [primary]
        for name, plane in self.planes.items():
            # In place: astropy would convert a copy, once for the checksum and once for the file.
            big_endian = plane.dtype.newbyteorder(">")
            stored = plane if plane.dtype == big_endian else plane.byteswap(inplace=True).view(big_endian)
            self.planes[name] = stored
            hdu = fits.ImageHDU(stored, name=name)
            if self.units[name]:
                hdu.header["BUNIT"] = self.units[name]
            hdus.append(hdu)
        if integrations is not None:
            columns = {name: [row[name] for row in integrations] for name in integrations[0]}
            hdus.append(table_hdu("INTEGRATIONS", columns))
        write_product(path, hdus, provenance)


@contextmanager
def open_segments(paths: Iterable[str | Path]) -> Iterator[list[fits.HDUList]]:
    """Open the statistics files of one exposure memory-mapped, as a list; their images are freed at the end."""
    with ExitStack() as stack:
        opened = [stack.enter_context(open_statistics(path)) for path in paths]
        yield opened
        # The HDUs refer to each other, so only the garbage collector would free them, after further files are read.
        for hdu in (hdu for hdus in opened for hdu in hdus if hdu.is_image):
            del hdu.data


def open_statistics(path: str | Path) -> fits.HDUList:
    """Open a statistics file memory-mapped; the caller closes it (use as a context manager)."""
    return fits.open(Path(path), mode="readonly")
