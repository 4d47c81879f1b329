"""Images in blocks of rows, so that the memory needed does not grow with their number."""

# Ramps of so many bytes are held at a time.
BLOCK_BYTES = 32 * 2**20


def row_blocks(n_rows, bytes_per_row, block_bytes=BLOCK_BYTES):
    """Slices that cut `n_rows` rows into blocks of about `block_bytes` (at least a row each)."""
    step = max(1, int(block_bytes // max(1, bytes_per_row)))
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]
