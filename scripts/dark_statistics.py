"""Reduce one dark exposure, of which the products of the pipeline are given, to its cached statistics.

Reads the jump (DN), rateints (DN/s) and fitopt (DN) files, and for a relative pedestal the uncal file (DN); writes one
statistics FITS of measurements without thresholds. If the products do not fit together, the file is a rejected
product with the reason. The statistics of raw darks are made by the job of detector1.
"""

from badpix.core.logs import logging_to
from badpix.instrument.detectors import detector_from_mapping
from badpix.statistics.dark import DarkMeasurement
from badpix.statistics.given import measure_given

if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        given = snakemake.params
        measure_given(
            dict(snakemake.input.items()),
            snakemake.output.statistics,
            snakemake.wildcards.exposure,
            DarkMeasurement(detector_from_mapping(given.detector), given.early_cutoff_fraction),
        )
