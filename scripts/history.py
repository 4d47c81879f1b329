"""Add the masks of a detector to its history, and show what the history says.

Reads the masks, their summaries and the lists of exposures left out. Replaces, in the history's directory,
epochs.parquet (counts), flagged.parquet (pixels) and pixels.parquet (when each pixel was first and last seen). Writes a
figure (counts over time) and the CSV of the pixels that are flagged in some of the masks but not in all.
"""

from pathlib import Path

import pandas as pd
from astropy.io import fits

from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.formats.mask_file import read_mask
from badpix.history.entries import entries_of, entry_key, intermittent_pixels, make_entry
from badpix.history.files import extend_history
from badpix.history.plot import draw_history
from badpix.instrument.geometry import Geometry
from badpix.instrument.segments import by_exposure


def read_entry(mask, summary, quarantine, epoch, exposures):
    """The entry of one mask. `exposures` maps kind to names, and these to the times when they began.

    Those of the table `quarantine` were left out of the mask, and are so here.
    """
    header = fits.getheader(mask)
    left_out = set(pd.read_csv(quarantine)["input"].astype(str))
    used = {
        kind: {name: at for name, at in of_kind.items() if name not in left_out} for kind, of_kind in exposures.items()
    }
    begun = [at for of_kind in used.values() for at in of_kind.values()]
    names = [name for of_kind in used.values() for name in of_kind]
    geometry = Geometry.from_header(header)
    facts = {
        "entry": entry_key(header["DETECTOR"], epoch, names),
        "detector": header["DETECTOR"],
        "epoch": epoch,
        "first_observation": min(begun),
        "last_observation": max(begun),
        "n_darks": len(by_exposure(used["darks"])),
        "n_flats": len(by_exposure(used["flats"])),
        "mask": Path(mask).name,
        "useafter": header["USEAFTER"],
        "mask_date": header["DATE"],
        "subarray": geometry.subarray,
        "x_start": geometry.x_start,
        "y_start": geometry.y_start,
        "n_columns": geometry.n_columns,
        "n_rows": geometry.n_rows,
    }
    return make_entry(facts, pd.read_csv(summary), read_mask(mask))


def main(masks, directory, figure, intermittent):
    """Add `masks` to the history in `directory`; each is a mapping with the arguments of `read_entry`."""
    history, pixels = extend_history(directory, [read_entry(**mask) for mask in masks])
    entries = entries_of(history)
    draw_history(figure, history, pixels, entries["detector"].iloc[0])
    listed = intermittent_pixels(pixels)
    write_text(intermittent, listed.to_csv(index=False))
    shown = ["entry", "epoch", "first_observation", "last_observation", "n_darks", "n_flats", "mask"]
    logger.info("history in %s:\n%s", directory, entries[shown].to_string(index=False))
    logger.info("%d pixels are flagged in some of the masks but not in all", len(listed))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            [
                {"mask": mask, "summary": summary, "quarantine": quarantine, **facts}
                for mask, summary, quarantine, facts in zip(
                    snakemake.input.masks,
                    snakemake.input.summaries,
                    snakemake.input.quarantines,
                    snakemake.params.masks,
                    strict=True,
                )
            ],
            snakemake.params.directory,
            snakemake.output.figure,
            snakemake.output.intermittent,
        )
