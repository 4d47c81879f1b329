"""The walk over header blocks gives the same header information as astropy for every file that it accepts."""

import gzip
import io
import os
import tracemalloc
import warnings

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from badpix.exposures.header_walk import BLOCK, CARD, walk
from badpix.exposures.headers import KEYWORDS, read_carefully, read_header_info
from badpix.simulate.exposure import Exposure
from badpix.simulate.headers import make_geometry
from badpix.simulate.uncal import write_uncal

pytestmark = pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyWarning")
SETTINGS = hypothesis_settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
NAMES = st.sampled_from(["NGROUPS", "DETECTOR", "DATE-OBS", "EXPSTART", "TITLE", "A_LONG-1", "BZERO"])
PLAIN_VALUES = (
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="'"), max_size=12) | st.none()
    | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
)  # fmt: skip
ODD_VALUES = st.text(PRINTABLE, max_size=100) | st.sampled_from(
    ["it's", "''", "a' / b", "AXIS.1: 2", "a: 1", "PRIMARY", "x" * 68 + "'" + "y" * 80, 1 + 2j, 1e300]
)
# Cards that astropy itself does not write.
CARDS = [
    "NGROUPS =                    7 / a repeated keyword", "NGROUPS = 007", "NGROUPS = +12", "NGROUPS =5", "NGROUPS= 5",
    "NGROUPS = 1.5D3", "NGROUPS = 1.5d3", "NGROUPS = 1E+02", "NGROUPS = .5", "NGROUPS = 5.", "NGROUPS = - 5", "NGROUPS",
    "NGROUPS = 1E999", "NGROUPS = T", "NGROUPS = TRUE", "NGROUPS = (1, 2)", "NGROUPS =", "NGROUPS = 5/groups",
    "ngroups = 5", "NGROUPS = 5 6", "DETECTOR= 'NIS", "DETECTOR= ''", "DETECTOR= '' / it's", "DETECTOR= '' / '",
    "DETECTOR= '   '", "DETECTOR= '  NIS  '/x",
    "DETECTOR= 'N''S'", "DETECTOR= 'NIS'' / x'", "DETECTOR= 'A.B: 5'", "DETECTOR= 'NIS' 'x' / y'", "DETECTOR= ''''",
    "DETECTOR= 'NIS&'", "DETECTOR= NIS", "CONTINUE  'more' / y", "CONTINUE  'more&'", "CONTINUE= 'more'", "CONTINUE",
    "TITLE   = 'long&'", "TITLE   = 'A.B: 5'", "HIERARCH= 5", "HIERARCH a b = 5", "END     = 5", "END", "END x", "",
    "/", "COMMENT = 5", "COMMENT 'x'", "HISTORY = 'A.B: 5'", "        = 5", "BLANK   = 5", "BITPIX  = 16",
    "BITPIX  = -32", "BITPIX  = 5", "NAXIS   = 1", "NAXIS   = 0", "NAXIS   = T", "NAXIS1  = 3", "NAXIS1  = 0",
    "NAXIS1  = -4", "NAXIS9  = 1", "NAXIS2  = 2.0", "PCOUNT  = 0", "PCOUNT  = 4", "PCOUNT  = -1", "GCOUNT  = 1",
    "GCOUNT  = 2", "GROUPS  = T", "EXTEND  = T", "EXTEND  = F", "SIMPLE  = T", "SIMPLE  =                    F",
    "XTENSION= 'IMAGE   '", "XTENSION= 'BINTABLE'", "XTENSION= 'TABLE   '", "XTENSION= 'OWN     '", "XTENSION= 1",
    "EXTNAME = 'PRIMARY '", "EXTNAME = 5", "EXTNAME =", "EXTNAME = 'lower'", "TFIELDS = 1", "TFIELDS = 2",
    "TFORM1  = '1J'", "ZIMAGE  = T", "INHERIT = T", "FO O    = 5", "A.B     = 5", "=", "'", "X       = 'caf\xe9'",
    "X       = 1\n", "X       = 1\0",
    "HIERARCH A B = 5", "HIERARCH A B.C = 'long&'", "HIERARCH A B = 'x' / y", "HIERARCH A=5", "HIERARCH A B = C = 5",
    "HIERARCH NGROUPS = 7", "HIERARCH  NGROUPS = 7", "HIERARCH NAXIS1 = 9", "HIERARCH A NAXIS = T", "HIERARCH A  B = 5",
    "HIERARCH A B= 5", "HIERARCH A B = 'A.B: 5'", "HIERARCH NGROUPS NGROUPS = 7",
]  # fmt: skip


