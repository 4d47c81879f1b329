"""A cache of header information, so that the headers of each input file are read only once.

An entry is valid for a path and its `badpix.core.content.stamp`: a changed file is read again. Every job starts with
the headers of all input files, up to thousands, and takes them from the cache. The cache also keeps the SHA-256 of a
file that was moved or written again since it was measured.
"""

import atexit
import errno
import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from badpix.core.content import sha256_of, stamp
from badpix.core.files import write_text
from badpix.core.plain_input import read_text
from badpix.exposures.header_walk import HeaderInfo
from badpix.exposures.headers import KEYWORDS, read_header_info

FORMAT = 10

# A link to a file that does not exist, or to itself.
NO_FILE = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG}
ADVICE = "give read permission, mount its disk, or take it out of the inputs, and run again"


class Unreadable(Exception):
    """The machine cannot read an input file, which may be sound: the run stops, the exposure is not rejected."""


class HeaderCache:
    """Header information of files, in a JSON file at `path` (None: in memory, for this process only)."""

    def __init__(self, path: str | Path | None) -> None:
        self.path = Path(path) if path else None
        self.folder = str(Path.cwd())
        self.known: dict[str, dict[str, Any]] = {}
        self.fresh: dict[str, dict[str, Any]] = {}
        # Without a cache, or with a damaged cache, the headers are read again.
        with suppress(OSError, ValueError):
            digest, _, content = read_text(self.path).partition("\n") if self.path else ("", "", "")
            if digest == _digest(content):
                self.known = json.loads(content)

    def header_info(self, path: str | Path) -> HeaderInfo:
        """The header information of `path`, from the cache if the file has not changed since.

        A link to no file is a problem of the exposure; Unreadable where the machine cannot read the file.
        """
        try:
            # The stamp is taken before the file is read: a file that changes meanwhile is read again next time.
            state = list(stamp(path))
            entry = self._cached(path, state) or {"stamp": state, "header_info": read_header_info(Path(path))}
        except OSError as error:
            if error.errno in NO_FILE:
                return {"problem": f"cannot be read: {error.strerror}"}
            raise Unreadable(f"{path}: cannot be read: {error.strerror or error}; {ADVICE}") from error
        self.fresh[self._key(path)] = entry
        return entry["header_info"]

    def sha256(self, path: str | Path) -> str:
        """SHA-256 of the file `path`, from the cache if the file has not changed since."""
        state = list(stamp(path))
        entry = self.fresh.get(self._key(path)) or self._cached(path, state)
        if entry is None or entry["stamp"] != state:
            entry = {"stamp": state, "header_info": read_header_info(Path(path))}
        if "sha256" not in entry:
            entry = {**entry, "sha256": sha256_of(path)}
            # After the cache was saved.
            atexit.register(self.save)
        self.fresh[self._key(path)] = entry
        return entry["sha256"]

    def _key(self, path: str | Path) -> str:
        # Without a Path object per file, as above.
        return os.path.join(self.folder, path)  # noqa: PTH118

    def _cached(self, path: str | Path, state: list[int]) -> dict[str, Any] | None:
        """The entry of `path`, None if there is none with this stamp."""
        entry = self.known.get(self._key(path))
        return entry if entry and entry["stamp"] == state else None

    def save(self) -> None:
        """Write the entries used in this process, if they differ from the stored entries and the disk is not full."""
        if self.path and self.fresh != self.known:
            # Without a cache the headers are read again. A full disk is for the jobs to report.
            with suppress(OSError):
                content = json.dumps(self.fresh)
                write_text(self.path, f"{_digest(content)}\n{content}")


def _digest(content: str) -> str:
    """SHA-256 of the format of the cache, its keywords and its content: a changed cache is not used."""
    return hashlib.sha256(f"{FORMAT} {' '.join(KEYWORDS)}\n{content}".encode()).hexdigest()
