"""Damage to files: bits, parts, and cards of FITS headers, drawn by hypothesis."""

import re

from hypothesis import strategies as st

CARD = 80
KEYS = (
    "INSTRUME", "DETECTOR", "EXP_TYPE", "READPATT", "SUBARRAY", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2",
    "FASTAXIS", "SLOWAXIS", "NINTS", "NGROUPS", "NFRAMES", "GROUPGAP", "TFRAME", "TGROUP", "DATE-OBS", "TIME-OBS",
    "EXPSTART", "EXSEGNUM", "EXSEGTOT", "INTSTART", "INTEND", "NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "BITPIX", "BZERO",
    "BSCALE", "EXTNAME", "XTENSION", "PCOUNT", "GCOUNT", "TFIELDS", "TFORM1", "SIMPLE", "REJECTED", "CHECKSUM",
    "DATASUM", "END",
)  # fmt: skip
NUMBERS = st.sampled_from([0, -1, 1, 2, 3, 7, 16, 64, 2048, 65535, 65536, 2**31, 2**63, 10**30]) | st.integers()
DATES = st.sampled_from(
    ["2024-06-01", "20240601", "2024-W05-1", "0001-01-01", "9999-12-31", "1850-01-01", "2024-02-30", "24:00:00",
     "12:00", "23:59:60", "12:00:00+14:00", "12:00:00.0000000001"]
)  # fmt: skip
TEXTS = st.sampled_from(
    ["", " ", "0", "abc", "NaN", "inf", "1e999", "T", "{x}", "<results>", "$(x)", "FULL", "NRSIRS2", "NRS1", "=1+1",
     "PRIMARY", "SCI", "../x", "'", "\\n"]
)  # fmt: skip
VALUES = NUMBERS | st.floats() | st.booleans() | DATES | TEXTS | st.text(max_size=20)
# As the text of a card after `KEYWORD = `.
CARD_TEXTS = st.one_of(
    NUMBERS.map(str), st.floats(allow_nan=False).map(repr),
    st.sampled_from(["T", "F", "", "1E999", "(1, 2)", "'", "1 2"]), (DATES | TEXTS).map(lambda text: f"'{text}'"),
    st.binary(max_size=30).map(lambda text: text.decode("latin-1")),
)  # fmt: skip


def with_countable_axes(content: bytes) -> bool:
    """False for a NAXIS that astropy would count up to for minutes: a known limit where it opens files itself."""
    return not re.search(rb"NAXIS   = *[+]?0*[1-9]\d{3,}", content)


@st.composite
def damages(draw, content: bytes) -> bytes:
    """`content` after one to three damages."""
    for _ in range(draw(st.integers(1, 3))):
        content = draw(_damage(content))
    return content


def _damage(content: bytes) -> st.SearchStrategy[bytes]:
    at = st.integers(0, max(0, len(content) - 1))
    kinds = [
        st.builds(lambda n, bit: _replaced(content, n, bytes([content[n] ^ 1 << bit]) if content else b""), at,
                  st.integers(0, 7)),
        st.builds(lambda n, part: _replaced(content, n, part), at, st.binary(min_size=1, max_size=100)),
        at.map(lambda n: content[:n]),
        st.builds(lambda n, part: content[:n] + part + content[n:], at, st.binary(min_size=1, max_size=100)),
        st.builds(lambda n, size: content[:n] + content[n + size :], at, st.sampled_from([1, 80, 2880, 5760])),
        st.builds(lambda n, size: _replaced(content, n, bytes(size)), at, st.sampled_from([8, 80, 2880])),
        st.binary(max_size=3000).map(lambda part: content + part),
    ]  # fmt: skip
    if cards := _cards(content):
        kinds += [st.builds(lambda n, text: _with_value(content, n, text), st.sampled_from(cards), CARD_TEXTS)] * 5
    return st.one_of(kinds)


def _replaced(content: bytes, at: int, part: bytes) -> bytes:
    return content[:at] + part + content[at + len(part) :]


def _cards(content: bytes) -> list[int]:
    """The offsets of the cards with one of KEYS."""
    if not content.startswith(b"SIMPLE"):
        return []
    wanted = {key.ljust(8).encode() for key in KEYS}
    return [at for at in range(0, len(content), CARD) if content[at : at + 8] in wanted]


def _with_value(content: bytes, at: int, text: str) -> bytes:
    """`content` with another value in the card at an offset."""
    value = f"= {text}"[: CARD - 8].ljust(CARD - 8).encode("latin-1", "replace")
    return _replaced(content, at + 8, value)
