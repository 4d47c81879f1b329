"""Fail with the reason why a detector has no mask: without this job the run would end without an error."""

from badpix.core.errors import TooFewExposures
from badpix.core.logs import logging_to

if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        raise TooFewExposures(snakemake.params.reason)
