"""Search MAST for raw files by instrument keywords, through astroquery.

Services `Mast.Jwst.Filtered.<Instrument>`: https://mast.stsci.edu/api/v0/_services.html, columns:
https://mast.stsci.edu/api/v0/_jwst_inst_keywd.html.
"""

import datetime
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from badpix.archive.request import FetchError, Query, Request
from badpix.archive.session import Patience, make_patient
from badpix.exposures.find import GUIDE_STAR
from badpix.instrument.file_names import exposure_name
from badpix.instrument.segments import exposure_of

SERVICES = {"NIRCAM": "Nircam", "NIRISS": "Niriss", "NIRSPEC": "Nirspec", "MIRI": "Miri", "FGS": "Fgs"}
COLUMNS = (
    "filename", "dataURI", "detector", "exp_type", "subarray", "date_obs", "exsegtot", "fileSize", "checksum",
    "publicReleaseDate", "isRestricted", "isItar",
)  # fmt: skip
RAW = "_uncal.fits"
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


def search(request: Request, patience: Patience) -> list[ArchiveFile]:
    """The raw files that match `request`, also those that are not public, by date.

    FetchError when MAST cannot be searched or its answer cannot be understood.
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
            found |= {file.name: file for file in _files(table, query, request)}
        except Exception as error:  # requests, json, astropy and astroquery raise errors of many kinds
            raise FetchError(
                f"{request.server} cannot be searched for {query}: {type(error).__name__}: {error}"
            ) from error
    return sorted(found.values(), key=lambda file: (file.date_obs, file.name))


def _filters(query: Query, request: Request) -> list[dict[str, Any]]:
    first, last = request.mjd_range
    filters: list[dict[str, Any]] = [
        {"paramName": "filename", "values": [], "freeText": f"%{RAW}"},
        {"paramName": "exp_type", "values": list(query.exp_types)},
        {"paramName": "detector", "values": list(query.detectors)},
        {"paramName": "date_obs_mjd", "values": [{"min": first, "max": last}]},
    ]
    if request.subarrays:
        filters.append({"paramName": "subarray", "values": list(request.subarrays)})
    return filters


def _files(table: Any, query: Query, request: Request) -> Iterator[ArchiveFile]:
    """The files of an answer that are asked for; MAST may compare texts without regard to case and blanks."""
    if len(table) and (missing := [name for name in COLUMNS if name not in table.colnames]):
        raise ValueError(f"the answer lacks the column {', '.join(missing)}")
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for row in table:
        value = {name: None if np.ma.is_masked(row[name]) else row[name] for name in COLUMNS}
        name, day = _text(value["filename"]), _text(value["date_obs"])[:10]
        asked = (
            name.endswith(RAW)
            and GUIDE_STAR not in name
            and _text(value["detector"]).upper() in query.detectors
            and _text(value["exp_type"]).upper() in query.exp_types
            and str(request.start) <= day <= str(request.end)
            and not _true(value["isItar"])
        )
        if not asked:
            continue
        if "/" in name or name.startswith("."):
            raise ValueError(f"{name!r} is not the name of a file")
        released = _text(value["publicReleaseDate"])
        yield ArchiveFile(
            name=name,
            uri=_text(value["dataURI"]) or f"mast:JWST/product/{name}",
            query=query,
            detector=_text(value["detector"]).upper(),
            exp_type=_text(value["exp_type"]).upper(),
            date_obs=_text(value["date_obs"]),
            n_segments=max(1, int(value["exsegtot"] or 1)),
            size=_positive(value["fileSize"]),
            checksum=_text(value["checksum"]).lower() or None,
            released=released[:10],
            restricted=_true(value["isRestricted"]) or released > now,
        )


def _text(value: Any) -> str:
    return "" if value is None or str(value) == "None" else str(value).strip()


def _true(value: Any) -> bool:
    return _text(value).lower() in ("true", "t", "1")


def _positive(value: Any) -> int | None:
    return int(value) if value is not None and int(value) > 0 else None
