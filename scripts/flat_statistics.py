"""Reduce one flat exposure, of which the rates are given, to its cached statistics.

Reads the rateints file (DN/s) and, if it exists, the uncal file (DN); writes one statistics FITS of measurements
without thresholds. If the files do not fit together, the file is a rejected product with the reason. The statistics of
raw flats are made by the job of detector1.
"""

from badpix.core.logs import logging_to
from badpix.statistics.flat import FlatMeasurement
from badpix.statistics.given import measure_given

if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        measure_given(
            dict(snakemake.input.items()),
            snakemake.output.statistics,
            snakemake.wildcards.exposure,
            FlatMeasurement(),
        )
