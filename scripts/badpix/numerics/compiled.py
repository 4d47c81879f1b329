"""Loops compiled by numba.

Compiled code is kept between runs, beside its file or, where that cannot be written, in the user's cache directory.
"""

import numba

# Straight insertion was faster than numba's own sorting up to some 150 values.
FEW = 128


def compiled(function):
    """`function` compiled when it is first called, and kept if there is a place for it."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no directory that can be written: compiled in every process
        return numba.njit(nogil=True)(function)


@compiled
def put_in_order(values, number):
    """Sort the first `number` of `values` in place: by straight insertion if they are few."""
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
