"""Tables in FITS files from plain columns: loading astropy's Table takes every job a fifth of a second."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

if TYPE_CHECKING:
    import pandas as pd


def table_hdu(name, columns):
    """A BinTableHDU named `name`; `columns` maps names to one-dimensional arrays or lists of one length.

    Text is as wide as its dtype, or as the longest; UnicodeEncodeError where it is not ASCII, as FITS demands.
    """
    arrays = {column: _in_bytes(np.asarray(values)) for column, values in columns.items()}
    length = len(next(iter(arrays.values())))
    table = np.empty(length, dtype=[(column, array.dtype) for column, array in arrays.items()])
    for column, array in arrays.items():
        table[column] = array
    # Given to the constructor, the data would be held against that class, and so load it.
    hdu = fits.BinTableHDU(name=name)
    hdu.data = table.view(fits.FITS_rec)
    return hdu


def _in_bytes(array):
    """`array` with text as bytes, of the same width."""
    width = array.dtype.itemsize // np.dtype("U1").itemsize
    return array.astype(f"S{width}") if array.dtype.kind == "U" else array


def part(hdus: fits.HDUList, name: str, path: str | Path) -> np.ndarray:
    """The data of an extension; ValueError naming the file and what it has when it is not there."""
    if name not in hdus:
        raise ValueError(f"{path} has no extension {name}; it has {', '.join(hdu.name for hdu in hdus[1:])}")
    return hdus[name].data


def read_table(
    hdus: fits.HDUList, name: str, path: str | Path, columns: dict[str, type], optional: dict[str, type] | None = None
) -> "pd.DataFrame":
    """The columns (name -> Python type) of a table; `optional` ones only if there. ValueError for a missing one."""
    import pandas as pd  # a third of a second, which the jobs that only write need not wait for

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
