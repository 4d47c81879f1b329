"""The keywords, extensions and faults of one input file, from its headers alone."""

from badpix.exposures.header_walk import walk

# What the inventory needs to know of an exposure.
KEYWORDS = (
    "INSTRUME", "DETECTOR", "EXP_TYPE", "READPATT", "SUBARRAY", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2",
    "FASTAXIS", "SLOWAXIS", "NINTS", "NGROUPS", "NFRAMES", "GROUPGAP", "TFRAME", "TGROUP", "DATE-OBS", "TIME-OBS",
    "EXPSTART", "EXSEGNUM", "EXSEGTOT",
)  # fmt: skip


def read_header_info(path):
    """What the headers of the FITS file `path` say: `keywords`, `extensions` (name -> shape), or `problem`.

    OSError when the machine cannot read it.
    """
    said = walk(path, KEYWORDS)
    return read_carefully(path) if said is None else {"problem": None} | said


def read_carefully(path):
    """What `read_header_info` returns, by astropy."""
    # Every job of a cluster reads the workflow: where all headers are plain or remembered it does without astropy.
    from badpix.core.fits_check import examine

    problem, said = examine(path, _said)
    return {"problem": problem} if problem else {"problem": None} | said


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
