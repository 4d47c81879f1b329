"""Files that the workflow makes and reads again: written with checksums and a provenance, verified when they are read.

Every HDU of our own files has CHECKSUM and DATASUM (FITS standard 4.0, section 4.4.2.7). The products of the pipeline
get only the table PROVENANCE at their end, with a sum of each HDU that the workflow reads: to write the keywords into
their headers, a whole file would be written once more.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.errors import ProductError
from badpix.core.files import atomic_path, is_machine_fault
from badpix.core.fits_table import table_hdu
from badpix.formats.provenance import (
    BLOCK,
    COLUMNS,
    EXTENSION,
    NoProvenance,
    Provenance,
    different_setting,
    read_provenance,
    table_at_end,
)

# Name of the primary HDU, also in HDUList.
PRIMARY = "PRIMARY"
ALL_ONES = 0xFFFFFFFF
# Words of 32 bits summed at a time: they stay in the cache of the processor.
CHUNK, WORD = 2**16, 4


def write_product(path: str | Path, hdus: list, provenance: Provenance) -> None:
    """Write `hdus`, the primary HDU first, with checksums and `provenance` to `path`, completely or not at all."""
    for hdu in hdus:
        hdu.add_checksum()
    sums = {PRIMARY if hdu is hdus[0] else hdu.name: hdu.header["DATASUM"] for hdu in hdus}
    with atomic_path(path) as temporary:
        fits.HDUList([*hdus, _provenance_hdu(provenance, sums)]).writeto(temporary, overwrite=True)


def append_provenance(path: str | Path, provenance: Provenance, planes: Iterable[str]) -> None:
    """Append `provenance`, with the sums of the extensions `planes`, to the complete FITS file `path`."""
    with fits.open(path) as hdus:
        sums = {name: str(hdu_sum(hdus[0 if name == PRIMARY else name], path)) for name in (PRIMARY, *planes)}
    content = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), _provenance_hdu(provenance, sums)]).writeto(content)
    with Path(path).open("ab") as file:
        file.write(content.getvalue()[BLOCK:])


def _provenance_hdu(provenance: Provenance, sums: Mapping[str, str]) -> fits.BinTableHDU:
    """The table PROVENANCE with these `sums` (extension -> sum)."""
    rows = replace(provenance, sums=sums).rows()
    columns = zip(*rows, strict=True)
    hdu = table_hdu(EXTENSION, {name: list(texts) for name, texts in zip(COLUMNS, columns, strict=True)})
    hdu.add_checksum()
    return hdu


def hdu_sum(hdu: fits.PrimaryHDU | fits.ImageHDU | fits.BinTableHDU, path: str | Path, data_only: bool = False) -> int:
    """The checksum of an HDU of the open file `path`, header and data (FITS standard 4.0, appendix J): 32 bits.

    ALL_ONES for an HDU with a right keyword CHECKSUM. With `data_only` the value for the keyword DATASUM.
    """
    # fileinfo of the HDUList takes ten times as long: it looks at the headers of all HDUs.
    info = hdu.fileinfo()
    start = info["datLoc"] if data_only else info["hdrLoc"]
    n_bytes = info["datLoc"] + info["datSpan"] - start
    if start + n_bytes > Path(path).stat().st_size:
        raise ProductError(f"{path}: {hdu.name} is cut off; {advice(path)}")
    return sum_of(np.memmap(path, ">u4", "r", start, n_bytes // WORD)) if n_bytes else 0


def sum_of(content: np.ndarray) -> int:
    """The sum of the words of 32 bits `content`, as in `hdu_sum`."""
    return folded(sum(int(content[i : i + CHUNK].sum(dtype=np.uint64)) for i in range(0, len(content), CHUNK)))


def folded(total: int) -> int:
    """A sum of words as a ones' complement sum of 32 bits."""
    while total > ALL_ONES:
        total = (total & ALL_ONES) + (total >> 32)
    return total


