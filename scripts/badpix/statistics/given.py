"""The statistics of an exposure of which the products of the pipeline are given."""

from collections.abc import Mapping
from pathlib import Path

from badpix.core.content import unchanged
from badpix.core.errors import BadExposure
from badpix.formats.provenance import Provenance
from badpix.formats.statistics_file import reject, require_usable
from badpix.formats.statistics_origin import Measurement, statistics_provenance


def measure_given(paths: Mapping[str, str], output: str | Path, exposure: str, measurement: Measurement) -> None:
    """Write the statistics `output` of an exposure with the files `paths` (product -> path), or a rejected product.

    Raises FileChanged if a file changes meanwhile.
    """
    with unchanged(*paths.values()):
        provenance = statistics_provenance(Provenance(), paths, measurement.settings)
        try:
            require_usable(*(path for product, path in paths.items() if product != "uncal"))
            measurement.write(paths, output, exposure, provenance)
        except BadExposure as reason:
            reject(output, exposure, reason, provenance)
