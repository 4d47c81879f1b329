"""A finished product as the source of the flat types: a normalised flat (FLAT of CRDS), or an existing mask.

A flat has the response in SCI, and in DQ the pixels without a value. A mask has the types in DQ. The bits of DQ are
those of DQ_DEF, or the pipeline's own without a DQ_DEF. The array of the exposures is cut from the product by SUBSTRT
and SUBSIZE, whatever its SUBARRAY (GENERIC, FULL, ...). Both are as in the step dq_init of the pipeline.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.errors import ProductError
from badpix.core.files import is_machine_fault
from badpix.core.fits_check import file_problem
from badpix.formats.mask_dq import read_dq
from badpix.formats.pixel_types import FLAT_TYPES
from badpix.formats.product_file import check_datasum
from badpix.instrument.detectors import Detector
from badpix.instrument.dq import PIXEL_FLAGS, bits
from badpix.instrument.file_names import InputError
from badpix.instrument.geometry import Geometry, cut, reference_pixels

FLAT, MASK = "FLAT", "MASK"
# The range of the median response of a normalised flat.
NORMALISED = (0.5, 2.0)
# Values that reference flats have at pixels without a measurement, which are DO_NOT_USE then.
FILLED = (0.0, 1.0)
DESCRIBING = ("PEDIGREE", "USEAFTER")


class FlatProductError(InputError):
    """The product cannot be the source of the flat types; the message names the file and the reason."""


@dataclass(frozen=True)
class FlatProduct:
    """A product for the array of a mask.

    `kind` is FLAT or MASK. `response`, float64 (y, x), is the normalised response of a FLAT, NaN without a value; None
    for a MASK. `found` maps the flat types to boolean images (y, x) of a MASK; empty for a FLAT. `by_dq_def` is True if
    the bits are those of its DQ_DEF. `about` has the keywords DESCRIBING of its header, `notes` what was assumed to
    read the DQ of a MASK.
    """

    path: str
    kind: str
    response: np.ndarray | None
    found: Mapping[str, np.ndarray]
    by_dq_def: bool
    about: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the file."""
        return Path(self.path).name

    def describe(self) -> str:
        """Name, kind, PEDIGREE and USEAFTER, as text."""
        return f"{self.name} ({', '.join([self.kind, *(f'{key} {value}' for key, value in self.about.items())])})"


def read_flat_product(path: str | Path, geometry: Geometry, detector: Detector) -> FlatProduct:
    """The FlatProduct of the file `path` for the array of `geometry` on `detector`.

    FlatProductError if the file is no such product; OSError where the machine cannot read it.
    """
    if problem := file_problem(Path(path)):
        raise FlatProductError(f"{path}: {problem}")
    try:
        with fits.open(path) as hdus:
            if "SCI" in hdus:
                check_datasum(hdus, "SCI")
            return _product(hdus, str(path), geometry, detector)
    except FlatProductError as error:
        raise FlatProductError(f"{path}: {error}") from None
    except ProductError as error:
        raise FlatProductError(str(error)) from None
    except Exception as error:  # astropy raises many types of errors for a damaged file
        if is_machine_fault(error):
            raise
        raise FlatProductError(f"{path}: not readable: {type(error).__name__}: {error}") from error


def _product(hdus: fits.HDUList, path: str, geometry: Geometry, detector: Detector) -> FlatProduct:
    header = hdus[0].header
    _check_header(header, detector)
    science = ~reference_pixels(geometry, detector)
    about = {key: str(header[key]) for key in DESCRIBING if header.get(key)}
    by_dq_def = "DQ_DEF" in hdus
    if "SCI" in hdus:
        _require_reftype(header, FLAT)
        dq = read_dq(path).dq if "DQ" in hdus else None
        response = _cut(_response(hdus["SCI"].data, dq), header, geometry, detector)
        _check_response(response[science])
        return FlatProduct(path, FLAT, response, {}, by_dq_def, about)
    if "DQ" in hdus:
        _require_reftype(header, MASK)
        content = read_dq(path)
        if not (content.dq & np.uint32(bits(FLAT_TYPES))).any():
            names = [str(name).strip() for name in hdus["DQ_DEF"].data["NAME"]] if by_dq_def else []
            source = f"DQ_DEF has {', '.join(names) or 'no rows'}" if by_dq_def else "without DQ_DEF, by standard bits"
            raise FlatProductError(f"no pixel of DQ is {', '.join(FLAT_TYPES)} ({source})")
        dq = _cut(content.dq, header, geometry, detector)
        found = {name: (dq & np.uint32(PIXEL_FLAGS[name]) != 0) & science for name in FLAT_TYPES}
        return FlatProduct(path, MASK, None, found, by_dq_def, about, content.notes)
    extensions = ", ".join(hdu.name for hdu in hdus[1:] if hdu.name) or "no named extension"
    raise FlatProductError(f"it has {extensions}, neither SCI (a normalised flat) nor DQ (a mask)")