@st.composite
def headers(draw, plain):
    """More cards for a header, most of them of the plain form if `plain`."""
    values = PLAIN_VALUES if plain else PLAIN_VALUES | ODD_VALUES
    cards = draw(st.lists(st.builds(fits.Card, NAMES, values, st.text(PRINTABLE, max_size=20)), max_size=6))
    names = (
        ["COMMENT", "HISTORY", "", "HIERARCH LONG NAME"]
        if plain
        else ["COMMENT", "HISTORY", "", "HIERARCH long name", "EXTNAME", "BLANK"]
    )
    texts = st.text(PRINTABLE, max_size=72)
    return cards + draw(st.lists(st.builds(fits.Card, st.sampled_from(names), texts), max_size=3))


@st.composite
def units(draw, number, plain):
    """The bytes of an HDU of a FITS file."""
    shape = draw(st.lists(st.integers(1, 4), max_size=4))
    data = np.zeros(shape, draw(st.sampled_from([np.uint8, np.uint16, np.int32, np.float32]))) if shape else None
    kinds = ["image", "image", "table"] if plain else ["image", "table", "text table", "compressed"]
    match draw(st.sampled_from(kinds)) if number else "primary":
        case "primary":
            hdu = fits.PrimaryHDU(data)
        case "image":
            hdu = fits.ImageHDU(data, name=draw(st.sampled_from(["SCI", "ERR", ""])))
        case "compressed":
            hdu = fits.CompImageHDU(np.zeros((4, 4), np.int16), name="SCI")
        case "text table":
            hdu = fits.TableHDU.from_columns([fits.Column("A", "I6", array=[1, 2])])
        case "table":
            columns = [fits.Column("A", "J", array=[1, 2])]
            if draw(st.booleans()):
                columns.append(fits.Column("B", "PJ()", array=np.array([[1, 2, 3], [4]], dtype=object)))
            hdu = fits.BinTableHDU.from_columns(columns, name="INT_TIMES")
    if not isinstance(hdu, fits.CompImageHDU):
        hdu.header.extend(draw(headers(plain)), unique=False, bottom=True)
    stream = io.BytesIO()
    primary = [] if number == 0 else [fits.PrimaryHDU()]
    fits.HDUList([*primary, hdu]).writeto(stream, output_verify="ignore")
    return stream.getvalue()[BLOCK * len(primary) :]


