"""The headers of a plain FITS file, from its header blocks alone: astropy takes ten times as long.

Only files are accepted whose cards and sizes all have the plain form of the FITS standard. The rest is left to astropy:
compressed files and images, wanted values in several cards, names of several extensions, anything that astropy would
repair.
"""

import math
import re
import stat
from collections.abc import Collection, Sequence, Set
from io import FileIO
from pathlib import Path
from typing import Any, TypedDict

# Header keywords with their values: str, int, float or bool.
Keywords = dict[str, Any]


class HeaderInfo(TypedDict, total=False):
    """Header information of a file, of types that JSON can hold; a file with a `problem` has no further entries.

    `steps` are the recorded parameters of the pipeline's steps (`badpix.exposures.step_parameters`) of a product.
    """

    problem: str | None
    keywords: Keywords
    extensions: dict[str, list[int]]
    bitpix: dict[str, int]
    steps: dict[str, dict[str, str]] | None


BLOCK, CARD = 2880, 80
# Bytes per read. A header of a JWST file ends within a few blocks, and the next header often lies in the same read.
READ = 8 * BLOCK
# A longer header is left to astropy; a header without its end would be read to the end of the file.
MAX_CARDS = 10_000
END, BLANK = "END".ljust(CARD), " " * CARD
# astropy recognises a FITS file by these bytes.
SIGNATURE = "SIMPLE  =" + "T".rjust(21)
BITPIX = (8, 16, 32, 64, -32, -64)
# The mandatory cards after NAXISn.
AFTER_AXES = {"PRIMARY": ("EXTEND",), "IMAGE": ("PCOUNT", "GCOUNT"), "BINTABLE": ("PCOUNT", "GCOUNT", "TFIELDS")}
# Cards that would change the kind or the length of an HDU if they were repeated at a later position.
OUT_OF_PLACE = {
    "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "PCOUNT", "GCOUNT", "TFIELDS", "GROUPS", "ZIMAGE",
}  # fmt: skip

# A longer exponent may be of an infinite number, which is a problem of the file.
_NUMBER = r"[+-]?(?:\.\d+|\d+(?:\.\d*)?)(?:[DE][+-]?\d{1,2})?"
# Without texts that astropy reads as a keyword and a value (record-valued cards), such as 'AXIS.1: 2'.
_TEXT = r"'(?![\w.]+: +[-+.\d])[ -&(-~]*(?:''[ -&(-~]*)*'"
_COMMENT = r" *(?:/[ -~]*)?"
_KEYWORD = r"(?=.{8}= )(?!CONTINUE|HIERARCH|COMMENT |HISTORY |END )[A-Z0-9_-]+ *= "
# A name of several words, as in masks; astropy takes a name of a single word for a usual keyword.
_LONG_KEYWORD = r"HIERARCH [A-Z0-9_-]+(?: [A-Z0-9_.-]+)+ = "
_PLAIN = re.compile(
    r"(?:COMMENT |HISTORY | {8})[ -~]{72}"
    rf"|(?:{_KEYWORD}|{_LONG_KEYWORD}) *(?:{_TEXT}|[TF]|{_NUMBER}|){_COMMENT}"
    rf"|CONTINUE  {_TEXT}{_COMMENT}",
    re.ASCII,
)
_CONTINUED = re.compile(rf"(?:(?:{_KEYWORD}|{_LONG_KEYWORD}) *|CONTINUE  )'", re.ASCII)
# Left to astropy: the end of a text that contains quotes, and of an empty text whose comment contains quotes.
_VALUE = re.compile(rf" *(?:'([ -&(-~]+|(?='[^']*$))'|([TF])|({_NUMBER})|){_COMMENT}", re.ASCII)


class _NotPlain(Exception):
    """The file is not of the plain form."""


def walk(path: Path, keywords: Collection[str]) -> HeaderInfo | None:
    """The header information of the FITS file `path`, or None where the file must be read by astropy.

    The result has `keywords` (the names in `keywords` that have a value in the primary header: name -> str, int, float
    or bool), `extensions` (name of each image -> shape, slowest axis first) and `bitpix` (name of each extension ->
    BITPIX), no `problem`. Data are not read.
    """
    try:
        status = path.stat()
        # A named pipe would block its reader for ever.
        if not stat.S_ISREG(status.st_mode):
            return None
        with path.open("rb", buffering=0) as file:
            return _header_info(_Headers(file), status.st_size, frozenset(keywords))
    except (OSError, UnicodeDecodeError, _NotPlain):
        return None


