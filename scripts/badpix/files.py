"""Files that are either whole or not there."""

import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

from astropy.io import fits


@contextmanager
def atomic_path(path):
    """Yield a temporary name beside `path`; on success it is flushed to disk and renamed to `path`.

    A job that dies in between leaves no file of that name, so nothing half-written can be taken for done.
    The temporary name ends like `path` does, since astropy and the datamodels choose the format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".partial-", suffix="-" + path.name, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        # mkstemp makes files that only their owner may read; products are for the whole team.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def card_text(text):
    """`text` on one line of printable ASCII, which is all that a FITS header can hold; other characters are escaped."""
    line = " ".join(filter(None, map(str.strip, str(text).expandtabs(1).splitlines())))
    escaped = line.encode("ascii", "backslashreplace").decode()
    return re.sub(r"[^ -~]", lambda character: f"\\x{ord(character[0]):02x}", escaped)


def write_text(path, text):
    """Write `text` to `path`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def file_problem(path):
    """Why `path` is no whole FITS file, or None if it is one. Reads headers only."""
    try:
        size = path.stat().st_size
        if size == 0:
            return "the file is empty"
        with fits.open(path) as hdus:
            hdus.verify("silentfix")
            last = hdus.fileinfo(len(hdus) - 1)
            end = last["datLoc"] + last["datSpan"]
            # A compressed file's size says nothing about its contents.
            if path.suffix != ".gz" and end > size:
                return f"the file is truncated: {size} bytes, its headers promise {end}"
            # astropy leaves out what it cannot read as an extension, such as half a header.
            if path.suffix != ".gz" and end < size:
                return f"the file is damaged: its last {size - end} bytes are no extension that can be read"
    except Exception as error:  # astropy raises OSError, TypeError, ValueError, KeyError and more on damaged files
        return f"not readable as FITS: {type(error).__name__}: {error}"
    return None
