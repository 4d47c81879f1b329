"""Tables in FITS files from plain columns, without astropy's Table, whose import takes a fifth of a second per job."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits

if TYPE_CHECKING:
    import pandas as pd


def table_hdu(name: str, columns: Mapping[str, Any]) -> fits.BinTableHDU:
    """A BinTableHDU named `name`; `columns` maps names to one-dimensional arrays or lists of the same length.

    A text column has the width of its dtype, or of the longest text of a list; UnicodeEncodeError where a text is not
    ASCII, as FITS requires.
    """
    arrays = {column: _in_bytes(np.asarray(values)) for column, values in columns.items()}
    length = len(next(iter(arrays.values())))
    table = np.empty(length, dtype=[(column, array.dtype) for column, array in arrays.items()])
    for column, array in arrays.items():
        table[column] = array
    # The constructor would compare the class of the data with astropy's Table, and so import it.
    hdu = fits.BinTableHDU(name=name)
    hdu.data = table.view(fits.FITS_rec)
    return hdu


def _in_bytes(array: np.ndarray) -> np.ndarray:
    """`array` with texts as bytes of the same width."""
    width = array.dtype.itemsize // np.dtype("U1").itemsize
    return array.astype(f"S{width}") if array.dtype.kind == "U" else array


def part(hdus: fits.HDUList, name: str, path: str | Path) -> np.ndarray:
    """The data of an extension; ValueError with the file and its extensions when there is no such extension."""
    if name not in hdus:
        raise ValueError(f"{path} has no extension {name}; it has {', '.join(hdu.name for hdu in hdus[1:])}")
    return hdus[name].data


def read_table(
    hdus: fits.HDUList, name: str, path: str | Path, columns: dict[str, type], optional: dict[str, type] | None = None
) -> "pd.DataFrame":
    """The columns of a table of an open file.

    Parameters
    ----------
    hdus : HDUList
        The open file.
    name : str
        The extension of the table.
    path : str or Path
        The file, for error messages.
    columns : dict
        Name of a required column -> Python type of its values.
    optional : dict, optional
        The same for columns that the table may lack.

    Returns
    -------
    DataFrame
        The required columns and the optional columns that the table has.

    Raises
    ------
    ValueError
        If the table or a required column is missing.
    """
    import pandas as pd  # takes a third of a second, which jobs that only write save

    data = part(hdus, name, path)
    present = data.dtype.names or ()
    missing = [column for column in columns if column not in present]
    if missing:
        raise ValueError(f"{path}: table {name} lacks column {', '.join(missing)}; it has {', '.join(present)}")
    wanted = columns | {column: kind for column, kind in (optional or {}).items() if column in present}
    return pd.DataFrame(
        {
            column: [str(value).strip() for value in data[column]] if kind is str else data[column].astype(kind)
            for column, kind in wanted.items()
        }
    )
