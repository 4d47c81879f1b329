"""A cache of header information, so that the headers of each input file are read only once.

An entry is valid for a path, a size and a modification time: a changed file is read again. Every job starts with the
headers of all input files, up to thousands, and takes them from the cache.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from badpix.core.files import write_text
from badpix.exposures.header_walk import HeaderInfo
from badpix.exposures.headers import read_header_info

FORMAT = 6


class HeaderCache:
    """Header information of files, in a JSON file at `path` (None: in memory, for this process only)."""

    def __init__(self, path: str | Path | None) -> None:
        self.path = Path(path) if path else None
        self.folder = str(Path.cwd())
        self.known: dict[str, dict[str, Any]] = {}
        self.fresh: dict[str, dict[str, Any]] = {}
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8")) if self.path else {}
            if stored.get("format") == FORMAT:
                self.known = {
                    path: {"stamp": e["stamp"], "header_info": e["header_info"]} for path, e in stored["files"].items()
                }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # no cache, or a damaged one: the headers are read again

    def header_info(self, path: str | Path) -> HeaderInfo:
        """The header information of `path`, from the cache if the file has not changed since."""
        try:
            # The stamp is taken before the file is read: a file that changes meanwhile is read again next time.
            # Without a Path object per file: every job does this for all input files.
            status = os.stat(path)  # noqa: PTH116
            stamp = [status.st_size, status.st_mtime_ns]
            entry = self._cached(path, stamp) or {"stamp": stamp, "header_info": read_header_info(Path(path))}
        except OSError as error:  # not cached: the file may become readable without a change of size and time
            return {"problem": f"cannot be read: {error.strerror}"}
        self.fresh[self._key(path)] = entry
        return entry["header_info"]

    def _key(self, path: str | Path) -> str:
        # Without a Path object per file, as above.
        return os.path.join(self.folder, path)  # noqa: PTH118

    def _cached(self, path: str | Path, stamp: list[int]) -> dict[str, Any] | None:
        """The entry of `path`, None if there is none with this stamp."""
        entry = self.known.get(self._key(path))
        return entry if entry and entry["stamp"] == stamp else None

    def save(self) -> None:
        """Write the entries used in this process, if they differ from the stored entries and the disk is not full."""
        if self.path and self.fresh != self.known:
            # Without a cache the headers are read again. A full disk is for the jobs to report.
            with suppress(OSError):
                write_text(self.path, json.dumps({"format": FORMAT, "files": self.fresh}))
