"""The evidence file: for every pixel, who said what, so that each flag of the mask can be traced.

Images (y, x), uint32: `FOUND`, `INSUFFICIENT` (could not be judged) and `INTERMITTENT` (certainly bad in some
exposures, but not in enough), a bit per type of bad pixel as table `TYPES` tells. For each ballot count `<TEST>_K` (yes
votes) and `<TEST>_N` (ballots that could judge), int16 or int32. Measured images as float32: `NOISE` (DN/s) and
`NCLEAN`, `RESPONSE` and `NFLAT`. Table `TESTS` says which tests each type has, table `THRESHOLDS` what they were held
against: a row per limit, with the columns of `badpix.thresholds.Threshold`.
"""

import numpy as np
import pandas as pd
from astropy.io import fits

from badpix.combine import add_bits, count_flags
from badpix.files import atomic_path
from badpix.fits_table import table_hdu
from badpix.thresholds import as_columns


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


def summary_table(verdicts, dq, science):
    """Counts and fractions per type and per DQ flag, as a pandas DataFrame.

    Columns: `kind` (type or flag), `name`, `n_pixels`, `fraction` (types: of the science pixels; flags: of all
    pixels), `n_insufficient` and `fraction_insufficient` (types only: pixels that could not be judged).
    """
    # An array without science pixels has fractions of nothing, 0.
    n_science = max(1, int(science.sum()))
    rows = []
    for name, verdict in verdicts.items():
        found, unjudged = int(verdict.found.sum()), int(verdict.insufficient.sum())
        rows.append(("type", name, found, found / n_science, unjudged, unjudged / n_science))
    for name, count in count_flags(dq).items():
        rows.append(("flag", name, count, count / dq.size, pd.NA, pd.NA))
    columns = ["kind", "name", "n_pixels", "fraction", "n_insufficient", "fraction_insufficient"]
    return pd.DataFrame(rows, columns=columns).astype({"n_insufficient": "Int64"})
