"""The raw files of exposures, from the lists of products of MAST: the search by keywords may have other products alone.

MAST Search API (`post_list_products`), through astroquery's class MastMissions.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from badpix.archive.session import Patience, make_patient
from badpix.archive.values import positive, text_of
from badpix.instrument.segments import exposure_of

RAW = "_uncal.fits"
# The dataset of MAST, with the segment, then the detector: a product of a single exposure.
_PRODUCT = re.compile(r"(?P<dataset>jw\d{11}_[0-9a-z]{5}_\d{5}(?:-seg\d{3})?)_(?P<detector>[a-z0-9]+)_[a-z0-9]+\.fits")
PUBLIC = "PUBLIC"


@dataclass(frozen=True)
class Product:
    """A raw file in a list of products; `size` (bytes) is None if it is not listed, `checksum` (MD5) alike."""

    size: int | None
    checksum: str | None
    restricted: bool


def root_of(name: str) -> str | None:
    """The name of the exposure or segment of a product, `jw..._00001-seg001_nis`; None for other names."""
    match = _PRODUCT.fullmatch(name)
    return f"{match['dataset']}_{match['detector']}" if match else None


def raw_products(server: str, roots: Iterable[str], patience: Patience) -> dict[str, Product]:
    """Name -> Product of the raw files of the exposures of `roots` (`root_of`), with all their segments."""
    from astroquery.mast import MastMissionsClass
    from astroquery.mast.services import ServiceAPI

    roots = set(roots)
    # Segments can be datasets of their own; MAST leaves out datasets that it does not have.
    datasets = {name.rsplit("_", 1)[0] for root in roots for name in (root, exposure_of(root))}
    # astroquery reads `conf.server` when it is imported.
    ServiceAPI.SERVICE_URL = server
    missions = MastMissionsClass(mission="jwst")
    make_patient(missions._session, patience)  # noqa: SLF001 - no public way to a time limit
    table = missions.get_product_list(sorted(datasets))
    if len(table) and (missing := [column for column in ("filename", "size") if column not in table.colnames]):
        raise ValueError(f"the list of products lacks the column {', '.join(missing)}")
    wanted = {exposure_of(root) for root in roots}
    found = {}
    for row in table:
        value = {name: None if np.ma.is_masked(row[name]) else row[name] for name in table.colnames}
        name = text_of(value["filename"])
        if name.endswith(RAW) and exposure_of(root_of(name) or "") in wanted:
            access = text_of(value.get("access")).upper()
            found[name] = Product(
                positive(value["size"]), text_of(value.get("checksum")).lower() or None, access not in ("", PUBLIC)
            )
    return found
