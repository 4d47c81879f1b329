"""Limits of a single input: time and memory."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS, MEMORY_BYTES = 20, 2 * 2**30


class Hang(BaseException):
    """An input took more than SECONDS."""


@contextmanager
def limits() -> Iterator[None]:
    """In the block a memory of MEMORY_BYTES more than now gives MemoryError."""
    used = int(_pages()) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _pages() -> str:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return file.read().split()[0]


@contextmanager
def no_hang() -> Iterator[None]:
    """Raise Hang in the block after SECONDS."""

    def stop(*_):
        raise Hang(f"an input took more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
