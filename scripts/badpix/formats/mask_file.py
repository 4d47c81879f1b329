"""Write and read MASK reference files in the format of CRDS."""

import datetime
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

from badpix.core.files import atomic_path, card_text
from badpix.core.startup import read_yaml_in_c
from badpix.formats.mask_dq import read_dq
from badpix.instrument import irs2
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.geometry import Geometry, cut

if TYPE_CHECKING:
    from stdatamodels.jwst.datamodels import MaskModel

logger = logging.getLogger(__name__)

CARD_LENGTH = 80
HISTORY_LENGTH = CARD_LENGTH - len("HISTORY ")  # characters of an entry in a card
WARNING = "Warning: "

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


def dq_definition(dq: np.ndarray) -> np.ndarray:
    """The DQ_DEF table of the flags used in `dq`, uint32 (y, x): records of BIT, VALUE, NAME, DESCRIPTION."""
    rows, used = [], int(np.bitwise_or.reduce(dq, axis=None))
    for name, value in PIXEL_FLAGS.items():
        if used & value:
            description = DESCRIPTIONS.get(name, name.replace("_", " ").capitalize())
            rows.append((value.bit_length() - 1, value, name, description))
    dtype = [("BIT", "<u4"), ("VALUE", "<u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")]
    return np.array(rows, dtype=dtype)


def normalise_useafter(useafter: str | datetime.datetime) -> str:
    """USEAFTER in the format of CRDS, `YYYY-MM-DDTHH:MM:SS`; a space instead of the T is accepted."""
    return datetime.datetime.fromisoformat(str(useafter).strip()).isoformat(timespec="seconds")


def _mask_model() -> "type[MaskModel]":
    """The datamodel of masks. Its import and first use take seconds, so a job that only reads a mask avoids them."""
    from stdatamodels.jwst.datamodels import MaskModel

    return MaskModel


def load_datamodel() -> None:
    """Import the datamodel of masks and load its schemas, which the first mask written would otherwise wait for."""
    read_yaml_in_c()
    _mask_model()().close()


@dataclass(frozen=True)
class MaskHeader:
    """The contents of a mask's header beside its geometry.

    `identity` has the keys `instrument` and `detector`. `texts` has the keys author, description, pedigree and
    useafter. `history` are the lines of HISTORY. `parameters` maps configuration keys to the values used. `selectors`
    maps further keywords by which CRDS selects the file to their values. A mask with `irs2_rows` is written with the
    rows of a raw IRS2 file, which dq_init expects.
    """

    identity: Mapping[str, str]
    texts: Mapping[str, str]
    history: Sequence[str] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    selectors: Mapping[str, str | int] = field(default_factory=dict)
    irs2_rows: bool = False


