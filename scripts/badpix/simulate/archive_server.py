"""A server on this machine that answers what astroquery asks of MAST, with the raw files of a folder.

It has the search by instrument keywords (`Mast.Jwst.Filtered.<Instrument>`, in pages), lists of products, the download
with ranges, files that need a token, the public bucket, and on request the faults of a real server. Only what fetch
uses of MAST.
"""

import datetime
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from astropy.io import fits

from badpix.simulate.headers import modified_julian_date

COLUMNS_PATH = "/portal/Mashup/Mashup.asmx/columnsconfig"
SEARCH_PATH = "/api/v0/invoke"
PRODUCTS_PATH = "/search/jwst/api/v0.1/post_list_products"
DOWNLOAD_PATH = "/api/v0.1/Download/file"
TOKEN_PATH = "/whoami"
LOOKUP_PATH = "/api/v0.1/path_lookup/"
BUCKET_PATH = "/stpubdata/jwst/public/"
URI = "mast:JWST/product/"
_DATES = ("date_obs", "publicReleaseDate")
_TYPES = {"exsegtot": "int", "fileSize": "int", "isRestricted": "boolean", "isItar": "boolean", "date_obs_mjd": "float"}
FAILURES = {"busy": 503, "limit": 429, "error": 404, "closed": 401}


@lru_cache(maxsize=100_000)
def _row(path: Path, _size: int, _mtime_ns: int) -> dict[str, Any]:
    """The row of a raw file in a search."""
    header = fits.getheader(path)
    date_obs = f"{header['DATE-OBS']}T{header['TIME-OBS']}"
    return {
        "filename": path.name,
        "dataURI": f"{URI}{path.name}",
        "instrume": header["INSTRUME"],
        "detector": header["DETECTOR"],
        "exp_type": header["EXP_TYPE"],
        "subarray": header["SUBARRAY"],
        "date_obs": date_obs,
        "date_obs_mjd": modified_julian_date(datetime.datetime.fromisoformat(date_obs)),
        "exsegtot": header.get("EXSEGTOT"),
        "fileSize": path.stat().st_size,
        "checksum": hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest(),
        "publicReleaseDate": date_obs,
        "isRestricted": False,
        "isItar": False,
    }


