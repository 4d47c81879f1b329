"""Files that are either whole or not there."""

import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path


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
