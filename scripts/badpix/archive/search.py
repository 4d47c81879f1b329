"""Search MAST for raw files by instrument keywords, through astroquery.

By STScI's documents, the search lists the highest products of an exposure, and may have no raw files. So it asks for
all files of the exposures, and takes the raw files that are missing in its answer from the lists of products.

Services `Mast.Jwst.Filtered.<Instrument>`: https://mast.stsci.edu/api/v0/_services.html, columns:
https://mast.stsci.edu/api/v0/_jwst_inst_keywd.html.
"""

import datetime
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from badpix.archive.products import RAW, Product, raw_products, root_of
from badpix.archive.request import FetchError, Query, Request
from badpix.archive.session import Patience, make_patient
from badpix.archive.values import is_true, moment, of_mjd, positive, text_of
from badpix.core.reasons import MAX_NAMES
from badpix.core.wording import first_of
from badpix.exposures.find import GUIDE_STAR
from badpix.instrument.file_names import exposure_name
from badpix.instrument.segments import exposure_of

SERVICES = {"NIRCAM": "Nircam", "NIRISS": "Niriss", "NIRSPEC": "Nirspec", "MIRI": "Miri", "FGS": "Fgs"}
COLUMNS = (
    "filename", "dataURI", "detector", "exp_type", "subarray", "date_obs", "date_obs_mjd", "exsegtot", "fileSize",
    "checksum", "publicReleaseDate", "isRestricted", "isItar",
)  # fmt: skip
# Where astroquery is missing, the environment is older than fetch.
INSTALL = "envs/create_venv.sh .venv envs/requirements.txt"


@dataclass(frozen=True)
class ArchiveFile:
    """A raw file of MAST.

    `query` found it. `size` (bytes) and `checksum` (MD5) are those that MAST lists, None if it lists none. `n_segments`
    is the number of files of the exposure. `released` is the day (YYYY-MM-DD) from which the file is public, empty if
    unknown.
    """

    name: str
    uri: str
    query: Query
    detector: str
    exp_type: str
    date_obs: str
    n_segments: int
    size: int | None
    checksum: str | None
    released: str
    restricted: bool

    @property
    def kind(self) -> str:
        """darks or flats."""
        return self.query.kind

    @property
    def exposure(self) -> str:
        """The name of the exposure, without the segment."""
        return exposure_of(exposure_name(self.name))


def search(request: Request, patience: Patience, say: Callable[[str], None]) -> list[ArchiveFile]:
    """The raw files that match `request`, also those that are not public, by date.

    `say` receives lines on rows that are left out. FetchError when MAST cannot be searched, its answer cannot be
    understood, or it has exposures and no raw files of them.
    """
    try:
        from astroquery.exceptions import NoResultsWarning
        from astroquery.mast import MastClass
        from astroquery.mast.discovery_portal import PortalAPI
    except ImportError as error:
        raise FetchError(f"fetch needs the package astroquery ({error}): {INSTALL}") from None
    # astroquery reads `conf.server` when it is imported.
    PortalAPI.MAST_REQUEST_URL = f"{request.server}/api/v0/invoke"
    PortalAPI.COLUMNS_CONFIG_URL = f"{request.server}/portal/Mashup/Mashup.asmx/columnsconfig"
    mast = MastClass()
    make_patient(mast._session, patience)  # noqa: SLF001 - no public way to a time limit
    found: dict[str, ArchiveFile] = {}
    for query in request.queries:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NoResultsWarning)
                table = mast.service_request(
                    f"Mast.Jwst.Filtered.{SERVICES[query.instrument]}",
                    {"columns": ",".join(COLUMNS), "filters": _filters(query, request)},
                )
            rows = _asked(table, query, request)
            if left_out := len(table) - len(rows):
                say(f"{query}: {left_out} of the {len(table)} files that MAST listed do not match, and are left out")
            found |= _raw_files(rows, query, request, patience, say)
        except FetchError:
            raise
        except Exception as error:  # requests, json, astropy and astroquery raise errors of many kinds
            raise FetchError(
                f"{request.server} cannot be searched for {query}: {type(error).__name__}: {error}"
            ) from error
    return sorted(found.values(), key=lambda file: (file.date_obs, file.name))


