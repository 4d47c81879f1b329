"""The files of the votes without each exposure: a table of exposures (CSV), and the stability of each flag (FITS).

The CSV has a row per exposure: kind (darks, flats), exposure, n_changed (pixels whose types change if the exposure is
left out) and undecided (the types that cannot be decided without the exposure). The FITS has table PIXELS, a row per
pixel and type: kind, type, x, y (0-based), kept (number of leave-one-out votes in which the pixel keeps the type),
votes, stability (kept / votes); and table TYPES, a row per type: kind, type, votes, and gained (pixels found only if an
exposure is left out, summed over the votes). pandas takes a third of a second to import, so it is imported only where a
file is read.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from astropy.io import fits

from badpix.core.csv_table import read_csv, write_csv
from badpix.core.fits_table import read_table, table_hdu
from badpix.formats.product_file import open_verified, write_product
from badpix.formats.provenance import Provenance

if TYPE_CHECKING:
    import pandas as pd

EXPOSURES = {"kind": str, "exposure": str, "n_changed": int, "undecided": str}
PIXELS = {"kind": str, "type": str, "x": int, "y": int, "kept": int, "votes": int, "stability": float}
TYPES = {"kind": str, "type": str, "votes": int, "gained": int}


def write_exposures(path: str | Path, table: "pd.DataFrame") -> None:
    """Write the table of exposures."""
    write_csv(path, table)


def read_exposures(path: str | Path) -> "pd.DataFrame":
    """The table of exposures. TableError if it is damaged."""
    return read_csv(path, EXPOSURES)


def pixels_hdu(pixels: "pd.DataFrame") -> fits.BinTableHDU:
    """Table PIXELS."""
    # Text gets a dtype with a width: an empty column of objects has none.
    return table_hdu("PIXELS", {c: pixels[c].to_numpy("U16" if kind is str else kind) for c, kind in PIXELS.items()})


def write_votes(path: str | Path, pixels: "pd.DataFrame", types: "pd.DataFrame", provenance: Provenance) -> None:
    """Write the tables PIXELS and TYPES."""
    of_types = {c: types[c].to_numpy("U16" if kind is str else kind) for c, kind in TYPES.items()}
    write_product(path, [fits.PrimaryHDU(), pixels_hdu(pixels), table_hdu("TYPES", of_types)], provenance)


def read_votes(path: str | Path) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """The tables PIXELS and TYPES."""
    with open_verified(path) as hdus:
        return read_table(hdus, "PIXELS", path, PIXELS), read_table(hdus, "TYPES", path, TYPES)
