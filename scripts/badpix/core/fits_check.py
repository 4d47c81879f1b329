"""Whether a file is a whole FITS file."""

import gzip
import stat
import zlib

from astropy.io import fits

from badpix.core.files import is_machine_fault

GZIP_MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 2**20


def file_problem(path):
    """Why `path` is no whole FITS file, or None if it is one. Reads headers only, but all of a compressed file.

    What the machine cannot read goes through as OSError: it says nothing about the file.
    """
    return examine(path)[0]


def examine(path, look=lambda hdus: None):
    """`file_problem` and, if there is none, what `look` makes of the open and verified HDUList: (problem, result).

    What is wrong with a card is noticed only when its value is asked for, so `look` may find a problem as well.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        # A named pipe would make its reader wait for ever.
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
                return f"the file is truncated: {size} bytes, its headers promise {end}", None
            # astropy leaves out what it cannot read as an extension, such as half a header.
            if end < size:
                return f"the file is damaged: its last {size - end} bytes are no extension that can be read", None
            return None, look(hdus)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return f"the compressed file is truncated or damaged: {error}", None
    except Exception as error:  # astropy raises OSError, TypeError, ValueError, KeyError and more on damaged files
        if is_machine_fault(error):
            raise
        return f"not readable as FITS: {type(error).__name__}: {' '.join(str(error).split())}", None


def _size(path):
    """Size in bytes of the file's contents; a compressed file, whatever its name, is read to its end for that."""
    with open(path, "rb") as file:
        compressed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    if not compressed:
        return path.stat().st_size
    with gzip.open(path) as file:
        return sum(map(len, iter(lambda: file.read(CHUNK_BYTES), b"")))
