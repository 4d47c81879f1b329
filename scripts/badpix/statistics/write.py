"""The statistics file of an exposure, from the products of the pipeline: measured, or rejected with the reason."""

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.content import unchanged
from badpix.core.errors import BadExposure
from badpix.formats.detector1_products import open_product
from badpix.formats.provenance import Provenance
from badpix.formats.statistics_file import require_usable, write_rejected
from badpix.formats.statistics_origin import statistics_provenance
from badpix.instrument.detectors import Detector
from badpix.instrument.geometry import Geometry, reference_pixels
from badpix.statistics.dark import DarkProducts, measure_dark
from badpix.statistics.flat import measure_flat

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DarkMeasurement:
    """What the statistics of a dark need beside the products of the pipeline.

    `early_cutoff_fraction` of the groups count as early.
    """

    detector: Detector
    early_cutoff_fraction: float


def settings_of(dark: DarkMeasurement | None) -> dict[str, object]:
    """The settings that change the statistics, by configuration key; none of a flat."""
    return {"early_cutoff_fraction": dark.early_cutoff_fraction} if dark else {}


def write_statistics(
    paths: Mapping[str, str | Path],
    output: str | Path,
    exposure: str,
    dark: DarkMeasurement | None,
    provenance: Provenance,
) -> None:
    """Measure an exposure from the files `paths` (product -> path) and write the file `output`.

    `dark` is None for a flat. Products of a dark: jump, rateints, fitopt, and for a relative pedestal uncal; of a flat:
    rateints, and uncal if there is a raw file. Raises BadExposure if the products cannot be used.
    """
    with ExitStack() as stack:
        opened = {product: stack.enter_context(open_product(path, product)) for product, path in paths.items()}
        if dark is None:
            measure_flat(exposure, opened["rateints"], opened.get("uncal")).write(output, provenance)
            return

        def science_of(header: fits.Header) -> np.ndarray:
            return ~reference_pixels(Geometry.from_header(header), dark.detector)

        fraction = dark.early_cutoff_fraction
        writer, integrations = measure_dark(exposure, DarkProducts(**opened), science_of, fraction)
        writer.write(output, provenance, integrations)


def measure_given(
    paths: Mapping[str, str | Path], output: str | Path, exposure: str, dark: DarkMeasurement | None
) -> None:
    """Write the statistics `output` of an exposure of which the products `paths` are given, or a rejected product.

    Parameters as of `write_statistics`. Raises FileChanged if a file changes meanwhile.
    """
    with unchanged(*paths.values()):
        provenance = statistics_provenance(Provenance(), paths, settings_of(dark))
        try:
            require_usable(*(path for product, path in paths.items() if product != "uncal"))
            write_statistics(paths, output, exposure, dark, provenance)
        except BadExposure as reason:
            reject(output, exposure, reason, provenance)


def reject(output: str | Path, exposure: str, reason: BadExposure, provenance: Provenance) -> None:
    """Write the rejected product `output` and say why."""
    logger.error("%s is rejected: %s", exposure, reason)
    write_rejected(output, exposure, reason, provenance)
