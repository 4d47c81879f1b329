"""Arrays in a page: one compressed block of little-endian numbers, and a list of what is where in it."""

import base64
import gzip

import numpy as np

DTYPES = {"uint8": "Uint8Array", "int16": "Int16Array", "uint16": "Uint16Array", "int32": "Int32Array",
          "uint32": "Uint32Array", "float32": "Float32Array"}  # fmt: skip
# Typed arrays of JavaScript start at multiples of their item size.
ALIGNMENT = 4


class Pack:
    """Collects named arrays; `manifest` says where in the block of `base64` each of them is."""

    def __init__(self):
        self.parts, self.size, self.manifest = [], 0, {}

    def add(self, name, array):
        """Add an array (at most two axes) under `name`; int64 and float64 are refused."""
        array = np.ascontiguousarray(array)
        kind = array.dtype.name
        if kind not in DTYPES:
            raise ValueError(f"{name}: {kind} has no place in a page")
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        columns = 1 if array.ndim == 1 else array.shape[1]
        self.manifest[name] = {"type": DTYPES[kind], "start": self.size, "count": array.size, "columns": columns}
        padding = -len(data) % ALIGNMENT
        self.parts += [data, b"\0" * padding]
        self.size += len(data) + padding

    def base64(self):
        """The block, compressed with gzip, as text."""
        return base64.b64encode(gzip.compress(b"".join(self.parts), 6, mtime=0)).decode()
