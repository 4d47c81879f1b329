"""Threads for compiled code and numpy, which both release the lock of the interpreter."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


class Workers:
    """Runs tasks in threads, begun in the order of `start`; without a pool each runs at once, in the caller.

    A task may wait for tasks that were started before it.
    """

    def __init__(self, pool: ThreadPoolExecutor | None = None) -> None:
        self.pool = pool

    def start(self, function: Callable, *arguments: Any) -> Future:
        """Start a task; its `result` waits for it, and raises its error."""
        if self.pool is not None:
            return self.pool.submit(function, *arguments)
        done: Future = Future()
        done.set_result(function(*arguments))
        return done


ONE = Workers()


@contextmanager
def workers_of(threads: int) -> Iterator[Workers]:
    """The Workers of a job with so many `threads`."""
    if threads < 2:
        yield ONE
        return
    with ThreadPoolExecutor(max_workers=threads) as pool:
        yield Workers(pool)
