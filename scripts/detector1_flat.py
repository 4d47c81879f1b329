"""Take one raw flat through calwebb_detector1 and measure its statistics.

Reads the `uncal` file, the raw file for the flux check if that is another file, and the reference-pixel mask; writes
the statistics and the products of the pipeline that are kept (see `badpix.detector1.job`).
"""

from badpix.core.logs import logging_to
from badpix.detector1.job import Space, process
from badpix.detector1.pipeline import PipelineSettings
from badpix.statistics.flat import FlatMeasurement

# With several threads, the pipeline starts processes that import this file under another name.
if "snakemake" in globals() and __name__ == "__main__":
    with logging_to(snakemake.log[0], snakemake.rule):
        given, resources = snakemake.params, snakemake.resources
        process(
            dict(snakemake.input.items()),
            dict(snakemake.output.items()),
            snakemake.wildcards.exposure,
            PipelineSettings("flat", given.steps, given.crds, snakemake.threads, tuple(given.edgeless_subarrays)),
            FlatMeasurement(),
            Space(resources.get("scratch"), resources.mem_mb + resources.disk_mb, resources.at_a_time),
        )
