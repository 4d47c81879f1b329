"""Memory of the process, with the C library of Linux (glibc); with another one nothing happens."""

import ctypes
import gc
from contextlib import suppress

# Parameters of mallopt (malloc.h).
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
# Images are larger, and most other arrays are smaller.
IMAGE_BYTES = 4 * 2**20


def return_images() -> None:
    """Give the memory of each freed image back to the system; call it before threads begin.

    By default the library keeps it, separately for each thread.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(M_ARENA_MAX, 1)
        library.mallopt(M_MMAP_THRESHOLD, IMAGE_BYTES)


def return_free_memory() -> None:
    """Give all freed memory back to the system."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
