"""Arrays in a page: a compressed block of little-endian numbers, and a list of the arrays in it."""

import base64
import gzip

import numpy as np

DTYPES = {"uint8": "Uint8Array", "int16": "Int16Array", "uint16": "Uint16Array", "int32": "Int32Array",
          "uint32": "Uint32Array", "float32": "Float32Array"}  # fmt: skip
# Typed arrays of JavaScript start at multiples of their item size.
ALIGNMENT = 4


class Pack:
    """Collects named arrays; `manifest` has the type, start (bytes), count and columns of each array in the block."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0
        self.manifest: dict[str, dict[str, str | int]] = {}

    def add(self, name: str, array: np.ndarray) -> None:
        """Add an array (at most two axes) under `name`; ValueError unless its dtype is in DTYPES."""
        array = np.ascontiguousarray(array)
        kind = array.dtype.name
        if kind not in DTYPES:
            raise ValueError(f"{name}: dtype {kind} cannot be packed; allowed are {', '.join(DTYPES)}")
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        columns = 1 if array.ndim == 1 else array.shape[1]
        self.manifest[name] = {"type": DTYPES[kind], "start": self.size, "count": array.size, "columns": columns}
        padding = -len(data) % ALIGNMENT
        self.parts += [data, b"\0" * padding]
        self.size += len(data) + padding

    def base64(self) -> str:
        """The block, compressed with gzip, as text."""
        return base64.b64encode(gzip.compress(b"".join(self.parts), 6, mtime=0)).decode()
