"""Files that are either whole or not there."""

import errno
import glob
import gzip
import os
import re
import stat
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path

from astropy.io import fits

GZIP_MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 2**20
# What `tempfile` puts between its prefix and its suffix.
_RANDOM = "?" * 8


def stale(parent, prefix, suffix=""):
    """What killed jobs left in `parent` of the temporary names made with `prefix` and `suffix`."""
    return [Path(name) for name in glob.glob(glob.escape(f"{parent}/{prefix}") + _RANDOM + glob.escape(suffix))]


@contextmanager
def atomic_path(path):
    """Yield a temporary name beside `path`; on success it is flushed to disk and renamed to `path`.

    A job that dies in between leaves no file of that name, so nothing half-written can be taken for done; the next
    job that writes `path` takes its temporary file away.
    The temporary name ends like `path` does, since astropy and the datamodels choose the format by it; it is ASCII,
    since the datamodels write it into the header.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = "-" + card_text(path.name)
    for left in stale(path.parent, ".partial-", suffix):
        left.unlink(missing_ok=True)
    handle, name = tempfile.mkstemp(prefix=".partial-", suffix=suffix, dir=path.parent)
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
    """Why `path` is no whole FITS file, or None if it is one. Reads headers only, but all of a compressed file.

    What the machine cannot read goes through as OSError: it says nothing about the file.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        # A named pipe would make its reader wait for ever.
        return f"it is {'a directory' if stat.S_ISDIR(mode) else 'no regular file'}, not a FITS file"
    try:
        size = _size(path)
        if size == 0:
            return "the file is empty"
        with fits.open(path) as hdus:
            hdus.verify("silentfix")
            if hdus[0].header.get("SIMPLE") is not True:
                return f"not readable as FITS: SIMPLE is {hdus[0].header.get('SIMPLE')}, not True"
            last = hdus.fileinfo(len(hdus) - 1)
            end = last["datLoc"] + last["datSpan"]
            if end > size:
                return f"the file is truncated: {size} bytes, its headers promise {end}"
            # astropy leaves out what it cannot read as an extension, such as half a header.
            if end < size:
                return f"the file is damaged: its last {size - end} bytes are no extension that can be read"
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return f"the compressed file is truncated or damaged: {error}"
    except Exception as error:  # astropy raises OSError, TypeError, ValueError, KeyError and more on damaged files
        if is_machine_fault(error):
            raise
        return f"not readable as FITS: {type(error).__name__}: {' '.join(str(error).split())}"
    return None


def _size(path):
    """Size in bytes of the file's contents; a compressed file, whatever its name, is read to its end for that."""
    with open(path, "rb") as file:
        compressed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    if not compressed:
        return path.stat().st_size
    with gzip.open(path) as file:
        return sum(map(len, iter(lambda: file.read(CHUNK_BYTES), b"")))


# The call is right and the machine fails it. EINVAL is what seeking to where a damaged header points gives.
_FILE_ERRNOS = {errno.EINVAL, errno.EOVERFLOW}
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


def no_space(error):
    """True when a full disk is the cause of `error`, which need not say so itself."""
    while error is not None:
        # astropy says so in words alone.
        if isinstance(error, OSError) and (error.errno in _NO_SPACE or "Not enough space on disk" in str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_machine_fault(error):
    """True for errors of the machine, not of what it works on: they must fail the job, so that it is tried again."""
    if isinstance(error, (MemoryError, KeyboardInterrupt, SystemExit)) or no_space(error):
        return True
    return isinstance(error, OSError) and error.errno is not None and error.errno not in _FILE_ERRNOS
