"""Compare two masks of one detector: new, recovered and reclassified pixels.

Reads two MASK files. Writes the matrix of flags before and after (CSV), the list of changed pixels (CSV and FITS), the
numbers (JSON) and a figure (PNG). Without a run of the workflow:

    compare_masks.py OLD NEW --out DIRECTORY
"""

import argparse
import sys
from pathlib import Path

from badpix.changes.compare import change_matrix, compare
from badpix.changes.files import MaskMismatch, check_pair, labels, read_image, write_changes
from badpix.changes.plot import draw_changes
from badpix.core.logs import logger, logging_to
from badpix.core.paths import is_same_file

NAMES = {
    "matrix": "mask_changes.csv", "pixels": "changed_pixels.csv", "table": "changed_pixels.fits",
    "summary": "mask_changes.json", "figure": "mask_changes.png",
}  # fmt: skip


def main(before, after, outputs):
    """Compare the mask files `before` and `after`; `outputs` maps the names of NAMES to paths. Returns the numbers.

    Raises MaskMismatch if they are the same file, or not masks of the same part of the same detector.
    """
    if is_same_file(before, after):
        raise MaskMismatch(f"{before} and {after} are the same file; compare with a copy of the mask before")
    old, new = read_image(before), read_image(after)
    check_pair(old, new)
    changes = compare(old.dq, new.dq)
    draw_changes(outputs["figure"], changes, f"{new.header.get('DETECTOR', '')}: {' to '.join(labels(old, new))}")
    summary = write_changes(outputs, changes, old, new)
    logger.info("before: %s\nafter: %s\n%s", before, after, text_of(summary))
    logger.info("science pixels by their flags before (rows) and after:\n%s", change_matrix(changes).to_string())
    return summary


def text_of(summary):
    """The numbers of a comparison, in words."""
    rejected = summary["do_not_use"]
    return (
        f"bad before: {summary['bad_before']}, after: {summary['bad_after']}, of {summary['science_pixels']} science"
        f" pixels; new: {summary['new']}, recovered: {summary['recovered']}, reclassified: {summary['reclassified']}\n"
        f"with DO_NOT_USE before: {rejected['bad_before']}, after: {rejected['bad_after']}; new: {rejected['new']},"
        f" recovered: {rejected['recovered']}\nreference pixels that changed: {summary['reference_changed']}"
    )


def parse_arguments(arguments=None):
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="mask file, before")
    parser.add_argument("new", help="mask file, after")
    parser.add_argument("--out", required=True, help="folder to write, made if needed")
    return parser.parse_args(arguments)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(snakemake.input.before, snakemake.input.mask, dict(snakemake.output.items()))
elif __name__ == "__main__":
    given = parse_arguments()
    try:
        print(text_of(main(given.old, given.new, {key: Path(given.out) / name for key, name in NAMES.items()})))
    except (MaskMismatch, OSError) as error:
        sys.exit(f"compare_masks.py: {error}")
