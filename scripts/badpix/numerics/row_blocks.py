"""Images in blocks of rows, which bound the memory needed."""

# Default size of a block.
BLOCK_BYTES = 32 * 2**20


def row_blocks(n_rows: int, bytes_per_row: int, block_bytes: int = BLOCK_BYTES) -> list[slice]:
    """Slices that divide `n_rows` rows into blocks of at most `block_bytes`, but at least a row each."""
    step = max(1, int(block_bytes // max(1, bytes_per_row)))
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]
