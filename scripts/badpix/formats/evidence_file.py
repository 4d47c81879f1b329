"""The evidence file: for every pixel, who said what, so that each flag of the mask can be traced.

Images (y, x), uint32: `FOUND`, `INSUFFICIENT` (could not be judged) and `INTERMITTENT` (certainly bad in some
exposures, but not in enough), a bit per type of bad pixel as table `TYPES` tells. For each ballot count `<TEST>_K` (yes
votes) and `<TEST>_N` (ballots that could judge), int16 or int32. Measured images as float32: `NOISE` (DN/s) and
`NCLEAN`, `RESPONSE` and `NFLAT`. Table `TESTS` says which tests each type has, table `THRESHOLDS` what they were held
against: a row per limit, with the columns of `badpix.formats.thresholds.Threshold`.
"""

from dataclasses import dataclass

import numpy as np
from astropy.io import fits

from badpix.core.files import atomic_path
from badpix.core.fits_table import table_hdu
from badpix.formats.thresholds import FEWEST, FRACTION, MEAN_EXCESS, as_columns, from_table
from badpix.instrument.dq import add_bits

# Quantities that are of the vote itself, and not measured.
OF_THE_VOTE = (FRACTION, FEWEST, MEAN_EXCESS)


def bit_image(images, bit_of):
    """uint32 image with bit `bit_of[name]` set where `images[name]` (boolean) is True."""
    shape = next(iter(images.values())).shape
    result = np.zeros(shape, dtype=np.uint32)
    for name, image in images.items():
        add_bits(result, 1 << bit_of[name], image)
    return result


def write_evidence(path, verdicts, measured, header):
    """Write the evidence file.

    `verdicts` maps types to Verdict, `measured` names to (image, unit), `header` are (key, value, comment) for the
    primary header.
    """
    bit_of = {name: bit for bit, name in enumerate(verdicts)}
    primary = fits.PrimaryHDU()
    for key, value, comment in header:
        primary.header[key] = (value, comment)
    nowhere = np.zeros_like(next(iter(verdicts.values())).found)
    hdus = [
        primary,
        fits.ImageHDU(bit_image({name: v.found for name, v in verdicts.items()}, bit_of), name="FOUND"),
        fits.ImageHDU(bit_image({name: v.insufficient for name, v in verdicts.items()}, bit_of), name="INSUFFICIENT"),
        fits.ImageHDU(
            bit_image({n: nowhere if v.intermittent is None else v.intermittent for n, v in verdicts.items()}, bit_of),
            name="INTERMITTENT",
        ),
        table_hdu("TYPES", {"BIT": list(bit_of.values()), "TYPE": list(bit_of)}),
    ]
    # Two types may share a test, such as hot and warm the rate.
    ballots = {test: counts for verdict in verdicts.values() for test, counts in verdict.ballots.items()}
    for test, (k, n_valid) in ballots.items():
        hdus.append(fits.ImageHDU(k, name=f"{test.upper()}_K"))
        hdus.append(fits.ImageHDU(n_valid, name=f"{test.upper()}_N"))
    for name, (image, unit) in measured.items():
        hdu = fits.ImageHDU(image, name=name)
        if unit:
            hdu.header["BUNIT"] = unit
        hdus.append(hdu)
    pairs = [(name, test) for name, verdict in verdicts.items() for test in verdict.ballots]
    names = np.array(pairs, dtype="U32").reshape(-1, 2)
    hdus.append(table_hdu("TESTS", {"TYPE": names[:, 0], "TEST": names[:, 1]}))
    limits = dict.fromkeys(threshold for verdict in verdicts.values() for threshold in verdict.thresholds)
    hdus.append(table_hdu("THRESHOLDS", as_columns(limits)))
    with atomic_path(path) as temporary:
        fits.HDUList(hdus).writeto(temporary, overwrite=True)


@dataclass(frozen=True)
class Evidence:
    """The evidence file without its counts: `bit_of` maps types to bits, `tests` types to the tests they have.

    `thresholds` are the Thresholds, the images (y, x) uint32 `found`, `insufficient` and `intermittent` have a bit per
    type, `measured` maps NOISE, NCLEAN, RESPONSE and NFLAT to images, as far as they are there.
    """

    path: str
    bit_of: dict
    tests: dict
    thresholds: list
    found: np.ndarray
    insufficient: np.ndarray
    intermittent: np.ndarray
    measured: dict

    def limits(self, test=None, quantity=None, exposure=None, integration=None):
        """The Thresholds on measured quantities that fit; a limit for all exposures fits every one of them.

        An integration without any value of a quantity, such as a ramp too short for it, was held against no limit.
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

    def quantity(self, test):
        """The quantity that `test` compares in each integration; None if it compares none."""
        rows = (row for row in self.thresholds if row.test == test and row.exposure)
        return next((row.quantity for row in rows if row.quantity not in OF_THE_VOTE), None)

    def vote(self, test):
        """(fraction of ballots that must say yes, their unit, fewest valid ballots); Nones where a test has no vote."""
        rows = {row.quantity: row for row in self.thresholds if row.test == test}
        if FRACTION not in rows:
            return None, None, None
        return rows[FRACTION].value, rows[FEWEST].unit, int(rows[FEWEST].value)

    def mean_limits(self, test):
        """The Thresholds of a test on the mean excess of a pixel, by region."""
        return [row for row in self.thresholds if row.test == test and row.quantity == MEAN_EXCESS]

    def counts(self, test):
        """The images (y, x) of yes votes and of valid ballots of a test; None where there are none."""
        with fits.open(self.path) as hdus:
            if f"{test.upper()}_K" not in hdus:
                return None
            return tuple(np.array(hdus[f"{test.upper()}_{name}"].data) for name in "KN")


def read_evidence(path):
    """The Evidence of the file that scripts/bad_pixel_mask.py wrote."""
    with fits.open(path) as hdus:
        tests = {}
        for row in hdus["TESTS"].data:
            tests.setdefault(str(row["TYPE"]), []).append(str(row["TEST"]))
        return Evidence(
            str(path),
            {str(row["TYPE"]): int(row["BIT"]) for row in hdus["TYPES"].data},
            tests,
            from_table(hdus["THRESHOLDS"].data),
            *(np.array(hdus[name].data) for name in ("FOUND", "INSUFFICIENT", "INTERMITTENT")),
            {name: np.array(hdus[name].data) for name in ("NOISE", "NCLEAN", "RESPONSE", "NFLAT") if name in hdus},
        )
