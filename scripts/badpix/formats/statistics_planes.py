"""Reading of statistics planes: each is read once, verified meanwhile, and has the byte order of the machine."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.errors import ProductError
from badpix.formats.product_file import ALL_ONES, advice, folded, open_verified, provenance_of

# Bytes that are read, summed and swapped at a time: they stay in the cache of the processor.
CHUNK = 2**18
WORD = 4


class StatisticsPlanes:
    """The planes of one statistics file.

    `hdus` are the HDUs of a file of `badpix.formats.statistics_file`, or HDUs in memory. `sums` maps the extensions of
    a file to their sums; without it nothing is verified. The checksum of a plane covers all integrations: it is
    compared when the last of them is read.
    """

    def __init__(self, hdus: fits.HDUList, sums: Mapping[str, str] | None = None) -> None:
        self.hdus, self.sums = hdus, sums
        self.header: fits.Header = hdus[0].header
        self.names = [hdu.name for hdu in hdus]
        self.rows: Sequence[fits.FITS_record] = hdus["INTEGRATIONS"].data if "INTEGRATIONS" in hdus else ()
        self.n_integrations: int = hdus["SLOPE"].shape[0]
        self._partial: dict[str, dict[int, int]] = {}

    @property
    def exposure(self) -> str:
        """The name of the exposure or segment."""
        return str(self.header.get("EXPOSURE", ""))

    def read(self, name: str, integration: int, before: np.ndarray | None = None) -> np.ndarray:
        """The plane `name` of an integration (0-based): image (y, x), writable, in native byte order.

        Memory of the image `before` is used again if it fits. Raises ProductError for data that changed.
        """
        hdu = self.hdus[name]
        if self.hdus.filename() is None or not _is_plain(hdu):
            image = hdu.data[integration]
            return image.astype(image.dtype.newbyteorder("="))
        dtype, shape = np.dtype(_DTYPES[hdu.header["BITPIX"]]), hdu.shape[1:]
        if before is None or (before.dtype, before.shape) != (dtype, shape):
            before = np.empty(shape, dtype)
        n_bytes = before.nbytes
        total = self._fill(before, hdu.fileinfo()["datLoc"], integration * n_bytes)
        sums = self._partial.setdefault(name, {})
        sums[integration] = total
        if len(sums) == self.n_integrations and self.sums is not None:
            self._verify(name, sum(sums.values()))
        return before

    def _fill(self, image: np.ndarray, data_at: int, offset: int) -> int:
        """Fill `image` with the bytes at `offset` of the data that begin at `data_at`; returns their sum as words."""
        content, path, total = image.reshape(-1).view(np.uint8), self.hdus.filename(), 0
        shift = offset % WORD
        with Path(path).open("rb", buffering=0) as file:
            file.seek(data_at + offset)
            for start in range(0, content.size, CHUNK):
                part = content[start : start + CHUNK]
                if _read_into(file, part) < part.size:
                    raise ProductError(f"{path} is cut off; {advice(path)}")
                total += _sum_of(part, shift)
                if image.itemsize > 1:
                    part.view(image.dtype).byteswap(inplace=True)
        return total

    def _verify(self, name: str, total: int) -> None:
        """Raise ProductError unless header, data (the sum `total` of their words) and padding have the right sum."""
        hdu, path = self.hdus[name], self.hdus.filename()
        info = hdu.fileinfo()
        data_end = info["datLoc"] + int(np.prod(hdu.shape)) * abs(hdu.header["BITPIX"]) // 8
        with Path(path).open("rb", buffering=0) as file:
            for start, end in ((info["hdrLoc"], info["datLoc"]), (data_end, info["datLoc"] + info["datSpan"])):
                content = np.zeros(end - start, np.uint8)
                file.seek(start)
                _read_into(file, content)
                total += _sum_of(content, start % WORD)
        if folded(total) not in {ALL_ONES, int((self.sums or {}).get(name, ALL_ONES))}:
            raise ProductError(f"{path}: {name} changed after it was written (its checksum differs); {advice(path)}")


_DTYPES = {8: "u1", 16: "i2", 32: "i4", 64: "i8", -32: "f4", -64: "f8"}


def _is_plain(hdu: fits.ImageHDU) -> bool:
    """Whether the values are stored as they are: not compressed, and without scaling."""
    return isinstance(hdu, fits.ImageHDU) and not {"BZERO", "BSCALE", "BLANK"} & set(hdu.header)


def _read_into(file: FileIO, part: np.ndarray) -> int:
    """Fill `part` (bytes) from `file`; returns the number of bytes read, fewer at the end of the file."""
    view, n_read = part.data, 0
    while n_read < part.size and (n := file.readinto(view[n_read:])):
        n_read += n
    return n_read


def _sum_of(part: np.ndarray, shift: int) -> int:
    """Sum of the bytes `part` as big-endian words of 32 bits, the first byte at the place `shift` of a word."""
    if shift or part.size % WORD:
        padded = np.zeros(-(-(shift + part.size) // WORD) * WORD, np.uint8)
        padded[shift : shift + part.size] = part
        part = padded
    return int(part.view(">u4").sum(dtype=np.uint64))


@contextmanager
def open_planes(paths: Iterable[str | Path]) -> Iterator[list[StatisticsPlanes]]:
    """Open the statistics files of an exposure; ProductError where the table INTEGRATIONS or a header is damaged."""
    with ExitStack() as stack:
        yield [
            StatisticsPlanes(stack.enter_context(open_verified(path, ("INTEGRATIONS",))), provenance_of(path).sums)
            for path in paths
        ]