def write_mask(path: str | Path, dq: np.ndarray, geometry: Geometry, header: MaskHeader) -> None:
    """Write a MASK reference file of the image `dq`, uint32 (y, x), its Geometry and its MaskHeader.

    ValueError for a value of a selector that the schema of masks refuses.
    """
    identity, texts = header.identity, header.texts
    if header.irs2_rows:
        dq = irs2.interleave(dq, identity["detector"], np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"]))
    model = _mask_model()(strict_validation=True)
    meta = model.meta
    meta.telescope, meta.reftype = "JWST", "MASK"
    meta.instrument.name, meta.instrument.detector = identity["instrument"], identity["detector"]
    _set_selectors(model, header.selectors)
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
        complete_header(temporary, Path(path).name, header.parameters, header.selectors)
    model.close()


# Keywords of the schema of masks -> its names below `meta`.
SCHEMA_NAMES = {
    "EXP_TYPE": ("exposure", "type"), "READPATT": ("exposure", "readpatt"), "P_READPA": ("exposure", "p_readpatt"),
    "NGROUPS": ("exposure", "ngroups"), "FILTER": ("instrument", "filter"),
}  # fmt: skip


def _set_selectors(model: "MaskModel", selectors: Mapping[str, str | int]) -> None:
    """Set the selectors that the schema of masks has; ValueError for a value that it refuses."""
    from asdf.exceptions import ValidationError

    for key, value in selectors.items():
        if key in SCHEMA_NAMES:
            group, name = SCHEMA_NAMES[key]
            try:
                setattr(getattr(model.meta, group), name, value)
            except ValidationError as error:
                reason = str(error).partition("\n")[0]
                raise ValueError(f"the header of a mask cannot have {key} = {value!r}: {reason}") from error


def header_value(value: object) -> object:
    """A configuration value as a FITS header value: a sequence as words, text as ASCII, other values unchanged."""
    if isinstance(value, (list, tuple)):
        value = " ".join(str(item) for item in value)
    return card_text(value) if isinstance(value, str) else value


def complete_header(
    path: str | Path, name: str, parameters: Mapping[str, object], selectors: Mapping[str, str | int]
) -> None:
    """Write `parameters` (key -> value, without None), `selectors`, FILENAME = `name` and checksums into `path`.

    The keys are longer than the eight characters of a standard keyword, so they become `HIERARCH BADPIX <key>` cards.
    FILENAME is replaced because the datamodel enters the temporary name of the file.
    """
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["FILENAME"] = card_text(name)
        hdus[0].header.update(selectors)
        for key, value in parameters.items():
            if value is not None:
                keyword, value = f"HIERARCH BADPIX {key.upper()}", header_value(value)
                # astropy cuts off the digits of a number that does not fit beside a long keyword; text is continued.
                fits_in = isinstance(value, str) or len(f"{keyword} = {value!r}") <= CARD_LENGTH
                hdus[0].header[keyword] = value if fits_in else str(value)
        for hdu in hdus:
            hdu.add_checksum()


def write_interleaved_copy(source: str | Path, target: str | Path, detector: str) -> None:
    """Write a copy of the mask `source` of `detector` (NRS1, NRS2) with the rows of raw IRS2 files."""
    with _mask_model()(str(source)) as model:
        model.dq = irs2.interleave(
            np.array(model.dq, dtype=np.uint32), detector, np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"])
        )
        model.save(str(target), overwrite=True)
    renew_checksums(target)


def has_array(path: str | Path, part: Geometry) -> bool:
    """True if the mask `path` has the pixels of the Geometry `part`, whatever its SUBARRAY; origin (1, 1) by default.

    SUBARRAY is GENERIC in masks for any subarray, of the full frame and of parts of it.
    """
    with fits.open(path) as hdus:
        header, shape = hdus[0].header, hdus["DQ"].shape
    # The interleaved rows of IRS2 are a full frame.
    if header.get("SUBARRAY") == part.subarray or shape[0] == irs2.RAW_ROWS:
        return True
    return (*_origin(header), *shape) == (part.x_start, part.y_start, *part.shape)


def _origin(header: fits.Header) -> tuple[int, int]:
    """SUBSTRT1 and SUBSTRT2 of a mask; masks of the full frame may lack them."""
    return header.get("SUBSTRT1", 1), header.get("SUBSTRT2", 1)


def write_cut_copy(source: str | Path, target: str | Path, part: Geometry) -> None:
    """Write a copy of the mask `source` cut to the Geometry `part`, which lies within it. Not for IRS2."""
    x_start, y_start = _origin(fits.getheader(source))
    with _mask_model()(str(source)) as model:
        dq = np.array(model.dq, dtype=np.uint32)
        uncut = replace(part, x_start=x_start, y_start=y_start, n_rows=dq.shape[0], n_columns=dq.shape[1])
        model.dq = cut(dq, uncut, part)
        subarray = model.meta.subarray
        subarray.name = part.subarray
        subarray.xstart, subarray.ystart = part.x_start, part.y_start
        subarray.xsize, subarray.ysize = part.n_columns, part.n_rows
        model.save(str(target), overwrite=True)
    renew_checksums(target)


def renew_checksums(path: str | Path) -> None:
    """Write the checksums of all HDUs of `path`: the datamodels copy those of the file that they were read from."""
    with fits.open(path, mode="update") as hdus:
        for hdu in hdus:
            hdu.add_checksum()


def read_mask(path: str | Path) -> np.ndarray:
    """The DQ image, uint32 (y, x), of any MASK file in the pipeline's bits: `badpix.formats.mask_dq.read_dq`.

    What was assumed or dropped is logged as warnings.
    """
    content = read_dq(path)
    for note in content.notes:
        logger.warning("%s", note)
    return content.dq


def warning_entries(warnings: Sequence[str]) -> list[str]:
    """The HISTORY entries of `warnings`: their number, and an entry for each; `read_warnings` reads them back."""
    return [f"{len(warnings)} warnings", *(f"{WARNING}{warning}" for warning in warnings)] if warnings else []


def read_warnings(path: str | Path) -> list[str]:
    """The warnings in the HISTORY of the mask `path`, which are its last entries; long entries fill several cards."""
    warnings: list[str] = []
    cards = list(fits.getheader(path).get("HISTORY", []))
    starts = [i for i, card in enumerate(cards) if re.fullmatch(r"\d+ warnings", card)]
    for card in cards[starts[-1] + 1 :] if starts else []:
        if card.startswith(WARNING):
            warnings.append("")
        # Only the last card of an entry is shorter; trailing spaces of a card are not kept.
        warnings[-1:] = [(warnings[-1] if warnings else "") + f"{card:<{HISTORY_LENGTH}}"]
    return [" ".join(warning.removeprefix(WARNING).split()) for warning in warnings]