class _Headers:
    """The headers of an open file."""

    def __init__(self, file: FileIO) -> None:
        self.file = file
        self.first, self.read = 0, b""

    def cards(self, offset: int) -> tuple[list[str], list[str], int]:
        """The cards of the header at `offset` (bytes) without END, their keywords, and the offset of the data."""
        cards: list[str] = []
        end = None
        while end is None:
            _require(len(cards) < MAX_CARDS)
            block = self._block(offset).decode("ascii")
            offset += BLOCK
            found = [block[at : at + CARD] for at in range(0, BLOCK, CARD)]
            if END in found:
                end = found.index(END)
                _require(all(card == BLANK for card in found[end + 1 :]))
            _require(all(map(_PLAIN.fullmatch, found[:end])))
            cards += found[:end]
        names = [card[:8].rstrip() for card in cards]
        _require("CONTINUE" not in names or _all_continue_a_text(cards, names))
        return cards, names, offset

    def _block(self, offset: int) -> bytes:
        if not self.first <= offset <= self.first + len(self.read) - BLOCK:
            self.file.seek(offset)
            self.first, self.read = offset, self.file.read(READ)
        at = offset - self.first
        block = self.read[at : at + BLOCK]
        _require(len(block) == BLOCK)
        return block


def _header_info(headers: _Headers, size: int, wanted: Set[str]) -> HeaderInfo:
    """The result of `walk` for a file of `size` bytes."""
    cards, names, offset = headers.cards(0)
    _require(cards and cards[0].startswith(SIGNATURE))
    keywords = {}
    for number, name in enumerate(names):
        if name in wanted and name not in keywords and (value := _value(cards, names, number)) is not None:
            keywords[name] = value
    offset += _array(cards, names, "PRIMARY")[-1]
    extensions: dict[str, list[int]] = {}
    bitpix: dict[str, int] = {}
    while offset < size:
        cards, names, offset = headers.cards(offset)
        _require(names and (kind := _value(cards, names, 0)) != "PRIMARY")
        shape, bits, length = _array(cards, names, kind)
        offset += length
        name = _value(cards, names, names.index("EXTNAME")) if "EXTNAME" in names else ""
        # astropy reads a table named PRIMARY as an image.
        _require(isinstance(name, str) and name != "PRIMARY" and (not name or name not in bitpix))
        bitpix[name] = bits
        if kind == "IMAGE":
            extensions[name] = shape
    _require(offset == size)
    return {"keywords": keywords, "extensions": extensions, "bitpix": bitpix}


def _array(cards: Sequence[str], names: Sequence[str], kind: str) -> tuple[list[int], int, int]:
    """Shape, BITPIX and length of the data (bytes, with padding) from the mandatory cards of an HDU.

    `kind` is a key of AFTER_AXES.
    """
    _require(kind in AFTER_AXES and len(cards) > 3)
    bits, dimensions = (_value(cards, names, number) for number in (1, 2))
    _require(type(dimensions) is int and 0 <= dimensions < 1000)
    first = "SIMPLE" if kind == "PRIMARY" else "XTENSION"
    axes = [f"NAXIS{number}" for number in range(1, dimensions + 1)]
    mandatory = [first, "BITPIX", "NAXIS", *axes, *AFTER_AXES[kind]]
    later = names[len(mandatory) :]
    _require(names[: len(mandatory)] == mandatory and OUT_OF_PLACE.isdisjoint(later))
    _require(not any(name.startswith("NAXIS") for name in later))
    values = [_value(cards, names, number) for number in range(3, len(mandatory))]
    shape, after = values[:dimensions][::-1], values[dimensions:]
    _require(type(bits) is int and bits in BITPIX and all(type(axis) is int and axis >= 0 for axis in shape))
    parameters = 0
    if kind == "PRIMARY":
        _require(after[0] is True)
    else:
        _require(all(type(value) is int for value in after))
        parameters, groups, *fields = after
        _require(groups == 1 and parameters >= 0 and (kind == "BINTABLE" or parameters == 0))
        if kind == "BINTABLE":
            _require(bits == 8 and dimensions == 2 and 0 <= fields[0] < 1000)
            _require({f"TFORM{number}" for number in range(1, fields[0] + 1)} <= set(later))
    length = abs(bits) // 8 * (parameters + math.prod(shape)) if shape else 0
    return shape, bits, length + -length % BLOCK


def _all_continue_a_text(cards: Sequence[str], names: Sequence[str]) -> bool:
    """True when every CONTINUE card follows a card with a text."""
    return all(
        _CONTINUED.match(cards[number - 1]) for number, name in enumerate(names) if number and name == "CONTINUE"
    )


def _value(cards: Sequence[str], names: Sequence[str], number: int) -> Any:
    """The value (str, int, float or bool) of the plain card `number`, None if the card has none."""
    match = _VALUE.fullmatch(cards[number], 10)
    if match is None:
        raise _NotPlain
    _require(names[number + 1 : number + 2] != ["CONTINUE"])
    text, logical, digits = match.groups()
    if text is not None:
        return text.rstrip()
    if logical:
        return logical == "T"
    if digits is None:
        return None
    try:
        return int(digits)
    except ValueError:
        return float(digits.replace("D", "E"))


def _require(plain: object) -> None:
    """Raise _NotPlain unless `plain` is true."""
    if not plain:
        raise _NotPlain
