"""Read the small text files that a user gives: regular files only, of a limited size."""

import os
import stat
from pathlib import Path

# A table of manual flags of each pixel of a detector has 80 MB.
MAX_BYTES = 200 * 2**20


def read_text(path: str | Path, limit: int = MAX_BYTES) -> str:
    """The text, in UTF-8, of the regular file `path` of at most `limit` bytes.

    OSError for a file of another kind (a named pipe would block its reader for ever, a device has no end), a larger
    file, and a file that cannot be read; UnicodeDecodeError, a ValueError, for other bytes than UTF-8.
    """
    # Without O_NONBLOCK, opening a named pipe waits for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise OSError(f"{path} is {'a directory' if stat.S_ISDIR(mode) else 'no regular file'}")
    with os.fdopen(descriptor, "rb") as file:
        # The size of some files, as those in /proc, is given as 0.
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(f"{path} has more than {limit / 2**20:.0f} MB")
    return content.decode()
