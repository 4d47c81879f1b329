"""Files that are either complete or absent, and errors of the machine."""

import errno
import glob
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The random part of a name by `tempfile`, between prefix and suffix.
_RANDOM = "?" * 8


def stale(parent: str | Path, prefix: str, suffix: str = "") -> list[Path]:
    """The temporary files and directories in `parent` with `prefix` and `suffix` that killed jobs left behind."""
    return list(Path(parent).glob(glob.escape(prefix) + _RANDOM + glob.escape(suffix)))


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success the file is flushed to disk and renamed to `path`.

    A job that is killed leaves no incomplete file named `path`; the next job that writes `path` removes the temporary
    file. The temporary name ends with the name of `path`, since astropy and the datamodels choose the format by the
    suffix, and is ASCII, since the datamodels write it into the header.
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
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        # mkstemp makes files that only their owner may read; products are for the team.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def card_text(text: object) -> str:
    """`text` as one line of printable ASCII, as FITS requires; non-printable and non-ASCII characters are escaped."""
    plain = str(text)
    # Nearly all names; the inventory asks for those of thousands of exposures before each run.
    if plain.isascii() and plain.isprintable():
        return plain.strip()
    line = " ".join(filter(None, map(str.strip, plain.expandtabs(1).splitlines())))
    escaped = line.encode("ascii", "backslashreplace").decode()
    return re.sub(r"[^ -~]", lambda character: f"\\x{ord(character[0]):02x}", escaped)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path`, completely or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


# Faults of the file: a damaged header leads to an offset that no file can have.
_FILE_ERRNOS = {errno.EINVAL, errno.EOVERFLOW}
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


def no_space(error: BaseException | None) -> bool:
    """True when a full disk is the cause of `error`, directly or through a chain of exceptions."""
    while error is not None:
        # astropy's own error has a text, but no errno.
        if isinstance(error, OSError) and (error.errno in _NO_SPACE or "Not enough space on disk" in str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_machine_fault(error: BaseException) -> bool:
    """True for errors of the machine, not of the data: they must fail the job, so that the next run repeats it."""
    if isinstance(error, (MemoryError, KeyboardInterrupt, SystemExit)) or no_space(error):
        return True
    return isinstance(error, OSError) and error.errno is not None and error.errno not in _FILE_ERRNOS
