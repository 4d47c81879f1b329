"""Draw response, noise and found pixels of a mask.

Reads the evidence file; writes one PNG.
"""

from badpix.core.logs import logging_to
from badpix.report.plots import draw


def main(evidence, figure_path):
    """Draw the images of the file `evidence` into `figure_path`."""
    draw(evidence, figure_path)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(snakemake.input.evidence, snakemake.output.figure)
