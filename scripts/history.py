"""Add the masks of a detector to its history, and summarise the history.

Reads the masks, their summaries, evidence (for the flags of intermittent pixels, which do not count) and the lists of
rejected exposures. Replaces three files in the history's directory:
epochs.parquet (counts), flagged.parquet (pixels) and pixels.parquet (first and last mask of each flagged pixel). Writes
a figure (counts over time) and the CSV of the pixels that are flagged in some masks but not in all masks.
"""

from badpix.core.csv_table import write_csv
from badpix.core.logs import logger, logging_to
from badpix.history.entries import entries_of, intermittent_pixels
from badpix.history.files import extend_history, read_entry
from badpix.history.plot import draw_history


def main(masks, directory, figure, intermittent):
    """Add `masks` to the history in `directory`; each is a mapping with the arguments of `read_entry`."""
    history, pixels = extend_history(directory, [read_entry(**mask) for mask in masks])
    entries = entries_of(history)
    draw_history(figure, history, pixels, entries["detector"].iloc[0])
    listed = intermittent_pixels(pixels)
    write_csv(intermittent, listed)
    shown = ["entry", "epoch", "first_observation", "last_observation", "n_darks", "n_flats", "mask"]
    logger.info("history in %s:\n%s", directory, entries[shown].to_string(index=False))
    logger.info("%d pixels are flagged in some masks but not in all masks", len(listed))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            [
                {"mask": mask, "summary": summary, "evidence": evidence, "rejected_table": rejected, **exposures}
                for mask, summary, evidence, rejected, exposures in zip(
                    snakemake.input.masks,
                    snakemake.input.summaries,
                    snakemake.input.evidence,
                    snakemake.input.rejected_tables,
                    snakemake.params.masks,
                    strict=True,
                )
            ],
            snakemake.params.directory,
            snakemake.output.figure,
            snakemake.output.intermittent,
        )
