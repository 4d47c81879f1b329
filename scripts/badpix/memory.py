"""How a process that works on large arrays gets its memory."""

import ctypes

# Of malloc.h; see mallopt(3).
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
NEVER, NONE = -1, 0


def keep_freed_memory():
    """Let the C library keep the memory of arrays that are freed for those that follow; True where it can.

    By default glibc gives the memory of every large array back to the system, which hands it out again page by page,
    each cleared: a quarter of the time that detector1 spends in the system. Elsewhere nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # not glibc
        return False
    return bool(mallopt(M_MMAP_MAX, NONE) and mallopt(M_TRIM_THRESHOLD, NEVER))
