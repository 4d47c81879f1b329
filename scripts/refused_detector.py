"""Fail with the reason why no mask of a detector can be made, so that the run does not end as if all were well."""

from badpix.core.errors import TooFewExposures
from badpix.core.logs import logging_to

if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        raise TooFewExposures(snakemake.params.reason)