def _filters(query: Query, request: Request) -> list[dict[str, Any]]:
    first, last = request.mjd_range
    filters: list[dict[str, Any]] = [
        {"paramName": "exp_type", "values": list(query.exp_types)},
        {"paramName": "detector", "values": list(query.detectors)},
        {"paramName": "date_obs_mjd", "values": [{"min": first, "max": last}]},
    ]
    if request.subarrays:
        filters.append({"paramName": "subarray", "values": list(request.subarrays)})
    return filters


def _asked(table: Any, query: Query, request: Request) -> list[dict[str, Any]]:
    """The rows of an answer that are asked for: column -> value, `date_obs` as `moment` gives it.

    MAST may compare texts without regard to case and blanks.
    """
    if len(table) and (missing := [name for name in COLUMNS if name not in table.colnames]):
        raise ValueError(f"the answer lacks the column {', '.join(missing)}")
    rows = []
    for row in table:
        value = {name: None if np.ma.is_masked(row[name]) else row[name] for name in COLUMNS}
        name = text_of(value["filename"])
        if not (date := moment("date_obs", value["date_obs"]) or of_mjd(value["date_obs_mjd"])):
            raise ValueError(f"{name} has neither date_obs nor date_obs_mjd")
        if (
            GUIDE_STAR not in name
            and text_of(value["detector"]).upper() in query.detectors
            and text_of(value["exp_type"]).upper() in query.exp_types
            and str(request.start) <= date[:10] <= str(request.end)
            and not is_true(value["isItar"])
        ):
            if "/" in name or name.startswith("."):
                raise ValueError(f"{name!r} is not the name of a file")
            rows.append(value | {"filename": name, "date_obs": date})
    return rows


def _raw_files(
    rows: Iterable[Mapping[str, Any]], query: Query, request: Request, patience: Patience, say: Callable[[str], None]
) -> dict[str, ArchiveFile]:
    """Name -> raw file of the exposures of `rows`; FetchError if there are rows and none of them has a raw file."""
    names = [row["filename"] for row in rows]
    found = {row["filename"]: _file(row["filename"], row, query) for row in rows if row["filename"].endswith(RAW)}
    exposures = {exposure_of(root): row for row in rows if (root := root_of(row["filename"]))}
    roots = {root for name in names if (root := root_of(name))} - {exposure_name(name) for name in found}
    if roots:
        for name, product in raw_products(request.server, roots, patience).items():
            found.setdefault(name, _file(name, exposures[exposure_of(exposure_name(name))], query, product))
    if names and not found:
        raise FetchError(
            f"{query}: MAST lists {len(names)} files, such as {names[0]}, and no raw file (*{RAW}) of their exposures;"
            " compare with the search page of MAST, and give its raw files in the folders"
        )
    if without := sorted(exposures.keys() - {file.exposure for file in found.values()}):
        say(f"Warning: {query}: MAST lists no raw file of {first_of(without, MAX_NAMES)}")
    return found


def _file(name: str, row: Mapping[str, Any], query: Query, product: Product | None = None) -> ArchiveFile:
    """The raw file `name`, from its `row` or, for a `product` of a list, from the row of another file."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    released = moment("publicReleaseDate", row["publicReleaseDate"])
    restricted = is_true(row["isRestricted"]) or released > now
    if product is None:
        size, checksum = positive(row["fileSize"]), text_of(row["checksum"]).lower() or None
    else:
        size, checksum, restricted = product.size, product.checksum, restricted or product.restricted
    return ArchiveFile(
        name=name,
        uri=(text_of(row["dataURI"]) if product is None else "") or f"mast:JWST/product/{name}",
        query=query,
        detector=text_of(row["detector"]).upper(),
        exp_type=text_of(row["exp_type"]).upper(),
        date_obs=row["date_obs"],
        n_segments=max(1, int(row["exsegtot"] or 1)),
        size=size,
        checksum=checksum,
        released=released[:10],
        restricted=restricted,
    )
