"""Files that are either whole or not there."""

import errno
import glob
import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

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
