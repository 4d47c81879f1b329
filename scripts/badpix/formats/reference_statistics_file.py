"""The cached measurements of the reference pixels of a raw dark: table REFERENCE_PIXELS, a row per reference pixel.

X, Y (0-based in the array), NOISE (DN), N_DEGREES (degrees of freedom of NOISE), LEVEL (DN, relative to the median of
the pixels that the refpix step averages with it), N_VALUES (read groups in NOISE and LEVEL), N_RAILED (read groups at
0 or 65535, or in an integration without any change). Keyword N_READ is the number of read groups.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.errors import ProductError
from badpix.core.files import card_text
from badpix.core.fits_table import table_hdu
from badpix.formats.product_file import open_verified, write_product
from badpix.formats.provenance import Provenance

EXTENSION = "REFERENCE_PIXELS"
COLUMNS = ("X", "Y", "NOISE", "N_DEGREES", "LEVEL", "N_VALUES", "N_RAILED")


@dataclass(frozen=True)
class ReferenceStatistics:
    """Measurements of reference pixels, an array (pixel) per column of the file; `n_read` is N_READ.

    Several files of an exposure are combined by `+`.
    """

    x: np.ndarray
    y: np.ndarray
    noise: np.ndarray
    n_degrees: np.ndarray
    level: np.ndarray
    n_values: np.ndarray
    n_railed: np.ndarray
    n_read: int

    def __add__(self, other: "ReferenceStatistics") -> "ReferenceStatistics":
        """The measurements of both files; ValueError if their pixels differ."""
        if not (np.array_equal(self.x, other.x) and np.array_equal(self.y, other.y)):
            raise ValueError("segments with different reference pixels")
        n_degrees, n_values = self.n_degrees + other.n_degrees, self.n_values + other.n_values
        variance = _mean(self.noise**2, self.n_degrees, other.noise**2, other.n_degrees)
        level = _mean(self.level, self.n_values, other.level, other.n_values)
        return ReferenceStatistics(
            self.x, self.y, np.sqrt(variance), n_degrees, level, n_values, self.n_railed + other.n_railed,
            self.n_read + other.n_read,
        )  # fmt: skip


def _mean(values: np.ndarray, weights: np.ndarray, others: np.ndarray, other_weights: np.ndarray) -> np.ndarray:
    """Weighted mean of two arrays; NaN where both weights are 0."""
    total = weights + other_weights
    weighted = np.where(weights > 0, values * weights, 0) + np.where(other_weights > 0, others * other_weights, 0)
    return np.where(total > 0, weighted / np.maximum(total, 1), np.nan)


def write_reference_statistics(
    path: str | Path, exposure: str, statistics: ReferenceStatistics, provenance: Provenance
) -> None:
    """Write the measurements of the reference pixels of `exposure` (its name)."""
    primary = fits.PrimaryHDU()
    primary.header["EXPOSURE"] = card_text(exposure)
    primary.header["REJECTED"] = False
    columns = {name: getattr(statistics, name.lower()) for name in COLUMNS}
    hdu = table_hdu(EXTENSION, columns)
    hdu.header["N_READ"] = (statistics.n_read, "read groups of all integrations")
    write_product(path, [primary, hdu], provenance)


def read_reference_statistics(path: str | Path) -> tuple[str, ReferenceStatistics | str]:
    """(name of the exposure, its ReferenceStatistics or the reason of its rejection); ProductError if damaged."""
    with open_verified(path) as hdus:
        header = hdus[0].header
        if header.get("REJECTED", False):
            return str(header["EXPOSURE"]), str(header["REJREASN"])
        if EXTENSION not in hdus:
            raise ProductError(f"{path}: extension {EXTENSION} is missing")
        table = hdus[EXTENSION].data
        columns = {name.lower(): np.array(table[name]) for name in COLUMNS}
        return str(header["EXPOSURE"]), ReferenceStatistics(**columns, n_read=int(hdus[EXTENSION].header["N_READ"]))
