"""Write and read MASK reference files in the format of CRDS."""

import datetime
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.files import atomic_path, card_text
from badpix.core.startup import read_yaml_in_c
from badpix.instrument import irs2
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import Geometry, cut

logger = logging.getLogger(__name__)

CARD_LENGTH = 80

DESCRIPTIONS = {
    "DO_NOT_USE": "Bad pixel. Do not use.",
    "NON_SCIENCE": "Pixel not on science portion of detector",
    "DEAD": "Dead pixel",
    "HOT": "Hot pixel",
    "WARM": "Warm pixel",
    "LOW_QE": "Low quantum efficiency",
    "RC": "RC pixel",
    "TELEGRAPH": "Telegraph pixel",
    "NONLINEAR": "Pixel highly nonlinear",
    "BAD_REF_PIXEL": "Reference pixel cannot be used",
    "UNRELIABLE_BIAS": "Bias variance large",
    "UNRELIABLE_DARK": "Dark variance large",
    "UNRELIABLE_SLOPE": "Slope variance large (i.e., noisy pixel)",
    "UNRELIABLE_FLAT": "Flat variance large",
    "OPEN": "Open pixel (counts move to adjacent pixels)",
    "ADJ_OPEN": "Adjacent to open pixel",
    "OTHER_BAD_PIXEL": "A catch-all flag",
    "REFERENCE_PIXEL": "Pixel is a reference pixel",
}


def dq_definition(dq):
    """The DQ_DEF table of the flags used in `dq` (uint32 image): records of BIT, VALUE, NAME, DESCRIPTION."""
    rows, used = [], int(np.bitwise_or.reduce(dq, axis=None))
    for name, value in PIXEL_FLAGS.items():
        if used & value:
            description = DESCRIPTIONS.get(name, name.replace("_", " ").capitalize())
            rows.append((value.bit_length() - 1, value, name, description))
    dtype = [("BIT", "<u4"), ("VALUE", "<u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")]
    return np.array(rows, dtype=dtype)


def normalise_useafter(useafter):
    """USEAFTER as CRDS wants it, `YYYY-MM-DDTHH:MM:SS`; a space instead of the T is accepted."""
    return datetime.datetime.fromisoformat(str(useafter).strip()).strftime("%Y-%m-%dT%H:%M:%S")


def complete_pedigree(pedigree, dates):
    """PEDIGREE with the first and last of `dates` (YYYY-MM-DD) filled in where it is `INFLIGHT` alone."""
    if re.fullmatch(r"INFLIGHT", pedigree.strip(), flags=re.IGNORECASE):
        if not dates:
            raise ValueError("pedigree INFLIGHT takes its dates from DATE-OBS, which no exposure has; give them")
        return f"INFLIGHT {min(dates)} {max(dates)}"
    return pedigree


def _mask_model():
    """The datamodel of masks. Imported, and first used, in seconds, which who only reads a mask need not wait for."""
    from stdatamodels.jwst.datamodels import MaskModel

    return MaskModel


def load_datamodel():
    """Do what the first mask to be written waits for: import the datamodel, and let it read its schemas."""
    read_yaml_in_c()
    _mask_model()().close()


@dataclass(frozen=True)
class MaskHeader:
    """What the header of a mask holds beside its geometry.

    `identity` maps `instrument` and `detector` and, where they select the file, `exp_type` and `readpatt`; `texts` maps
    author, description, pedigree, useafter; `history` holds lines; `parameters` maps configuration keys to the values
    that were used.
    """

    identity: dict
    texts: dict
    history: Sequence = ()
    parameters: dict = field(default_factory=dict)