class ArchiveServer(ThreadingHTTPServer):
    """The server.

    `closed` are names of files that need `token`, `absent_in_bucket` are in MAST alone; `changed` has other values of
    columns by name. With `lists_raw_files` False, the search has the calibrated product (`calibrated_suffix`) of each
    exposure alone, and the lists of products have its raw files but those of `no_raw_file`. With `ticks`, dates are
    `/Date(milliseconds)/`.
    `faults`: name of a file, or `search` -> faults of its next requests: `cut` (the connection ends after half of the
    bytes), `busy` (503), `limit` (429), `error` (404), `closed` (401), `no ranges`, `other bytes`, or the address of
    another server, to which the request is sent on.
    """

    daemon_threads = True

    def __init__(self, folder: str | Path, port: int = 0, token: str = "", page_size: int = 1000) -> None:
        self.folder, self.token, self.page_size = Path(folder), token, page_size
        self.closed: set[str] = set()
        self.absent_in_bucket: set[str] = set()
        self.lists_raw_files, self.calibrated_suffix = True, "rate"
        self.no_raw_file: set[str] = set()
        self.ticks = False
        self.changed: dict[str, Mapping[str, Any]] = {}
        self.faults: dict[str, list[str]] = {}
        self.requests: list[str] = []
        # Values of the headers Authorization or Cookie that arrived, None for requests without.
        self.tokens: list[str | None] = []
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """The address of the server, for `mast.server`."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def files(self) -> dict[str, Path]:
        """Name -> path of the raw files in the folder, at any depth."""
        return {path.name: path for path in sorted(self.folder.rglob("*_uncal.fits"))}

    def rows(self) -> list[dict[str, Any]]:
        """The rows of all files."""
        rows = []
        for name, path in self.files().items():
            status = path.stat()
            row = _row(path, status.st_size, status.st_mtime_ns)
            if self.ticks:
                row = row | {key: _ticks(row[key]) for key in _DATES}
            row = row | {"isRestricted": name in self.closed} | dict(self.changed.get(name, {}))
            if not self.lists_raw_files:
                row = row | {
                    "filename": name.replace("uncal", self.calibrated_suffix),
                    "fileSize": 1,
                    "checksum": "0" * 32,
                }
                row["dataURI"] = f"{URI}{row['filename']}"
            rows.append(row)
        return rows

    def fault(self, name: str) -> str | None:
        """The next fault for `name`, which then is used up."""
        with self.lock:
            return self.faults[name].pop(0) if self.faults.get(name) else None


class _Handler(BaseHTTPRequestHandler):
    server: ArchiveServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        """No lines on the terminal; the requests are kept."""
        self.server.requests.append(format % arguments)

    def do_POST(self) -> None:  # the name of http.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == COLUMNS_PATH:
            self.answer({name: {"type": _TYPES.get(name, "string")} for name in ("filename", *_TYPES)})
        elif self.path == PRODUCTS_PATH:
            self.answer({"products": self.products(json.loads(body)["dataset_ids"])})
        elif self.path == SEARCH_PATH:
            if (fault := self.server.fault("search")) in FAILURES:
                self.fail(fault)
            elif fault:
                self.answer({"status": "ERROR", "msg": fault, "fields": [], "data": []})
            else:
                self.answer(self.found(json.loads(parse_qs(body)["request"][0])))
        else:
            self.send_error(404)

    def found(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The page of the answer to a search."""
        instrument = request["service"].removeprefix("Mast.Jwst.Filtered.").upper()
        filters = request["params"]["filters"]
        rows = [
            row
            for row in self.server.rows()
            if row["instrume"] == instrument and all(_matches(row, wanted) for wanted in filters)
        ]
        columns = request["params"]["columns"].split(",")
        size, page = min(self.server.page_size, request["pagesize"]), request["page"]
        return {
            "status": "COMPLETE",
            "msg": "",
            "fields": [{"name": name, "type": _TYPES.get(name, "string")} for name in columns],
            "data": [{name: row[name] for name in columns} for row in rows[(page - 1) * size : page * size]],
            "paging": {"page": page, "pageSize": size, "pagesFiltered": -(-len(rows) // size) or 1},
        }

    def products(self, datasets: list[str]) -> list[dict[str, Any]]:
        """The list of products of datasets: each raw file and a preview of it."""
        return [
            {"filename": product, "dataset": dataset, "size": size, "access": "PUBLIC", "uri": f"{dataset}/{product}"}
            for name, path in self.server.files().items()
            if (dataset := name.rsplit("_", 2)[0]) in datasets and name not in self.server.no_raw_file
            for product, size in ((name, path.stat().st_size), (name.replace(".fits", ".jpg"), 1))
        ]

    def do_GET(self) -> None:  # the name of http.server
        self.keep_token()
        address = urlsplit(self.path)
        if address.path == TOKEN_PATH:
            self.answer({"anon": not self.has_token()})
        elif address.path == LOOKUP_PATH:
            uris = parse_qs(address.query)["uri"]
            self.answer({uri: {"path": f"/jwst/public/{uri.removeprefix(URI)}"} for uri in uris})
        elif address.path.startswith(BUCKET_PATH):
            self.send_file(address.path.removeprefix(BUCKET_PATH))
        elif address.path == DOWNLOAD_PATH:
            self.send_file(parse_qs(address.query)["uri"][0].removeprefix(URI))
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:  # the name of http.server
        self.keep_token()
        name = self.path.removeprefix(BUCKET_PATH)
        is_there = name in self.server.files() and name not in self.server.absent_in_bucket
        self.send_response(200 if is_there else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def keep_token(self) -> None:
        """Keep what a request has for its identification."""
        self.server.tokens.append(self.headers.get("Authorization") or self.headers.get("Cookie"))

    def has_token(self) -> bool:
        """True if the request has the token of the server."""
        return bool(self.server.token) and self.headers.get("Authorization") == f"token {self.server.token}"

    def send_file(self, name: str) -> None:
        """Send a raw file, or the rest of it."""
        path = self.server.files().get(name)
        if path is None:
            self.send_error(404)
            return
        if name in self.server.closed and not self.has_token():
            self.send_error(401)
            return
        fault = self.server.fault(name)
        if fault in FAILURES:
            self.fail(fault)
            return
        if fault and fault.startswith("http"):
            self.send_response(302)
            self.send_header("Location", fault + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = path.read_bytes()
        if fault == "other bytes":
            data = data[:-1] + bytes([data[-1] ^ 1])
        start = 0
        if (asked := self.headers.get("Range")) and fault != "no ranges":
            start = int(asked.removeprefix("bytes=").split("-")[0])
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start : start + (len(data) - start) // 2 if fault == "cut" else len(data)])
        if fault == "cut":
            self.close_connection = True

    def answer(self, content: Mapping[str, Any]) -> None:
        """Send `content` as JSON."""
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def fail(self, fault: str) -> None:
        """Send the status of a fault."""
        self.send_error(FAILURES[fault])


def _ticks(date: str) -> str:
    """`/Date(milliseconds)/` of a date."""
    moment = datetime.datetime.fromisoformat(date).replace(tzinfo=datetime.UTC)
    return f"/Date({round(moment.timestamp() * 1000)})/"


def _matches(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """True if `row` has a value that a filter of MAST wants: a text, a range, or free text with %."""
    value = row[wanted["paramName"]]
    if text := wanted.get("freeText"):
        return text.startswith("%") and value.endswith(text[1:])
    return any(
        choice["min"] <= value <= choice["max"] if isinstance(choice, dict) else choice == value
        for choice in wanted["values"]
    )


@contextmanager
def serving(folder: str | Path, **options: Any) -> Iterator[ArchiveServer]:
    """An ArchiveServer at work in a thread while the block runs."""
    with ArchiveServer(folder, **options) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
