"""Images in blocks of rows, which bound the memory needed."""

from collections.abc import Callable, Iterator

import numpy as np

# Default size of a block.
BLOCK_BYTES = 32 * 2**20
# Blocks of this size, with the results of several operations on them, stay in the cache of the processor.
CACHE_BYTES = 2**18


def row_blocks(n_rows: int, bytes_per_row: int, block_bytes: int = BLOCK_BYTES) -> list[slice]:
    """Slices that divide `n_rows` rows into blocks of at most `block_bytes`, but at least a row each."""
    step = max(1, int(block_bytes // max(1, bytes_per_row)))
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def cached_blocks(like: np.ndarray) -> Iterator[slice]:
    """Slices of the rows of `like` (an array with at least one row) in blocks for the cache of the processor."""
    yield from row_blocks(len(like), like[:1].nbytes, CACHE_BYTES)


def in_blocks(like: np.ndarray, function: Callable[[slice], np.ndarray]) -> np.ndarray:
    """A float32 array of the shape of `like`, whose `rows` are `function(rows)`, block by block."""
    result = np.empty(like.shape, np.float32)
    for rows in cached_blocks(like):
        result[rows] = function(rows)
    return result
