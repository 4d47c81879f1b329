"""Add the masks of a detector to its history, and compare the masks of the same settings.

Reads the masks, their summaries, inputs, evidence (for the flags of intermittent pixels, which do not count) and the
lists of rejected exposures. Replaces three files in the history's directory:
epochs.parquet (counts), flagged.parquet (pixels) and pixels.parquet (first and last mask of each flagged pixel). Writes
a figure (counts over time), the CSV of the pixels that are flagged in some masks but not in all masks, and the numbers
(JSON).
"""

from badpix.core.csv_table import write_csv
from badpix.core.logs import logger, logging_to
from badpix.history.comparable import Like
from badpix.history.entries import compared_part, entries_of, intermittent_pixels
from badpix.history.files import extend_history
from badpix.history.new_entry import read_entry
from badpix.history.plot import draw_history
from badpix.history.text import entry_table, numbers_lines, numbers_of, write_numbers


def main(masks, directory, like, detector, outputs):
    """Add `masks` to the history in `directory`; each is a mapping with the arguments of `read_entry`.

    `like` (Like) are the settings that are compared, `outputs` the files (figure, intermittent, numbers -> path).
    """
    extended = extend_history(directory, [read_entry(**mask) for mask in masks], like)
    draw_history(
        outputs["figure"], compared_part(extended.history), extended.pixels, detector, extended.selection.texts
    )
    listed = intermittent_pixels(extended.pixels)
    write_csv(outputs["intermittent"], listed)
    numbers = numbers_of(extended, like, str(directory), len(listed))
    write_numbers(outputs["numbers"], numbers)
    logger.info("history in %s:\n%s", directory, entry_table(entries_of(extended.history)))
    for line in numbers_lines(numbers):
        logger.info("%s", line)


FILES = ("mask", "summary", "evidence", "inputs", "rejected_table")

if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        files = zip(
            snakemake.input.masks,
            snakemake.input.summaries,
            snakemake.input.evidence,
            snakemake.input.inputs,
            snakemake.input.rejected_tables,
            strict=True,
        )
        main(
            [
                dict(zip(("mask", "summary", "evidence", "inputs", "rejected_table"), of_mask, strict=True))
                | properties
                for of_mask, properties in zip(files, snakemake.params.masks, strict=True)
            ],
            snakemake.params.directory,
            Like(**snakemake.params.like),
            snakemake.wildcards.detector,
            dict(snakemake.output.items()),
        )
