"""The provenance of the statistics of an exposure: from the pipeline, or from given products."""

from collections.abc import Mapping
from dataclasses import replace

from astropy.io import fits

from badpix.core.files import is_machine_fault
from badpix.formats.input_files import input_file
from badpix.formats.provenance import Provenance, versions


def statistics_provenance(upstream: Provenance, given: Mapping[str, str], settings: Mapping[str, object]) -> Provenance:
    """The Provenance of statistics measured with `settings` (key -> JSON value).

    `upstream` is the Provenance of the products of our detector1 job, empty without; `given` (product -> path) are
    input files of the user beside its raw file.
    """
    direct = tuple(input_file(product, path, _header(path)) for product, path in given.items())
    return replace(
        upstream,
        settings={**upstream.settings, **settings},
        inputs=(*upstream.inputs, *direct),
        software={**upstream.software, **versions("numpy")},
    )


def _header(path: str) -> Mapping:
    """The primary header of a given file, empty if it cannot be read; the reader of its data gives the reason."""
    try:
        return fits.getheader(path)
    except Exception as error:  # astropy raises many types of errors for a damaged file
        if is_machine_fault(error):
            raise
        return {}
