"""Compare two masks of one detector: new, recovered and reclassified pixels.

Reads two MASK files. Writes the matrix of flags before and after (CSV), the list of changed pixels (CSV and FITS), the
numbers (JSON) and a figure (PNG). Without a run of the workflow:

    compare_masks.py OLD NEW --out DIRECTORY

A mask of a larger array is cut to the smaller one, as dq_init does.
"""

import argparse
import sys
from pathlib import Path

from badpix.changes.compare import change_matrix
from badpix.changes.files import MaskMismatch
from badpix.changes.text import text_of
from badpix.changes.write import NAMES, write_comparison
from badpix.core.logs import logger, logging_to
from badpix.core.paths import is_same_file


def main(before, after, outputs, lists=False):
    """Compare the mask files `before` and `after`; `outputs` maps the names of NAMES to paths. Returns the numbers.

    With `lists`, a file without a DQ extension is a list of bad pixels. Raises MaskMismatch if they are the same file,
    or not masks of the same part of the same detector.
    """
    if is_same_file(before, after):
        raise MaskMismatch(f"{before} and {after} are the same file; compare with a copy of the mask before")
    summary, changes = write_comparison(before, after, outputs, lists)
    logger.info("before: %s\nafter: %s\n%s", before, after, text_of(summary))
    logger.info("science pixels by their flags before (rows) and after:\n%s", change_matrix(changes).to_string())
    return summary


def parse_arguments(arguments=None):
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="mask file, before")
    parser.add_argument("new", help="mask file, after")
    parser.add_argument("--out", required=True, help="folder to write, made if needed")
    parser.add_argument(
        "--lists", action="store_true",
        help="a file without a DQ extension is a list of bad pixels: an image of integers in the primary HDU, bad where"
        " it is not 0",
    )  # fmt: skip
    return parser.parse_args(arguments)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(snakemake.input.before, snakemake.input.mask, dict(snakemake.output.items()))
elif __name__ == "__main__":
    given = parse_arguments()
    try:
        paths = {key: Path(given.out) / name for key, name in NAMES.items()}
        print(text_of(main(given.old, given.new, paths, given.lists)))
    except (MaskMismatch, OSError) as error:
        sys.exit(f"compare_masks.py: {error}")
