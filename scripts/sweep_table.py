"""Put the points of a sweep together: one tidy table, and a figure of counts, completeness and purity.

Reads the CSV of every point; writes a CSV and a PNG.
"""

import pandas as pd

from badpix.core.files import write_text
from badpix.core.logs import logging_to
from badpix.sweep.plot import plot_sweep
from badpix.sweep.tables import sweep_table


def main(tables, table_path, figure_path, title, points, configured, grid):
    """Write the table and the figure.

    `tables` maps point names to the paths of their tables, `points` to the keys that they change, `configured` maps
    all keys of the sweep to their configured values, `grid` is the key sweep_grid.
    """
    read = {name: pd.read_csv(path, dtype={"n_pixels": "Int64"}) for name, path in tables.items()}
    table = sweep_table(read, points, configured, list(configured), grid)
    write_text(table_path, table.to_csv(index=False))
    plot_sweep(figure_path, table, configured, grid, title)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            dict(zip(snakemake.params.points, snakemake.input.tables, strict=True)),
            snakemake.output.table,
            snakemake.output.figure,
            snakemake.wildcards.detector,
            snakemake.params.points,
            snakemake.params.configured,
            snakemake.params.grid,
        )
