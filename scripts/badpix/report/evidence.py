"""Read what the vote left behind: types, tests, thresholds, and the votes of some pixels."""

from dataclasses import dataclass

import numpy as np
from astropy.io import fits

from badpix.thresholds import FEWEST, FRACTION, MEAN_EXCESS, from_table

# Quantities that are of the vote itself, and not measured.
OF_THE_VOTE = (FRACTION, FEWEST, MEAN_EXCESS)


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
