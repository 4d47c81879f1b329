"""The provenance of the statistics of an exposure: from the products of the pipeline, or from given products."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from astropy.io import fits

from badpix.core.errors import ProductError
from badpix.core.files import is_machine_fault
from badpix.formats.detector1_products import PLANES
from badpix.formats.input_files import input_file
from badpix.formats.product_file import advice, provenance_of, verify
from badpix.formats.provenance import Provenance, versions


def statistics_provenance(
    paths: Mapping[str, str], given: Collection[str], settings: Mapping[str, object]
) -> Provenance:
    """The Provenance of statistics measured with `settings` from the files `paths` (product -> path).

    The products `given` are input files of the user. All other files are products of our detector1 job, whose
    provenance is taken over; ProductError if they are not of the same job.
    """
    made = {product: provenance_of(path) for product, path in paths.items() if _is_ours(product, given)}
    upstream = made.get("rateints", Provenance())
    for product, provenance in made.items():
        if replace(provenance, sums={}).digest != replace(upstream, sums={}).digest:
            raise ProductError(
                f"{paths[product]} and {paths['rateints']} were not made by the same job; {advice(paths['rateints'])}"
            )
    direct = tuple(input_file(product, paths[product], _header(paths[product])) for product in given)
    return Provenance(
        {**upstream.settings, **settings},
        (*upstream.inputs, *direct),
        {**upstream.software, **versions("numpy")},
    )


def verify_products(opened: Mapping[str, fits.HDUList], given: Collection[str]) -> None:
    """Raise ProductError unless the open files (product -> HDUList) of our detector1 job are as they were written."""
    for product, hdus in opened.items():
        if _is_ours(product, given):
            verify(hdus, provenance_of(hdus.filename()), PLANES[product])


def _is_ours(product: str, given: Collection[str]) -> bool:
    return product not in given and product != "uncal"


def _header(path: str) -> Mapping:
    """The primary header of a given file, empty if it cannot be read; the reader of its data gives the reason."""
    try:
        return fits.getheader(Path(path))
    except Exception as error:  # astropy raises many types of errors for a damaged file
        if is_machine_fault(error):
            raise
        return {}
