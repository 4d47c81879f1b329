"""Check that a file is a complete FITS file."""

import gzip
import io
import math
import re
import stat
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from astropy.io import fits

from badpix.core.files import is_machine_fault

GZIP_MAGIC = b"\x1f\x8b"
FITS_MAGIC = b"SIMPLE  ="
CHUNK_BYTES = 2**20
# Ramps with noise shrink to a half or a third; small files of a constant value may shrink to a thousandth.
MAX_RATIO, UNPACKED_FREELY = 50, 64 * 2**20
# All headers of a JWST file have some 0.1 MB. A header without its end would be read to the end of the file.
MAX_HEADER_BYTES = 8 * 2**20
MAX_DIGITS_OF_NAXIS = 3
_NAXIS = re.compile(rb"NAXIS   = *\+?0*(\d+)")


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
        compressed, problem = _kind(path)
        if problem:
            return problem, None
        size = _unpacked_size(path) if compressed else path.stat().st_size
        if size is None:
            return f"the compressed file unpacks to more than {MAX_RATIO} times its size", None
        with _opened(path, compressed) as file, fits.open(_Headers(file), memmap=False) as hdus:
            card_problem = _card_problem(hdus)
            hdus.verify("silentfix")
            if hdus[0].header.get("SIMPLE") is not True:
                return f"not readable as FITS: SIMPLE is {hdus[0].header.get('SIMPLE')}, not True", None
            last = hdus[-1].fileinfo()
            end = last["datLoc"] + last["datSpan"]
            if end > size:
                return f"the file is truncated: {size} bytes, its headers announce {end}", None
            # astropy ignores bytes that it cannot read as an extension, such as half a header.
            if end < size:
                return f"the file is damaged: its last {size - end} bytes are no extension that can be read", None
            return (card_problem, None) if card_problem else (None, read(hdus))
    except _EndlessHeader:
        return f"the file is damaged: its headers do not end within {MAX_HEADER_BYTES / 2**20:.0f} MB", None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return f"the compressed file is truncated or damaged: {error}", None
    except Exception as error:  # astropy raises OSError, TypeError, ValueError, KeyError and more on damaged files
        if is_machine_fault(error):
            raise
        return f"not readable as FITS: {type(error).__name__}: {' '.join(str(error).split())}", None


def _card_problem(hdus: fits.HDUList) -> str | None:
    """The first card whose value cannot be read; jobs read files without the repairs of `verify`."""
    for hdu in hdus:
        for card in hdu.header.cards:
            try:
                if isinstance(card.value, float) and not math.isfinite(card.value):
                    return f"{card.keyword} is {card.value}, which no FITS header can have"
            except (fits.VerifyError, ValueError) as error:
                return f"not readable as FITS: {type(error).__name__}: {' '.join(str(error).split())}"
    return None


class _EndlessHeader(Exception):
    """The headers of a file have more than MAX_HEADER_BYTES."""


class _Headers(io.RawIOBase):
    """A file for the reading of headers: at most MAX_HEADER_BYTES can be read, anywhere in the file."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.left = file, MAX_HEADER_BYTES

    def read(self, size: int = -1) -> bytes:
        found = self.file.read(self.left + 1 if size < 0 else size)
        self.left -= len(found)
        if self.left < 0:
            raise _EndlessHeader
        # astropy would count up to any number of axes.
        if any(len(digits) > MAX_DIGITS_OF_NAXIS for digits in _NAXIS.findall(found)):
            raise ValueError("NAXIS is larger than 999")
        return found

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def _opened(path: Path, compressed: bool) -> BinaryIO:
    return gzip.open(path) if compressed else path.open("rb")  # type: ignore[return-value]


def _kind(path: Path) -> tuple[bool, str | None]:
    """(True for a file compressed by gzip, None), or (False, the problem of a file that is neither this nor FITS)."""
    with path.open("rb") as file:
        first = file.read(len(FITS_MAGIC))
    if not first:
        return False, "the file is empty"
    compressed = first.startswith(GZIP_MAGIC)
    if compressed:
        with gzip.open(path) as file:
            first = file.read(len(FITS_MAGIC))
    if not first.startswith(FITS_MAGIC):
        # astropy would unpack files of further kinds, such as zip, to any size.
        return False, f"not readable as FITS: it begins with {first!r}, not with {FITS_MAGIC.decode()!r}"
    return compressed, None


def _unpacked_size(path: Path) -> int | None:
    """Size (bytes) of the contents of a file compressed by gzip, which is read to its end; None if far too large."""
    limit = max(UNPACKED_FREELY, MAX_RATIO * path.stat().st_size)
    size = 0
    with gzip.open(path) as file:
        while block := file.read(CHUNK_BYTES):
            size += len(block)
            if size > limit:
                return None
    return size
