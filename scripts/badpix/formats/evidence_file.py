"""The evidence file: for every pixel the votes and measurements behind its flags. The layout is defined only here.

Images (y, x), uint32, with a bit per type of bad pixel: `FOUND`, `INSUFFICIENT` (could not be classified) and
`INTERMITTENT` (bad in some exposures beyond doubt, but not in enough). Table `TYPES` has the bit of each type. For each
test two images, int16 or int32: `<TEST>_K` (positive votes) and `<TEST>_N` (valid votes). Measured images as float32:
`NOISE` (DN/s) and `NCLEAN`, `RESPONSE` and `NFLAT`; `IPC_SOURCE` (int32). Table `TESTS` has the tests of each type.
Table `THRESHOLDS` has a row per limit that a test compared with, with the columns of
`badpix.formats.thresholds.Threshold`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.fits_table import part, table_hdu
from badpix.formats.product_file import open_verified, write_product
from badpix.formats.provenance import Provenance
from badpix.formats.thresholds import FEWEST, FRACTION, MEAN_DEVIATION, Threshold, as_columns, from_table
from badpix.formats.type_result import TypeResult
from badpix.instrument.dq import add_bits

FILE_NAME = "evidence.fits"
# Pixels of the mask with the flags of intermittent pixels, on the array of the mask: 1 bad in single exposures, 2 in an
# earlier mask, 3 both. Only with the configuration key `intermittent`.
INTERMITTENT_FLAGGED = "INTERMITTENT_FLAGGED"
# Source of the halo of each pixel of the type ipc_neighbor: its number y x columns + x in the array, else -1.
HALO_SOURCE = "IPC_SOURCE"
MEASURED = ("NOISE", "NCLEAN", "RESPONSE", "NFLAT", "ERROR", "NCOVERED", HALO_SOURCE)
# Quantities of the vote itself, which are not measured.
OF_THE_VOTE = (FRACTION, FEWEST, MEAN_DEVIATION)


def bit_image(images: Mapping[str, np.ndarray], bit_of: Mapping[str, int]) -> np.ndarray:
    """uint32 image with bit `bit_of[name]` set where `images[name]` (boolean) is True."""
    shape = next(iter(images.values())).shape
    result = np.zeros(shape, dtype=np.uint32)
    for name, image in images.items():
        add_bits(result, 1 << bit_of[name], image)
    return result


def types_hdu(bit_of: Mapping[str, int]) -> fits.BinTableHDU:
    """Table TYPES: the bit of each type in images of `bit_image`."""
    return table_hdu("TYPES", {"BIT": np.array(list(bit_of.values()), int), "TYPE": np.array(list(bit_of), str)})


def _read_types(hdus: fits.HDUList, path: str | Path) -> dict[str, int]:
    table = part(hdus, "TYPES", path)
    columns = table.dtype.names or ()
    missing = [column for column in ("BIT", "TYPE") if column not in columns]
    if missing:
        raise ValueError(f"{path}: table TYPES lacks column {', '.join(missing)}; it has {', '.join(columns)}")
    return {str(row["TYPE"]).strip(): int(row["BIT"]) for row in table}


def write_evidence(
    path: str | Path,
    results: Mapping[str, TypeResult],
    measured: Mapping[str, tuple[np.ndarray, str | None]],
    detector: str,
    provenance: Provenance,
    tables: Sequence[fits.BinTableHDU] = (),
) -> None:
    """Write the evidence file of `detector` (its name).

    `results` maps types to TypeResult, `measured` maps names to (image (y, x), unit), `tables` are further extensions.
    """
    bit_of = {name: bit for bit, name in enumerate(results)}
    primary = fits.PrimaryHDU()
    primary.header["DETECTOR"] = detector
    nowhere = np.zeros_like(next(iter(results.values())).found)
    images = {
        "FOUND": {name: result.found for name, result in results.items()},
        "INSUFFICIENT": {name: result.insufficient for name, result in results.items()},
        "INTERMITTENT": {n: nowhere if r.intermittent is None else r.intermittent for n, r in results.items()},
    }
    hdus = [primary]
    hdus += [fits.ImageHDU(bit_image(of_types, bit_of), name=name) for name, of_types in images.items()]
    hdus.append(types_hdu(bit_of))
    # Two types may share a test: hot and warm share the test of the rate.
    votes = {test: counts for result in results.values() for test, counts in result.votes.items()}
    for test, (k, n_valid) in votes.items():
        for image, suffix in ((k, "K"), (n_valid, "N")):
            counts = image.astype(np.int16) if image.itemsize == 1 else image
            hdus.append(fits.ImageHDU(counts, name=f"{test.upper()}_{suffix}"))
    for name, (image, unit) in measured.items():
        hdu = fits.ImageHDU(image, name=name)
        if unit:
            hdu.header["BUNIT"] = unit
        hdus.append(hdu)
    pairs = [(name, test) for name, result in results.items() for test in result.votes]
    names = np.array(pairs, dtype="U32").reshape(-1, 2)
    hdus.append(table_hdu("TESTS", {"TYPE": names[:, 0], "TEST": names[:, 1]}))
    limits = dict.fromkeys(threshold for result in results.values() for threshold in result.thresholds)
    hdus.append(table_hdu("THRESHOLDS", as_columns(limits)))
    hdus += tables
    write_product(path, hdus, provenance)


@dataclass(frozen=True)
class Evidence:
    """The contents of an evidence file but for the vote counts, which `counts` and `n_valid` read.

    `bit_of` maps types to bits, `tests` maps types to their tests. `found`, `insufficient` and `intermittent` are
    images (y, x), uint32, with a bit per type; `intermittent` is None if the file lacks it. `measured` maps names in
    MEASURED to the images (y, x) in the file. `detector` is the keyword DETECTOR, empty if the file lacks it.
    """

    path: str
    detector: str
    bit_of: dict[str, int]
    tests: dict[str, list[str]]
    thresholds: list[Threshold]
    found: np.ndarray
    insufficient: np.ndarray
    intermittent: np.ndarray | None
    measured: dict[str, np.ndarray]

    def is_found(self, name: str) -> np.ndarray:
        """Boolean image (y, x) of the pixels found as type `name`."""
        return (self.found >> np.uint32(self.bit_of[name]) & np.uint32(1)).astype(bool)

    def is_insufficient(self, name: str) -> np.ndarray:
        """Boolean image (y, x) of the pixels that could not be classified for type `name`."""
        return (self.insufficient >> np.uint32(self.bit_of[name]) & np.uint32(1)).astype(bool)

    def limits(
        self,
        test: str | None = None,
        quantity: str | None = None,
        exposure: str | None = None,
        integration: int | None = None,
    ) -> list[Threshold]:
        """The Thresholds on measured quantities that match all arguments; None matches everything.

        A limit common to all exposures or integrations matches each of them. An integration without any value of a
        quantity, such as a ramp that is too short, has no limit.
        """
        return [
            row
            for row in self.thresholds
            if row.quantity not in OF_THE_VOTE
            and np.isfinite(row.value)
            and test in (None, row.test)
            and quantity in (None, row.quantity)
            and (exposure is None or row.exposure in ("", exposure))
            and (integration is None or row.integration in (0, integration))
        ]

    def quantity(self, test: str) -> str | None:
        """The quantity that `test` compares in each integration, or None."""
        rows = (row for row in self.thresholds if row.test == test and row.exposure)
        return next((row.quantity for row in rows if row.quantity not in OF_THE_VOTE), None)

    def vote(self, test: str) -> tuple[float | None, str | None, int | None]:
        """(required fraction of positive votes, unit of a vote, minimum of valid votes); three None without a vote."""
        rows = {row.quantity: row for row in self.thresholds if row.test == test}
        if FRACTION not in rows:
            return None, None, None
        return rows[FRACTION].value, rows[FEWEST].unit, int(rows[FEWEST].value)

    def mean_limits(self, test: str) -> list[Threshold]:
        """The Thresholds of a test on the mean deviation of a pixel, a row per region."""
        return [row for row in self.thresholds if row.test == test and row.quantity == MEAN_DEVIATION]

    def counts(self, test: str) -> tuple[np.ndarray, np.ndarray] | None:
        """The images (y, x) of the positive and of the valid votes of a test; None if the file has no such images."""
        names = f"{test.upper()}_K", f"{test.upper()}_N"
        with open_verified(self.path, names, is_ours=False) as hdus:
            if names[0] not in hdus:
                return None
            return np.array(hdus[names[0]].data), np.array(hdus[names[1]].data)

    def n_valid(self, test: str) -> np.ndarray:
        """The image (y, x) of the valid votes of a test; ValueError if the file has no such image."""
        counts = self.counts(test)
        if counts is None:
            raise ValueError(f"{self.path} has no vote counts of the test {test} (extension {test.upper()}_N)")
        return counts[1]


def read_evidence(path: str | Path) -> Evidence:
    """The Evidence in a file of `write_evidence`, also without a provenance.

    ValueError if FOUND, INSUFFICIENT or TYPES is missing.
    """
    with open_verified(path, is_ours=False) as hdus:
        tests: dict[str, list[str]] = {}
        for row in hdus["TESTS"].data if "TESTS" in hdus else ():
            tests.setdefault(str(row["TYPE"]), []).append(str(row["TEST"]))
        return Evidence(
            path=str(path),
            detector=str(hdus[0].header.get("DETECTOR", "")),
            bit_of=_read_types(hdus, path),
            tests=tests,
            thresholds=from_table(hdus["THRESHOLDS"].data) if "THRESHOLDS" in hdus else [],
            found=np.array(part(hdus, "FOUND", path), np.uint32),
            insufficient=np.array(part(hdus, "INSUFFICIENT", path), np.uint32),
            intermittent=np.array(hdus["INTERMITTENT"].data, np.uint32) if "INTERMITTENT" in hdus else None,
            measured={name: np.array(hdus[name].data) for name in MEASURED if name in hdus},
        )


def read_intermittent_flagged(path: str | Path) -> np.ndarray | None:
    """The image INTERMITTENT_FLAGGED of an evidence file, uint8 (y, x); None if the mask has no such flags."""
    with open_verified(path, (INTERMITTENT_FLAGGED,), is_ours=False) as hdus:
        return np.array(hdus[INTERMITTENT_FLAGGED].data) if INTERMITTENT_FLAGGED in hdus else None
