"""Loops compiled by numba.

Compiled code is kept between runs beside its source file or, if that directory is not writable, in the user's cache
directory.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable)

# Insertion sort was faster than numba's sort up to about 150 values.
FEW = 128


def compiled(function: F) -> F:
    """`function`, compiled at its first call; the compiled code is kept if a directory is writable."""
    try:
        return cast("F", numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no writable directory: compiled in every process
        return cast("F", numba.njit(nogil=True)(function))


@compiled
def put_in_order(values: np.ndarray, number: int) -> None:
    """Sort the first `number` of `values`, one axis, in place; by insertion sort up to FEW values."""
    if number > FEW:
        values[:number].sort()
        return
    for i in range(1, number):
        value = values[i]
        j = i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value