@st.composite
def complete_files(draw, plain):
    """The bytes of a file that astropy writes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return b"".join(draw(units(number, plain)) for number in range(draw(st.integers(1, 4))))


@st.composite
def changed_files(draw):
    """The bytes of such a file with cards replaced, inserted, deleted or swapped, bytes changed, or another length."""
    content = bytearray(draw(complete_files(True)))
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        # Mostly among the cards of a header.
        at = draw(st.integers(0, min(len(content), 2 * BLOCK) - 1))
        card = at - at % CARD
        new = draw(st.sampled_from(CARDS)).ljust(CARD).encode("latin-1")
        # An inserted card pushes out the last card of the block, mostly a blank.
        end = card - card % BLOCK + BLOCK
        match draw(st.sampled_from(["card", "insert", "delete", "swap", "byte", "byte", "byte", "length"])):
            case "card":
                content[card : card + CARD] = new
            case "insert":
                content[card:end] = (new + content[card : end - CARD])[: end - card]
            case "delete":
                content[card:end] = content[card + CARD : end] + b" " * CARD
            case "swap":
                pair = content[card : card + 2 * CARD]
                content[card : card + 2 * CARD] = pair[CARD:] + pair[:CARD]
            case "byte":
                content[at] = draw(st.sampled_from(b"\0\n '/=0159TFE.-Xx&\x7f\xff"))
            case "length":
                change = draw(st.sampled_from([-BLOCK, -1, 1, CARD, BLOCK]))
                content = content[:change] if change < 0 else content + draw(st.sampled_from([b" ", b"\0"])) * change
        if not content:
            break
    return bytes(content)


def agrees_with_astropy(path, content):
    """True if the walk accepts the file; AssertionError if the result then differs from astropy."""
    path.write_bytes(content)
    answer = walk(path, KEYWORDS)
    if answer is not None:
        careful = read_carefully(path)
        assert {"problem": None} | answer == careful
        # 1, 1.0 and True are equal, but not the same value.
        assert repr(answer["keywords"]) == repr(careful["keywords"])
    return answer is not None


@SETTINGS
@given(content=st.booleans().flatmap(complete_files))
def test_complete_files(tmp_path, content):
    event(f"accepted: {agrees_with_astropy(tmp_path / 'a.fits', content)}")


@SETTINGS
@given(content=changed_files())
def test_changed_files(tmp_path, content):
    event(f"accepted: {agrees_with_astropy(tmp_path / 'a.fits', content)}")


def plain(*cards, extension=()):
    """A file of a primary header and an image with these cards at the end of their headers."""
    primary, image = fits.PrimaryHDU(), fits.ImageHDU(np.zeros((3, 4), np.uint16), name="SCI")
    stream = io.BytesIO()
    for hdu, more in ((primary, cards), (image, extension)):
        header = hdu.header.tostring(endcard=False, padding=False) + "".join(card.ljust(CARD) for card in more)
        header += "END".ljust(CARD)
        stream.write((header + " " * (-len(header) % BLOCK)).encode("latin-1"))
    return stream.getvalue() + bytes(BLOCK)


@pytest.mark.parametrize("card", CARDS)
def test_each_odd_card_at_each_position(tmp_path, card):
    path = tmp_path / "a.fits"
    table = fits.BinTableHDU.from_columns([fits.Column("A", "J", array=[1, 2])], name="TABLE")
    table.header["NAXIS2"] = 0
    empty = fits.ImageHDU(np.zeros(0, np.int16))
    cards = ["DETECTOR= 'NIS     '", "NGROUPS =                    9"]
    whole = plain(*cards) + (table.header.tostring() + empty.header.tostring()).encode()
    new = card.ljust(CARD).encode("latin-1")
    for start, length in ((0, 6), (BLOCK, 9), (3 * BLOCK, 11), (4 * BLOCK, 6)):
        for at in range(start, start + length * CARD, CARD):
            agrees_with_astropy(path, whole[:at] + new + whole[at + CARD :])
    agrees_with_astropy(path, plain(cards[0], card, cards[1]))
    agrees_with_astropy(path, plain(extension=[card, *cards]))


@pytest.mark.parametrize(
    ("cards", "keywords"),
    [
        (["NGROUPS = 5", "NGROUPS = 6"], {"NGROUPS": 5}),
        (["NGROUPS =", "NGROUPS = 6"], {"NGROUPS": 6}),
        (["TFRAME  = 1.5D1 / [s]", "EXSEGNUM= T"], {"TFRAME": 15.0, "EXSEGNUM": True}),
        (["DETECTOR= ' NIS  ' / it's", "", "        of text = 'x'", "HISTORY  made"], {"DETECTOR": " NIS"}),
        (["TITLE   = 'O''Neill: a &'", "CONTINUE  'long ''title'''"], {}),
        # As in masks, with the settings of the vote.
        (
            ["HIERARCH BADPIX DARK.NOISY = 5.0", "HIERARCH BADPIX FLAT = 'a &'", "CONTINUE  'b' / c", "NGROUPS = 6"],
            {"NGROUPS": 6},
        ),
    ],
)
def test_plain_cards_are_accepted(tmp_path, cards, keywords):
    path = tmp_path / "a.fits"
    path.write_bytes(plain(*cards))
    expected = {"keywords": keywords, "extensions": {"SCI": [3, 4]}, "bitpix": {"SCI": 16}}
    assert walk(path, KEYWORDS) == expected
    assert read_carefully(path) == {"problem": None} | expected


@pytest.mark.parametrize(
    "cards",
    [["DETECTOR= 'N''S'"], ["DETECTOR= 'NIS&'", "CONTINUE  'x'"], ["COMMENT x", "CONTINUE  'x'"], ["NAXIS1  = 3"],
     ["TITLE   = 'A.B: 5'"], ["NGROUPS = (1, 2)"], ["HIERARCH a b = 5"], ["HIERARCH NGROUPS = 5"],
     ["NGROUPS =5"], ["EXTEND  = T"]],
)  # fmt: skip
def test_cards_that_are_not_plain_are_left_to_astropy(tmp_path, cards):
    path = tmp_path / "a.fits"
    path.write_bytes(plain(*cards))
    assert walk(path, KEYWORDS) is None and read_header_info(path) == read_carefully(path)


def test_damaged_and_compressed_files_are_left_to_astropy(tmp_path):
    whole, path = plain(), tmp_path / "a.fits"
    path.write_bytes(whole)
    assert walk(path, KEYWORDS) is not None
    second = whole.replace(b"SIMPLE  =                    T", b"SIMPLE  = 'PRIMARY '          ")
    refused = [b"", whole[:1000], whole[:-1], whole + b" ", whole + whole, whole + second, second]
    for content in (*refused, gzip.compress(whole), b"\0" * 2 * BLOCK, b"text" * BLOCK):
        path.write_bytes(content)
        assert walk(path, KEYWORDS) is None
    path.unlink()
    assert walk(path, KEYWORDS) is None and walk(tmp_path, KEYWORDS) is None
    os.mkfifo(path)
    assert walk(path, KEYWORDS) is None


@pytest.mark.parametrize(
    ("instrument", "readpatt", "extension", "shape"),
    [
        ("NIRISS", "NIS", None, ()),
        ("MIRI", None, "REFOUT", (2, 3, 64, 18)),
        ("NIRCAM", "DEEP8", "ZEROFRAME", (2, 64, 64)),
    ],
)
def test_exposures_of_the_archive_are_accepted(tmp_path, instrument, readpatt, extension, shape):
    """Files as written by the datamodels, with tables and the ASDF extension."""
    geometry = make_geometry(instrument, 64, readpatt=readpatt)
    counts = np.zeros((2, 3, *geometry.shape), np.uint16)
    zero_frames = counts[:, 0] if geometry.has_zero_frame else None
    exposure = Exposure("dark", 1, *counts.shape[:2])
    path = write_uncal(tmp_path, counts, geometry, exposure, zero_frames_dn=zero_frames)
    answer = walk(path, KEYWORDS)
    assert {"problem": None} | answer == read_carefully(path)
    images = {"SCI": list(counts.shape)} | ({extension: list(shape)} if extension else {})
    assert answer["keywords"]["INSTRUME"] == instrument and answer["extensions"] == images
    assert sorted(answer["bitpix"]) == sorted([*images, "GROUP", "INT_TIMES", "ASDF"])


def test_headers_of_many_blocks_and_large_data(tmp_path):
    """A read may end anywhere in a header, and data are skipped."""
    path = tmp_path / "a.fits"
    for cards in range(0, 700, 23):
        primary, image = fits.PrimaryHDU(), fits.ImageHDU(np.zeros((3, 100, 100), np.int16), name="SCI")
        for header in (primary.header, image.header):
            for number in range(cards):
                header[f"KEY{number}"] = number
        primary.header["NGROUPS"] = cards
        second = fits.ImageHDU(image.data, image.header, name="ERR")
        fits.HDUList([primary, image, second]).writeto(path, overwrite=True)
        expected = {"extensions": dict.fromkeys(("SCI", "ERR"), [3, 100, 100]), "bitpix": {"SCI": 16, "ERR": 16}}
        assert walk(path, KEYWORDS) == {"keywords": {"NGROUPS": cards}, **expected}


def test_a_header_without_an_end_is_given_up(tmp_path):
    path = tmp_path / "a.fits"
    fits.PrimaryHDU().writeto(path)
    path.write_bytes(path.read_bytes()[:160] + (b"COMMENT x" + b" " * 71) * 10**6)
    tracemalloc.start()
    assert walk(path, ["A"]) is None
    assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    tracemalloc.stop()
