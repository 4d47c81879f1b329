"""For each exposure the medians of all other exposures, in a memory that does not grow with their number."""

import tempfile
from collections.abc import Iterable, Mapping
from typing import Self

import numpy as np

from badpix.comparison.robust import median_of_others, medians_without_one

# Memory of the values of all exposures that are sorted together.
BLOCK_BYTES = 2**22


class Others:
    """The values of some quantities (name -> float32 array) of all exposures, in a temporary file.

    Each exposure has the same quantities with the same shapes. Raises OSError when the disk of temporary files is full.
    """

    def __init__(self, exposures: Iterable[Mapping[str, np.ndarray]]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._number, self._size = 0, 0
        for values in exposures:
            self._shapes = {name: array.shape for name, array in values.items()}
            record = np.concatenate([array.ravel() for array in values.values()]).astype(np.float32, copy=False)
            self._file.write(record.tobytes())
            self._number, self._size = self._number + 1, record.size
        width = max(1, BLOCK_BYTES // (self._number * np.dtype(np.float32).itemsize))
        starts = range(0, self._size, width)
        of_blocks = [medians_without_one(self._block(start, min(start + width, self._size))) for start in starts]
        self._medians = np.concatenate(of_blocks, axis=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _block(self, start: int, stop: int) -> np.ndarray:
        """The values from `start` to `stop` of the record of each exposure: float32 (exposure, value)."""
        return np.array([self._read(number, start, stop) for number in range(self._number)])

    def _read(self, number: int, start: int, stop: int) -> np.ndarray:
        itemsize = np.dtype(np.float32).itemsize
        self._file.seek((number * self._size + start) * itemsize)
        return np.frombuffer(self._file.read((stop - start) * itemsize), np.float32)

    def of(self, number: int) -> dict[str, np.ndarray]:
        """The medians of all exposures but `number`: quantity -> array."""
        record = median_of_others(self._read(number, 0, self._size), self._medians)
        ends = np.cumsum([int(np.prod(shape)) for shape in self._shapes.values()])
        parts = np.split(record, ends[:-1])
        return {name: part.reshape(shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)}
