"""Score a bad pixel mask of simulated data against its truth: completeness, purity, healthy pixels flagged.

Reads truth.fits of simulate.py, an evidence file (image FOUND, uint32; table TYPES with BIT, TYPE) and the mask;
prints the tables and, with --csv, writes the completeness table.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from badpix.mask_file import read_mask
from badpix.score import Truth, flag_counts, score


def main(
    truth: str | Path, evidence: str | Path, mask: str | Path, csv: str | Path | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Print the score and return its two tables (`badpix.score.score`)."""
    found, bits = read_evidence(evidence)
    dq = read_mask(mask)
    planted, healthy = score(found, bits, dq, read_truth(truth))
    print(f"mask: {mask}")
    print_table(flag_counts(dq))
    print_table(planted)
    print_table(healthy)
    if csv:
        planted.to_csv(csv, index=False)
    return planted, healthy


def read_truth(path: str | Path) -> Truth:
    """The truth file of simulate.py."""
    from astropy.io import fits

    with fits.open(path, memmap=False) as hdus:
        table = hdus["TYPES"].data
        types = pd.DataFrame(
            {
                "CODE": table["CODE"].astype(int),
                "NAME": [str(name).strip() for name in table["NAME"]],
                "EXPECTED": [str(name).strip() for name in table["EXPECTED"]],
            }
        )
        return Truth(hdus["TRUTH"].data.astype(int), hdus["ADJ_OPEN"].data.astype(bool), types)


def read_evidence(path: str | Path) -> tuple[np.ndarray, dict[str, int]]:
    """Image of the detections, uint32 (y, x), and the bit of each detection type by name."""
    from astropy.io import fits

    with fits.open(path, memmap=False) as hdus:
        table = hdus["TYPES"].data
        bits = {str(row["TYPE"]).strip(): int(row["BIT"]) for row in table}
        return hdus["FOUND"].data.astype(np.uint32), bits


def print_table(table: pd.DataFrame) -> None:
    """Print a table with text to the left, fractions with three digits and blanks for what does not exist."""
    formats = {"completeness": "{:.3f}", "purity": "{:.3f}", "per_million": "{:.1f}"}
    text = table.copy().astype(object)
    for name in table:
        form = formats.get(name, "{}")
        text[name] = ["" if pd.isna(value) else form.format(value) for value in table[name]]
        width = max(len(name), *(len(value) for value in text[name])) if len(text) else len(name)
        is_text = not pd.api.types.is_numeric_dtype(table[name])
        text[name] = [value.ljust(width) if is_text else value.rjust(width) for value in text[name]]
        text = text.rename(columns={name: name.ljust(width) if is_text else name.rjust(width)})
    print("  ".join(text.columns))
    for row in text.itertuples(index=False, name=None):
        print("  ".join(row).rstrip())
    print()


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--truth", required=True, help="truth.fits of the simulation")
    parser.add_argument("--evidence", required=True, help="evidence file of the vote")
    parser.add_argument("--mask", required=True, help="the bad pixel mask")
    parser.add_argument("--csv", help="also write the completeness table here")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(**vars(parse_arguments()))
