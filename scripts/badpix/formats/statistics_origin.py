"""What the statistics of an exposure are made from: its measurement, and their provenance."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from astropy.io import fits

from badpix.core.files import is_machine_fault
from badpix.formats.input_files import input_file
from badpix.formats.provenance import Provenance, versions


class Measurement(Protocol):
    """The measurement of the exposures of a kind, from files product -> path."""

    @property
    def products(self) -> tuple[str, ...]:
        """The products of the pipeline that are needed."""

    @property
    def needs_raw(self) -> bool:
        """Whether the raw file is read too, if there is a raw file."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings that change the statistics, by configuration key."""

    def write(self, paths: Mapping[str, str | Path], output: str | Path, exposure: str, provenance: Provenance) -> None:
        """Measure `exposure` from the files `paths` and write `output`; BadExposure if the files cannot be used."""


def statistics_provenance(
    upstream: Provenance, given: Mapping[str, str | Path], settings: Mapping[str, object]
) -> Provenance:
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


def _header(path: str | Path) -> Mapping:
    """The primary header of a given file, empty if it cannot be read; the reader of its data gives the reason."""
    try:
        return fits.getheader(path)
    except Exception as error:  # astropy raises many types of errors for a damaged file
        if is_machine_fault(error):
            raise
        return {}
