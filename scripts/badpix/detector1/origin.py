"""The provenance of the products of calwebb_detector1."""

import os
from pathlib import Path

from astropy.io import fits

from badpix.detector1.pipeline import PipelineSettings
from badpix.formats.input_files import input_file
from badpix.formats.provenance import CONTEXT, Provenance, versions

PACKAGES = ("jwst", "stcal", "numpy")


def products_provenance(uncal: str | Path, rateints: str | Path, settings: PipelineSettings) -> Provenance:
    """The Provenance of the products of `uncal`, which the pipeline describes in the header of its file `rateints`."""
    header = fits.getheader(rateints)
    software = versions(*PACKAGES) | {CONTEXT: str(header.get("CRDS_CTX", ""))}
    return Provenance(_recorded(settings), (input_file("uncal", uncal, header),), software)


def rejected_provenance(uncal: str | Path, settings: PipelineSettings) -> Provenance:
    """The Provenance of the products of an exposure that the pipeline could not process."""
    software = versions(*PACKAGES) | {CONTEXT: os.environ.get("CRDS_CONTEXT", "")}
    return Provenance(_recorded(settings), (input_file("uncal", uncal),), software)


def _recorded(settings: PipelineSettings) -> dict[str, object]:
    """The settings that change the products, under their configuration keys."""
    return {f"detector1_{settings.kind}": settings.steps, "crds_context": settings.crds.get("context")}
