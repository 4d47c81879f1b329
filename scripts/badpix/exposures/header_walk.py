"""The headers of a plain FITS file, from its header blocks alone: astropy takes ten times as long.

A file is answered for only where every card and every size is of the standard's plain form. Whatever else a file holds
is left to astropy: compressed files and images, wanted values in several cards, anything that astropy would repair.
"""

import math
import os
import re
import stat

BLOCK, CARD = 2880, 80
# Bytes read at once. A header of a JWST file ends within a few blocks, and the next one is often among them.
READ = 8 * BLOCK
END, BLANK = "END".ljust(CARD), " " * CARD
# astropy knows a FITS file by these bytes.
SIGNATURE = "SIMPLE  =" + "T".rjust(21)
BITPIX = (8, 16, 32, 64, -32, -64)
# The mandatory cards after NAXISn.
AFTER_AXES = {"PRIMARY": ("EXTEND",), "IMAGE": ("PCOUNT", "GCOUNT"), "BINTABLE": ("PCOUNT", "GCOUNT", "TFIELDS")}
# Cards that would change the kind or the length of a unit, were they in another place as well.
OUT_OF_PLACE = {
    "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "PCOUNT", "GCOUNT", "TFIELDS", "GROUPS", "ZIMAGE",
}  # fmt: skip

_NUMBER = r"[+-]?(?:\.\d+|\d+(?:\.\d*)?)(?:[DE][+-]?\d+)?"
# Without texts that astropy takes for a keyword of their own, such as 'AXIS.1: 2'.
_TEXT = r"'(?![\w.]+: +[-+.\d])[ -&(-~]*(?:''[ -&(-~]*)*'"
_COMMENT = r" *(?:/[ -~]*)?"
_KEYWORD = r"(?=.{8}= )(?!CONTINUE|HIERARCH|COMMENT |HISTORY |END )[A-Z0-9_-]+ *= "
_PLAIN = re.compile(
    r"(?:COMMENT |HISTORY | {8})[ -~]{72}"
    rf"|{_KEYWORD} *(?:{_TEXT}|[TF]|{_NUMBER}|){_COMMENT}"
    rf"|CONTINUE  {_TEXT}{_COMMENT}",
    re.ASCII,
)
_CONTINUED = re.compile(rf"(?:{_KEYWORD} *|CONTINUE  )'", re.ASCII)
# astropy decides where a text ends that has quotes within, or an empty one whose comment has.
_VALUE = re.compile(rf" *(?:'([ -&(-~]+|(?='[^']*$))'|([TF])|({_NUMBER})|){_COMMENT}", re.ASCII)


class _NotPlain(Exception):
    """The file is not of the plain form."""


def walk(path, keywords):
    """What the headers of the FITS file `path` hold, or None where astropy has to find out.

    A dict of `keywords` (those of the names `keywords` that have a value in the primary header: name -> str, int, float
    or bool), `extensions` (name of each image -> shape, slowest axis first) and `bitpix` (name of each extension ->
    BITPIX). Data are not read.
    """
    try:
        status = os.stat(path)
        # A named pipe would make its reader wait for ever.
        if not stat.S_ISREG(status.st_mode):
            return None
        with open(path, "rb", buffering=0) as file:
            return _facts(_Headers(file), status.st_size, frozenset(keywords))
    except (OSError, UnicodeDecodeError, _NotPlain):
        return None


class _Headers:
    """The headers of an open file."""

    def __init__(self, file):
        self.file = file
        self.first, self.read = 0, b""

    def cards(self, offset):
        """The cards (str) of the header at `offset` (bytes) without END, their keywords, and where the data begin."""
        cards, end = [], None
        while end is None:
            block = self._block(offset).decode("ascii")
            offset += BLOCK
            found = [block[at : at + CARD] for at in range(0, BLOCK, CARD)]
            if END in found:
                end = found.index(END)
                _require(all(card == BLANK for card in found[end + 1 :]))
            _require(all(map(_PLAIN.fullmatch, found[:end])))
            cards += found[:end]
        names = [card[:8].rstrip() for card in cards]
        _require("CONTINUE" not in names or _continue_a_text(cards, names))
        return cards, names, offset

    def _block(self, offset):
        if not self.first <= offset <= self.first + len(self.read) - BLOCK:
            self.file.seek(offset)
            self.first, self.read = offset, self.file.read(READ)
        at = offset - self.first
        block = self.read[at : at + BLOCK]
        _require(len(block) == BLOCK)
        return block


def _facts(headers, size, wanted):
    """What `walk` returns, of a file of `size` bytes."""
    cards, names, offset = headers.cards(0)
    _require(cards and cards[0].startswith(SIGNATURE))
    keywords = {}
    for number, name in enumerate(names):
        if name in wanted and name not in keywords and (value := _value(cards, names, number)) is not None:
            keywords[name] = value
    offset += _array(cards, names, "PRIMARY")[-1]
    extensions, bitpix = {}, {}
    while offset < size:
        cards, names, offset = headers.cards(offset)
        _require(names and (kind := _value(cards, names, 0)) != "PRIMARY")
        shape, bits, length = _array(cards, names, kind)
        offset += length
        name = _value(cards, names, names.index("EXTNAME")) if "EXTNAME" in names else ""
        # astropy takes a table named PRIMARY for an image.
        _require(isinstance(name, str) and name != "PRIMARY")
        bitpix[name] = bits
        if kind == "IMAGE":
            extensions[name] = shape
    _require(offset == size)
    return {"keywords": keywords, "extensions": extensions, "bitpix": bitpix}


def _array(cards, names, kind):
    """What the mandatory cards of a unit hold: shape, BITPIX, length of the data (bytes). `kind`: key of AFTER_AXES."""
    _require(kind in AFTER_AXES and len(cards) > 3)
    bits, dimensions = (_value(cards, names, number) for number in (1, 2))
    _require(type(dimensions) is int and 0 <= dimensions < 1000)
    first = "SIMPLE" if kind == "PRIMARY" else "XTENSION"
    axes = [f"NAXIS{number}" for number in range(1, dimensions + 1)]
    mandatory = [first, "BITPIX", "NAXIS", *axes, *AFTER_AXES[kind]]
    others = names[len(mandatory) :]
    _require(names[: len(mandatory)] == mandatory and OUT_OF_PLACE.isdisjoint(others))
    _require(not any(name.startswith("NAXIS") for name in others))
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
            _require({f"TFORM{number}" for number in range(1, fields[0] + 1)} <= set(others))
    length = abs(bits) // 8 * (parameters + math.prod(shape)) if shape else 0
    return shape, bits, length + -length % BLOCK


def _continue_a_text(cards, names):
    """True when every CONTINUE card follows a card with a text."""
    return all(
        _CONTINUED.match(cards[number - 1]) for number, name in enumerate(names) if number and name == "CONTINUE"
    )


def _value(cards, names, number):
    """The value of the plain card `number`, None if it has none."""
    match = _VALUE.fullmatch(cards[number], 10)
    _require(match and names[number + 1 : number + 2] != ["CONTINUE"])
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


def _require(plain):
    if not plain:
        raise _NotPlain
