"""Tables from plain columns, compared with the tables of astropy after writing and reading."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from badpix.core.fits_table import table_hdu

COLUMNS = {
    "NUMBER": [1, -2, 3],
    "SMALL": np.array([1, 2, 3], "i2"),
    "VALUE": [0.1, np.nan, -1e300],
    "TEXT": ["a", "", "longest"],
    "WIDE": np.array(["x", "y", "z"], "U12"),
}


def written(tmp_path, name, hdu):
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / name)
    return tmp_path / name


@pytest.mark.parametrize("length", [3, 1, 0])
def test_the_file_equals_the_file_of_astropys_table(tmp_path, length):
    columns = {name: np.asarray(values)[:length] for name, values in COLUMNS.items()}
    ours = written(tmp_path, "ours.fits", table_hdu("T", columns))
    theirs = written(tmp_path, "theirs.fits", fits.BinTableHDU(Table(columns), name="T"))
    difference = fits.FITSDiff(str(ours), str(theirs), rtol=0, atol=0)
    assert difference.identical, difference.report()
    assert fits.getheader(ours, 1)["EXTNAME"] == "T"


def test_text_that_fits_cannot_hold_is_refused():
    with pytest.raises(UnicodeEncodeError):
        table_hdu("T", {"TEXT": ["naïve"]})


def test_the_table_of_astropy_is_not_loaded():
    scripts = Path(__file__).resolve().parents[3] / "scripts"
    program = (
        f"import sys; sys.path.insert(0, {str(scripts)!r}); from badpix.core.fits_table import table_hdu;"
        " table_hdu('T', {'A': [1]}).writeto(sys.argv[1]); sys.exit('astropy.table' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, "/dev/null"], check=False).returncode == 0
