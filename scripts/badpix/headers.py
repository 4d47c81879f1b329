"""Read the header of each input file once, and remember it.

The cache is keyed by path, size and time of modification, so a file that changes is read again. It is what keeps
parsing cheap when the same thousands of exposures are looked at in every run.
"""

import json
import os
from contextlib import suppress
from pathlib import Path

from badpix.files import write_text

# What the inventory needs to know of an exposure.
KEYWORDS = (
    "INSTRUME", "DETECTOR", "EXP_TYPE", "READPATT", "SUBARRAY", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2",
    "FASTAXIS", "SLOWAXIS", "NINTS", "NGROUPS", "NFRAMES", "GROUPGAP", "TFRAME", "TGROUP", "DATE-OBS", "TIME-OBS",
    "EXPSTART", "EXSEGNUM", "EXSEGTOT",
)  # fmt: skip
FORMAT = 4


def read_facts(path):
    """What the headers of the FITS file `path` say: `keywords`, `extensions` (name -> shape), or `problem`.

    OSError when the machine cannot read it.
    """
    # Every job of a cluster reads the workflow: where all headers are remembered it does without astropy.
    from badpix.whole_file import examine

    problem, said = examine(path, _said)
    return {"problem": problem} if problem else {"problem": None} | said


def _said(hdus):
    """What the headers of an open HDUList say, but for `problem`."""
    header = hdus[0].header
    return {
        # A card without a value, or with a complex one, says nothing.
        "keywords": {key: header[key] for key in KEYWORDS if isinstance(header.get(key), (str, int, float))},
        "extensions": {hdu.name: list(hdu.shape) for hdu in hdus[1:] if hdu.is_image},
        "bitpix": {hdu.name: hdu.header.get("BITPIX") for hdu in hdus[1:]},
    }


class HeaderCache:
    """The remembered headers, in a JSON file at `path` (None: remembered for this process only)."""

    def __init__(self, path):
        self.path = Path(path) if path else None
        self.folder = os.getcwd()
        self.known, self.fresh = {}, {}
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8")) if self.path else {}
            if stored.get("format") == FORMAT:
                self.known = {path: {"stamp": e["stamp"], "facts": e["facts"]} for path, e in stored["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # no cache, or not a whole one: the headers are read again

    def facts(self, path):
        """The facts of `path`, from memory if it has not changed since."""
        try:
            status = os.stat(path)
            key, stamp = os.path.join(self.folder, path), [status.st_size, status.st_mtime_ns]
            entry = self.known.get(key)
            if entry is None or entry["stamp"] != stamp:
                entry = {"stamp": stamp, "facts": read_facts(Path(path))}
        except OSError as error:  # not remembered: the file itself may be well, and need not change to be read
            return {"problem": f"cannot be read: {error.strerror}"}
        self.fresh[key] = entry
        return entry["facts"]

    def save(self):
        """Write what was looked at in this process, if it differs from what is stored and there is room for it."""
        if self.path and self.fresh != self.known:
            # Without it the headers are read again. On a full disk the jobs must still be able to say what is wrong.
            with suppress(OSError):
                write_text(self.path, json.dumps({"format": FORMAT, "files": self.fresh}))