def check_datasum(hdus: fits.HDUList, extension: str) -> None:
    """Raise ProductError where an extension of an open file has a keyword DATASUM that its data do not have."""
    hdu = hdus[extension]
    expected = str(hdu.header.get("DATASUM", "")).strip()
    # The bytes of a compressed file are not those of its HDUs.
    if not expected.isdigit() or hdu.fileinfo()["file"].compression:
        return
    if hdu_sum(hdu, hdus.filename(), data_only=True) != int(expected):
        raise ProductError(
            f"{hdus.filename()}: the data of {extension} changed after they were written (DATASUM differs); restore the"
            " file or, if the change was intended, renew its checksums (add_checksum of astropy.io.fits)"
        )


def verify(hdus: fits.HDUList, provenance: Provenance, planes: Iterable[str] | None = None) -> None:
    """Raise ProductError unless the HDUs of an open file have the sums of its `provenance`.

    `planes` are the extensions to verify, and with them the primary header; default: all.
    """
    path, listed = hdus.filename(), provenance.sums
    names = list(listed) if planes is None else [PRIMARY, *(name for name in planes if name in listed)]
    found = {PRIMARY: hdus[0]}
    if names != [PRIMARY]:  # reading all headers takes ten times as long
        # Of several extensions of a name, readers take the first.
        found |= {hdu.name: hdu for hdu in reversed(hdus[1:])}
    for name in names:
        if name not in found:
            raise ProductError(f"{path}: extension {name} is missing; {advice(path)}")
        # The pipeline may copy a CHECKSUM of the raw file, which is wrong in its product: the listed sum counts too.
        _require_sum(path, name, hdu_sum(found[name], path), listed)
    _require_sum(path, EXTENSION, sum_of(np.frombuffer(table_at_end(path), ">u4")), {})


def _require_sum(path: str | Path, name: str, total: int, listed: Mapping[str, str]) -> None:
    """Raise ProductError unless `total` is the sum of the HDU `name`: that of a right CHECKSUM, or the `listed` sum."""
    if total not in {ALL_ONES, int(listed.get(name, ALL_ONES))}:
        raise ProductError(f"{path}: {name} changed after it was written (its checksum differs); {advice(path)}")


def require_settings(path: str | Path, expected: Mapping[str, object] | None) -> None:
    """Raise ProductError unless the product was made with the `expected` settings (key -> value); None: any.

    Settings that one of the two lacks are not compared: given files have no settings of the pipeline.
    """
    if expected and (difference := different_setting(provenance_of(path).settings, expected)):
        raise ProductError(f"{path} was made with other settings: {difference}; {advice(path)}")


def advice(path: str | Path) -> str:
    """What to do about a damaged product."""
    return f"remove {path} and run again: it will be made anew"


def provenance_of(path: str | Path) -> Provenance:
    """The Provenance of a product; ProductError if it has none."""
    try:
        return read_provenance(path)
    except NoProvenance as reason:
        raise ProductError(f"{path}: {reason}; {advice(path)}") from reason


@contextmanager
def open_verified(
    path: str | Path, planes: Iterable[str] | None = None, is_ours: bool = True
) -> Iterator[fits.HDUList]:
    """Open a product memory-mapped after its data are verified (`planes` as in `verify`); ProductError if damaged.

    A file that is not certainly ours may lack a provenance; its data are not verified then. With checksums it is ours.
    """
    provenance = missing = None
    try:
        provenance = provenance_of(path)
    except ProductError as error:
        if is_ours:
            raise
        missing = error
    try:
        hdus = fits.open(path)
    except Exception as error:
        raise _unreadable(path, error) from error
    with hdus:
        try:
            if provenance:
                verify(hdus, provenance, planes)
            elif missing and any("CHECKSUM" in hdu.header for hdu in hdus):
                raise missing
        except ProductError:
            raise
        except Exception as error:  # astropy raises many types of errors for a damaged header
            raise _unreadable(path, error) from error
        try:
            yield hdus
        except Exception as error:
            if provenance or isinstance(error, (ProductError, ValueError)):
                raise
            # Damage that no checksum shows appears when a part is read.
            raise _unreadable(path, error) from error


def require_unchanged(path: str | Path, planes: Iterable[str]) -> None:
    """Raise ProductError unless the `planes` of a product are as they were written."""
    with open_verified(path, planes):
        pass


def _unreadable(path: str | Path, error: Exception) -> Exception:
    """`error` itself if it is a fault of the machine, else a ProductError."""
    if is_machine_fault(error):
        return error
    return ProductError(f"{path}: not readable as FITS: {error}; {advice(path)}")
