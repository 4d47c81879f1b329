"""The keywords, extensions and faults of one input file, from its headers alone."""

import os
from pathlib import Path

# What the inventory needs to know of an exposure.
KEYWORDS = (
    "INSTRUME", "DETECTOR", "EXP_TYPE", "READPATT", "SUBARRAY", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2",
    "FASTAXIS", "SLOWAXIS", "NINTS", "NGROUPS", "NFRAMES", "GROUPGAP", "TFRAME", "TGROUP", "DATE-OBS", "TIME-OBS",
    "EXPSTART", "EXSEGNUM", "EXSEGTOT",
)  # fmt: skip


def read_facts(path):
    """What the headers of the FITS file `path` say: `keywords`, `extensions` (name -> shape), or `problem`.

    OSError when the machine cannot read it.
    """
    # Every job of a cluster reads the workflow: where all headers are remembered it does without astropy.
    from badpix.core.fits_check import examine

    problem, said = examine(path, _said)
    return {"problem": problem} if problem else {"problem": None} | said


def stamp_of(path):
    """What changes when a file does: [size in bytes, time of modification in ns]."""
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns]


def read_entry(path):
    """What is remembered of `path`, a dict of its `stamp` and `facts`; OSError when the machine cannot read it."""
    return {"stamp": stamp_of(path), "facts": read_facts(Path(path))}


def _said(hdus):
    """What the headers of an open HDUList say, but for `problem`."""
    return {
        "keywords": _keywords(hdus[0].header),
        "extensions": {hdu.name: list(hdu.shape) for hdu in hdus[1:] if hdu.is_image},
        "bitpix": {hdu.name: hdu.header.get("BITPIX") for hdu in hdus[1:]},
    }


def _keywords(header):
    """The KEYWORDS of a FITS header that have a value; a complex one says nothing."""
    found = {}
    # A pass over the cards: asking the header for 22 keywords takes twice as long.
    for card in header.cards:
        if card.keyword in KEYWORDS and card.keyword not in found and isinstance(card.value, (str, int, float)):
            found[card.keyword] = card.value
    return found
