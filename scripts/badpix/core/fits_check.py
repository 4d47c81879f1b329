"""Check that a file is a complete FITS file."""

import gzip
import stat
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from astropy.io import fits

from badpix.core.files import is_machine_fault

GZIP_MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 2**20


def file_problem(path: Path) -> str | None:
    """The reason why `path` is not a complete FITS file, or None. Reads headers only, but all of a compressed file.

    Errors of the machine are raised as OSError, since the file itself may be sound.
    """
    return examine(path, lambda _: None)[0]


def examine(path: Path, read: Callable[[fits.HDUList], Any]) -> tuple[str | None, Any]:
    """(the `file_problem` of `path`, None) or, if there is no problem, (None, the result of `read`).

    `read` takes the open and verified HDUList. Its errors count as problems of the file, since astropy parses the value
    of a card on access only.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        # A named pipe would block its reader for ever.
        return f"it is {'a directory' if stat.S_ISDIR(mode) else 'no regular file'}, not a FITS file", None
    try:
        size = _size(path)
        if size == 0:
            return "the file is empty", None
        with fits.open(path) as hdus:
            hdus.verify("silentfix")
            if hdus[0].header.get("SIMPLE") is not True:
                return f"not readable as FITS: SIMPLE is {hdus[0].header.get('SIMPLE')}, not True", None
            last = hdus.fileinfo(len(hdus) - 1)
            end = last["datLoc"] + last["datSpan"]
            if end > size:
                return f"the file is truncated: {size} bytes, its headers announce {end}", None
            # astropy ignores bytes that it cannot read as an extension, such as half a header.
            if end < size:
                return f"the file is damaged: its last {size - end} bytes are no extension that can be read", None
            return None, read(hdus)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return f"the compressed file is truncated or damaged: {error}", None
    except Exception as error:  # astropy raises OSError, TypeError, ValueError, KeyError and more on damaged files
        if is_machine_fault(error):
            raise
        return f"not readable as FITS: {type(error).__name__}: {' '.join(str(error).split())}", None


def _size(path: Path) -> int:
    """Size (bytes) of the uncompressed contents of a file; a compressed file, of any name, is read to its end."""
    with path.open("rb") as file:
        compressed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    if not compressed:
        return path.stat().st_size
    with gzip.open(path) as file:
        return sum(map(len, iter(lambda: file.read(CHUNK_BYTES), b"")))