def _check_header(header: fits.Header, detector: Detector) -> None:
    expected = {
        "INSTRUME": detector.instrument, "DETECTOR": detector.name,
        "FASTAXIS": detector.fast_axis, "SLOWAXIS": detector.slow_axis,
    }  # fmt: skip
    for key, value in expected.items():
        if key in header and header[key] != value:
            raise FlatProductError(f"{key} is {header[key]!r}, and {detector.name} has {value!r}")


def _require_reftype(header: fits.Header, kind: str) -> None:
    """Raise FlatProductError for a file of another type, such as a rate or a dispersed flat (DFLAT)."""
    found = str(header.get("REFTYPE", kind)).strip().upper()
    if found != kind:
        raise FlatProductError(
            f"REFTYPE is {found}; a file with {'SCI' if kind == FLAT else 'DQ alone'} must be a {kind}"
        )


def _cut(image: np.ndarray, header: fits.Header, geometry: Geometry, detector: Detector) -> np.ndarray:
    """The part of an `image` (y, x) of a product with this `header` that the array of `geometry` covers."""
    full = image.shape == (detector.n_rows, detector.n_columns)
    starts = [header.get(f"SUBSTRT{axis}", 1 if full else None) for axis in (1, 2)]
    if None in starts:
        raise FlatProductError(
            f"it has {_text(image.shape)} pixels (y, x), which is no full frame of {detector.name}, and no SUBSTRT1 and"
            " SUBSTRT2"
        )
    x, y = (int(start) for start in starts)
    whole = replace(geometry, x_start=x, y_start=y, n_rows=image.shape[0], n_columns=image.shape[1])
    try:
        return cut(image, whole, geometry)
    except ValueError:
        wanted = (geometry.x_start, geometry.y_start, *geometry.shape)
        raise FlatProductError(
            f"its array (SUBSTRT1 {x}, SUBSTRT2 {y}, {_text(image.shape)} pixels) does not contain that of the"
            f" exposures (SUBSTRT1 {wanted[0]}, SUBSTRT2 {wanted[1]}, {_text(wanted[2:])} pixels)"
        ) from None


def _text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _response(sci: np.ndarray | None, dq: np.ndarray | None) -> np.ndarray:
    """The response, float64 (y, x), of the images SCI and DQ (uint32) of a flat.

    NaN without a value: not finite, NO_FLAT_FIELD, or DO_NOT_USE and FILLED. `dq` is None for a flat without DQ.
    """
    if sci is None or sci.ndim != 2:
        raise FlatProductError(f"SCI is no image (y, x) but has {0 if sci is None else sci.ndim} axes")
    response = sci.astype(np.float64)
    if dq is not None:
        if dq.shape != response.shape:
            raise FlatProductError(f"SCI has {_text(response.shape)} pixels (y, x), and DQ {_text(dq.shape)}")
        filled = (dq & PIXEL_FLAGS["DO_NOT_USE"] != 0) & np.isin(response, FILLED)
        response[filled | (dq & PIXEL_FLAGS["NO_FLAT_FIELD"] != 0)] = np.nan
    response[~np.isfinite(response)] = np.nan
    return response


def _check_response(values: np.ndarray) -> None:
    """Raise FlatProductError unless the response of the science pixels, with NaN, is that of a normalised flat."""
    values = values[np.isfinite(values)]
    if not values.size:
        raise FlatProductError("no science pixel of the array has a value in SCI")
    if values.min() == values.max():
        raise FlatProductError(f"SCI is {values[0]:g} in all science pixels; a dummy flat has no bad pixels")
    if not NORMALISED[0] <= (median := float(np.median(values))) <= NORMALISED[1]:
        raise FlatProductError(
            f"the median of SCI is {median:.4g}; a normalised flat has a median of 1 ({NORMALISED[0]} to"
            f" {NORMALISED[1]} are accepted)"
        )
