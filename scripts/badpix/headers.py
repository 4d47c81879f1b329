"""Read the header of each input file once, and remember it.

The cache is keyed by path, size and time of modification, so a file that changes is read again. It is what keeps
parsing cheap when the same thousands of exposures are looked at in every run.
"""

import json
import os
from contextlib import suppress
from pathlib import Path

from badpix.files import write_text
from badpix.many_headers import read_many

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


def stamp_of(path):
    """What changes when a file does: [size in bytes, time of modification in ns]."""
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns]


def read_entry(path):
    """What is remembered of `path`, a dict of its `stamp` and `facts`; OSError when the machine cannot read it."""
    return {"stamp": stamp_of(path), "facts": read_facts(Path(path))}


def _said(hdus):
    """What the headers of an open HDUList say, but for `problem`."""
    return {
        "keywords": _keywords(hdus[0].header),
        "extensions": {hdu.name: list(hdu.shape) for hdu in hdus[1:] if hdu.is_image},
        "bitpix": {hdu.name: hdu.header.get("BITPIX") for hdu in hdus[1:]},
    }


def _keywords(header):
    """The KEYWORDS of a FITS header that have a value; a complex one says nothing."""
    found = {}
    # A pass over the cards: asking the header for 22 keywords takes twice as long.
    for card in header.cards:
        if card.keyword in KEYWORDS and card.keyword not in found and isinstance(card.value, (str, int, float)):
            found[card.keyword] = card.value
    return found


class HeaderCache:
    """The remembered headers, in a JSON file at `path` (None: remembered for this process only)."""

    def __init__(self, path):
        self.path = Path(path) if path else None
        self.folder = os.getcwd()
        self.known, self.fresh, self.read_now = {}, {}, {}
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8")) if self.path else {}
            if stored.get("format") == FORMAT:
                self.known = {path: {"stamp": e["stamp"], "facts": e["facts"]} for path, e in stored["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # no cache, or not a whole one: the headers are read again

    def look_at(self, paths):
        """Read what is not remembered of `paths` now, by several processes if it is much; `facts` has it then."""
        new = []
        for path in map(str, paths):
            with suppress(OSError):  # `facts` says what is wrong
                if self._remembered(path, stamp_of(path)) is None:
                    new.append(path)
        self.read_now = {self._key(path): entry for path, entry in read_many(new).items()}

    def facts(self, path):
        """The facts of `path`, from memory if it has not changed since."""
        try:
            entry = self._remembered(path, stamp_of(path)) or read_entry(path)
        except OSError as error:  # not remembered: the file itself may be well, and need not change to be read
            return {"problem": f"cannot be read: {error.strerror}"}
        self.fresh[self._key(path)] = entry
        return entry["facts"]

    def _key(self, path):
        return os.path.join(self.folder, path)

    def _remembered(self, path, stamp):
        """The entry of `path`, None if there is none with this stamp."""
        entries = (store.get(self._key(path)) for store in (self.read_now, self.known))
        return next((entry for entry in entries if entry and entry["stamp"] == stamp), None)

    def save(self):
        """Write what was looked at in this process, if it differs from what is stored and there is room for it."""
        if self.path and self.fresh != self.known:
            # Without it the headers are read again. On a full disk the jobs must still be able to say what is wrong.
            with suppress(OSError):
                write_text(self.path, json.dumps({"format": FORMAT, "files": self.fresh}))
