"""Download a file whole: resumed where it stopped, checked, and named only when it is complete."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import requests

from badpix.archive.request import FetchError
from badpix.archive.search import ArchiveFile
from badpix.archive.session import PASSING, Patience
from badpix.core.files import no_space
from badpix.core.fits_check import file_problem

BLOCK = 2**20
# A broken connection loses the bytes of a block.
RECEIVED_BLOCK = 2**14
UNAUTHORISED = (401, 403)
_BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class ServerDown(FetchError):
    """The server does not answer: further files need not be tried."""


class ServerFault(FetchError):
    """The server has a fault with a file, also after repeated requests; other files may be sound."""


class MachineFault(FetchError):
    """The machine cannot write the files, for example on a full disk."""


class Stopped(FetchError):
    """The download was ended because of another file; its part stays."""


class NoAccess(FetchError):
    """The file is not public, and the token has no right to it."""


@dataclass(frozen=True)
class Complete:
    """A complete file under its temporary path: size (bytes), SHA-256 and MD5, and a warning or None."""

    path: Path
    size: int
    sha256: str
    md5: str
    warning: str | None = None


@dataclass(frozen=True)
class Downloader:
    """Downloads files to the folder `work`. `tell` is called with the number of bytes that arrived.

    `url` gives the address of a file. `stop` ends all downloads after their next block.
    """

    session: requests.Session
    url: Callable[[ArchiveFile], str]
    work: Path
    patience: Patience
    stop: threading.Event
    tell: Callable[[int], None]

    def part(self, file: ArchiveFile) -> Path:
        """The path of the incomplete `file`, which differs for each version of it on the server."""
        version = hashlib.sha256(f"{file.size} {file.checksum}".encode()).hexdigest()[:8]
        return self.work / f"{file.name}.{version}.part"

    def download(self, file: ArchiveFile) -> Complete:
        """Download `file`; a part of an earlier run is continued. FetchError if it cannot be had whole."""
        part = self.part(file)
        first = ""
        for _ in range(2):
            self._receive(file, part)
            found = _measured(part)
            problem = _problem(file, found)
            if problem is None:
                return found
            if problem is CHECKSUM_DIFFERS and found.sha256 == first:
                # The list of MAST is at fault, not the transfer.
                warning = f"{file.name}: the MD5 is {found.md5}, MAST lists {file.checksum}; two downloads are equal"
                return replace(found, warning=warning)
            part.unlink()
            first = found.sha256
        raise FetchError(f"{file.name}: {problem}")

    def _receive(self, file: ArchiveFile, part: Path) -> None:
        """Receive the bytes that `part` lacks; a broken connection is continued while it brings bytes."""
        failures = 0
        while True:
            before = part.stat().st_size if part.exists() else 0
            try:
                if self._request(file, part, before):
                    return
                error: Exception = requests.ConnectionError("the connection ended early")
            except _BROKEN as broken:
                error = broken
            except OSError as fault:
                _machine_fault(fault, part)
            failures = 0 if part.exists() and part.stat().st_size > before else failures + 1
            if failures > self.patience.repeats:
                raise ServerFault(f"{file.name}: {_short(error)}") from None
            if self.stop.is_set():
                raise Stopped(file.name)
            self.stop.wait(min(60.0, self.patience.pause_s * 2**failures))

    def _request(self, file: ArchiveFile, part: Path, start: int) -> bool:
        """Request the bytes from `start` on and write them; True if the file is complete then."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        try:
            opened = self.session.get(self.url(file), headers=headers, stream=True)
        except requests.RequestException as error:
            raise ServerDown(f"{self.url(file)}: {_short(error)}") from None
        with opened as answer:
            status = answer.status_code
            if status == requests.codes.requested_range_not_satisfiable:
                # Nothing is missing, or the part is of another file; the checks decide.
                return True
            if status in UNAUTHORISED:
                if file.restricted:
                    raise NoAccess(f"{file.name}: not public, and no right to it (status {status})")
                raise FetchError(f"{file.name}: MAST lists the file as public and refuses it (status {status})")
            if status in PASSING:
                raise ServerFault(f"{file.name}: {status} {answer.reason} after {self.patience.repeats} repeats")
            if status not in (requests.codes.ok, requests.codes.partial_content):
                raise FetchError(f"{file.name}: {status} {answer.reason}")
            # A server without ranges sends all of the file.
            from_start = status == requests.codes.ok
            if not from_start and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                ranges = answer.headers.get("Content-Range")
                raise ServerFault(f"{file.name}: asked for the bytes from {start} on, and received {ranges}")
            announced = answer.headers.get("Content-Length")
            written = 0
            with part.open("wb" if from_start else "ab") as target:
                for block in answer.iter_content(RECEIVED_BLOCK):
                    target.write(block)
                    written += len(block)
                    self.tell(len(block))
                    if self.stop.is_set():
                        raise Stopped(file.name)
            return announced is None or written >= int(announced)


CHECKSUM_DIFFERS = "the MD5 differs from the MD5 that MAST lists"


def _problem(file: ArchiveFile, found: Complete) -> str | None:
    """The reason why `found` is not `file`, or None. MD5 decides where MAST lists it, since listed sizes can be old."""
    if problem := file_problem(found.path):
        return problem
    if file.checksum == found.md5:
        return None
    if file.size is not None and found.size != file.size:
        return f"{found.size} bytes, MAST lists {file.size}"
    return CHECKSUM_DIFFERS if file.checksum else None


def _measured(path: Path) -> Complete:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            sha256.update(block)
            md5.update(block)
    return Complete(path, path.stat().st_size, sha256.hexdigest(), md5.hexdigest())


def _machine_fault(error: OSError, part: Path) -> NoReturn:
    if no_space(error):
        raise MachineFault(f"{part.parent}: the disk is full; free space, then the same command continues") from error
    raise MachineFault(f"{part}: {error.strerror or error}") from error


def _short(error: Exception) -> str:
    """The error without the names of Python's objects around its cause."""
    return f"{type(error).__name__}: {str(error).rsplit(': ', 1)[-1]}"
