"""Read the header of each input file once, and remember it.

The cache is keyed by path, size and time of modification, so a file that changes is read again. It is what keeps
parsing cheap when the same thousands of exposures are looked at in every run.
"""

import json
import os
from contextlib import suppress
from pathlib import Path

from badpix.core.files import write_text
from badpix.exposures.headers import read_header_info

FORMAT = 5


class HeaderCache:
    """The remembered headers, in a JSON file at `path` (None: remembered for this process only)."""

    def __init__(self, path):
        self.path = Path(path) if path else None
        self.folder = os.getcwd()
        self.known, self.fresh = {}, {}
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8")) if self.path else {}
            if stored.get("format") == FORMAT:
                self.known = {
                    path: {"stamp": e["stamp"], "header_info": e["header_info"]} for path, e in stored["files"].items()
                }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # no cache, or not a whole one: the headers are read again

    def header_info(self, path):
        """The headers of `path`, from memory if it has not changed since."""
        try:
            # Before it is read: a file that changes meanwhile is read again next time.
            status = os.stat(path)
            stamp = [status.st_size, status.st_mtime_ns]
            entry = self._remembered(path, stamp) or {"stamp": stamp, "header_info": read_header_info(Path(path))}
        except OSError as error:  # not remembered: the file itself may be well, and need not change to be read
            return {"problem": f"cannot be read: {error.strerror}"}
        self.fresh[self._key(path)] = entry
        return entry["header_info"]

    def _key(self, path):
        return os.path.join(self.folder, path)

    def _remembered(self, path, stamp):
        """The entry of `path`, None if there is none with this stamp."""
        entry = self.known.get(self._key(path))
        return entry if entry and entry["stamp"] == stamp else None

    def save(self):
        """Write what was looked at in this process, if it differs from what is stored and there is room for it."""
        if self.path and self.fresh != self.known:
            # Without it the headers are read again. On a full disk the jobs must still be able to say what is wrong.
            with suppress(OSError):
                write_text(self.path, json.dumps({"format": FORMAT, "files": self.fresh}))