def write_mask(path, dq, geometry, header):
    """Write a MASK reference file of the image `dq`, uint32 (y, x), its Geometry and its MaskHeader.

    A mask for an IRS2 read pattern gets the rows of raw files, since dq_init takes it as it is.
    """
    identity, texts = header.identity, header.texts
    if irs2.is_irs2(identity.get("readpatt")):
        dq = irs2.interleave(dq, identity["detector"], np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"]))
    model = _mask_model()(strict_validation=True)
    meta = model.meta
    meta.telescope, meta.reftype = "JWST", "MASK"
    meta.instrument.name, meta.instrument.detector = identity["instrument"], identity["detector"]
    if "exp_type" in identity:
        meta.exposure.type = identity["exp_type"]
    if "readpatt" in identity:
        meta.exposure.readpatt = identity["readpatt"]
    meta.subarray.name = geometry.subarray
    meta.subarray.xstart, meta.subarray.ystart = geometry.x_start, geometry.y_start
    meta.subarray.xsize, meta.subarray.ysize = geometry.n_columns, geometry.n_rows
    meta.subarray.fastaxis, meta.subarray.slowaxis = geometry.fast_axis, geometry.slow_axis
    meta.author, meta.description = texts["author"], texts["description"]
    meta.pedigree, meta.useafter = texts["pedigree"], normalise_useafter(texts["useafter"])
    model.dq = dq.astype(np.uint32)
    model.dq_def = dq_definition(dq)
    for line in header.history:
        model.add_history_entry(card_text(line))
    with atomic_path(path) as temporary:
        model.save(str(temporary), overwrite=True)
        complete_header(temporary, Path(path).name, header.parameters)
    model.close()


def header_value(value):
    """A configuration value as a FITS header value: sequences as words, text as ASCII, the rest as it is."""
    if isinstance(value, (list, tuple)):
        value = " ".join(str(item) for item in value)
    return card_text(value) if isinstance(value, str) else value


def complete_header(path, name, parameters):
    """Write `parameters` (key -> value, None is left out) into the primary header of `path`, and FILENAME `name`.

    The keys are longer than the eight characters of a plain keyword, so they become `HIERARCH BADPIX <key>` cards.
    The datamodel has entered the name that it wrote, a temporary one.
    """
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["FILENAME"] = card_text(name)
        for key, value in parameters.items():
            if value is not None:
                keyword, value = f"HIERARCH BADPIX {key.upper()}", header_value(value)
                # astropy cuts off the digits of a number that does not fit beside a long keyword; text goes on.
                fits_in = isinstance(value, str) or len(f"{keyword} = {value!r}") <= CARD_LENGTH
                hdus[0].header[keyword] = value if fits_in else str(value)


def write_interleaved_copy(source, target, detector):
    """Write a copy of the mask `source` with the rows of raw IRS2 files."""
    with _mask_model()(str(source)) as model:
        model.dq = irs2.interleave(
            np.array(model.dq, dtype=np.uint32), detector, np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"])
        )
        model.save(str(target), overwrite=True)


def write_cut_copy(source, target, part):
    """Write a copy of the mask `source` cut to the Geometry `part`, which lies within it. Not for IRS2."""
    whole = Geometry.from_header(fits.getheader(source))
    with _mask_model()(str(source)) as model:
        model.dq = cut(np.array(model.dq, dtype=np.uint32), whole, part)
        subarray = model.meta.subarray
        subarray.name = part.subarray
        subarray.xstart, subarray.ystart = part.x_start, part.y_start
        subarray.xsize, subarray.ysize = part.n_columns, part.n_rows
        model.save(str(target), overwrite=True)


def read_mask(path):
    """The DQ image (uint32) of any MASK file in the pipeline's bits, translated through the file's own DQ_DEF.

    Without the interleaved rows of a mask for IRS2.
    """
    with fits.open(path) as hdus:
        definition = hdus["DQ_DEF"].data if "DQ_DEF" in hdus else []
        dq = in_pipeline_bits(np.array(hdus["DQ"].data, dtype=np.uint32), definition, path)
        detector = hdus[0].header.get("DETECTOR")
    return irs2.take_science(dq, detector) if dq.shape[0] == irs2.RAW_ROWS else dq


def in_pipeline_bits(dq, definition, path):
    """`dq` (uint32 image) in the pipeline's bits, as a MaskModel translates it; `definition` are rows of a DQ_DEF.

    Without rows the bits are the pipeline's already. A flag that the pipeline does not know is left out.
    """
    if not len(definition):
        return dq
    translated = np.zeros_like(dq)
    for row in definition:
        name = row["NAME"].strip()
        if name in PIXEL_FLAGS:
            translated[dq & np.uint32(row["VALUE"]) != 0] |= np.uint32(PIXEL_FLAGS[name])
        else:
            logger.warning("%s: the pipeline has no flag %s, so it is left out", path, name)
    return translated
