"""Combine the points of a sweep: a tidy table, and a figure of counts, completeness and purity.

Reads the CSV of every point; writes a CSV and a PNG.
"""

import pandas as pd

from badpix.config.sweep import Sweep
from badpix.core.csv_table import write_csv
from badpix.core.logs import logging_to
from badpix.sweep.plot import plot_sweep
from badpix.sweep.tables import sweep_table


def main(tables, outputs, sweep, title):
    """Write the `outputs` (table, figure -> path) of a Sweep; `tables` maps point names to the paths of their tables.

    `title` names the detector in the figure.
    """
    read = {name: pd.read_csv(path, dtype={"n_pixels": "Int64"}) for name, path in tables.items()}
    table = sweep_table(read, sweep)
    write_csv(outputs["table"], table)
    plot_sweep(outputs["figure"], table, sweep, title)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        given = snakemake.params
        main(
            dict(zip(given.points, snakemake.input.tables, strict=True)),
            dict(snakemake.output.items()),
            Sweep(given.points, given.configured, given.grid),
            snakemake.wildcards.detector,
        )
