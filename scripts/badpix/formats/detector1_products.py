"""Open the products of calwebb_detector1 and check their structure; an error names the faulty product."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.errors import BadExposure
from badpix.core.files import is_machine_fault
from badpix.core.fits_check import file_problem

REQUIRED_STEPS = {"S_DQINIT": "dq_init", "S_SATURA": "saturation", "S_JUMP": "jump", "S_RAMP": "ramp_fit"}
# NGROUPS of ramps in which calwebb_detector1 searches for no jumps.
NO_JUMPS = (1, 2)

PLANES = {
    "uncal": {"SCI": 4},
    "jump": {"SCI": 4, "PIXELDQ": 2, "GROUPDQ": 4},
    "rateints": {"SCI": 3, "DQ": 3, "VAR_POISSON": 3, "VAR_RNOISE": 3},
    "rate": {"SCI": 2, "DQ": 2, "VAR_POISSON": 2, "VAR_RNOISE": 2},
    "fitopt": {"PEDESTAL": 3},
}
FLAG_PLANES = ("DQ", "PIXELDQ", "GROUPDQ")
# Raw data are unsigned 16-bit integers, which FITS stores as signed integers with an offset.
RAW_NUMBERS = {"BITPIX": 16, "BSCALE": 1, "BZERO": 32768}


def check_planes(hdus: fits.HDUList, product: str) -> None:
    """Raise BadExposure unless all image extensions of `product` are present with the right axes and numbers."""
    names = [hdu.name for hdu in hdus]
    for name, axes in PLANES[product].items():
        if name not in names:
            raise BadExposure(f"the {product} file has no {name} extension (it has {', '.join(names[1:]) or 'none'})")
        if not hdus[name].is_image:
            raise BadExposure(f"extension {name} of the {product} file is no image")
        found = len(hdus[name].shape)
        if found != axes:
            raise BadExposure(f"extension {name} of the {product} file has {found} axes, not {axes}")
    main, *others = PLANES[product]
    for name in others:
        shape, expected = hdus[name].shape, hdus[main].shape[-len(hdus[name].shape) :]
        if shape != expected:
            raise BadExposure(f"shapes differ in the {product} file: {name} {shape}, but {main} {hdus[main].shape}")
    for name in PLANES[product]:
        _check_numbers(hdus[name].header, name, product)


def _check_numbers(header: fits.Header, name: str, product: str) -> None:
    """Raise BadExposure unless the image `name` has the right kind of numbers (integer, floating point)."""
    if product == "uncal":
        numbers = {key: header.get(key, {"BSCALE": 1, "BZERO": 0}.get(key)) for key in RAW_NUMBERS}
        if numbers != RAW_NUMBERS:
            found, expected = (", ".join(f"{k} {v}" for k, v in each.items()) for each in (numbers, RAW_NUMBERS))
            raise BadExposure(f"{name} of the uncal file has {found}; raw data have {expected}")
        return
    # Flags are integers; measurements are floating point numbers.
    if (header["BITPIX"] > 0) != (name in FLAG_PLANES):
        kind = "integers" if name in FLAG_PLANES else "floating point numbers"
        raise BadExposure(f"{name} of the {product} file has BITPIX {header['BITPIX']}; it should hold {kind}")


@contextmanager
def open_product(path: str | Path, product: str) -> Iterator[fits.HDUList]:
    """Open `path` memory-mapped, as `product` (a key of PLANES); BadExposure names the fault of the file."""
    if problem := file_problem(Path(path)):
        raise BadExposure(f"the {product} file is not usable: {problem}")
    try:
        hdus = fits.open(path)
    except Exception as error:
        if is_machine_fault(error):
            raise
        raise BadExposure(f"the {product} file is not readable as FITS: {error}") from error
    with hdus:
        if product == "rateints" and "SCI" in hdus and len(hdus["SCI"].shape) == 2:
            product = "rate"
            n_integrations = hdus[0].header.get("NINTS")
            if n_integrations != 1:
                raise BadExposure(
                    f"the rate file averages {n_integrations} integrations (NINTS); give the rateints file instead"
                )
        check_planes(hdus, product)
        yield hdus


def rates_shape(hdus: fits.HDUList) -> tuple[int, int, int]:
    """(integrations, rows, columns) of an open rateints file, or of a rate file of a single integration."""
    shape = hdus["SCI"].shape
    return shape if len(shape) == 3 else (1, *shape)


def rates_rows(hdus: fits.HDUList, name: str, integration: int, rows: slice) -> np.ndarray:
    """The `rows` of an integration (0-based) of image `name` in an open rateints (or single-integration rate) file."""
    hdu = hdus[name]
    return hdu.section[integration, rows] if len(hdu.shape) == 3 else hdu.section[rows]


def check_agree(shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise BadExposure unless all `shapes` (name of the product -> shape) are equal."""
    if len(set(shapes.values())) > 1:
        raise BadExposure("shapes differ: " + ", ".join(f"{name} {shape}" for name, shape in shapes.items()))


def check_announced(
    header: fits.Header, n_integrations: int, image: Sequence[int], product: str, n_groups: int | None = None
) -> None:
    """Raise BadExposure unless the arrays of `product` have the numbers of integrations, groups and pixels in `header`.

    Parameters
    ----------
    header : Header
        The primary header.
    n_integrations : int
        Integrations in the arrays.
    image : sequence of int
        (rows, columns) of the arrays.
    product : str
        Name of the product in error messages.
    n_groups : int, optional
        Groups in the arrays; None for a rateints file, which has no groups.
    """
    found = {"SUBSIZE2": image[0], "SUBSIZE1": image[1]}
    if n_groups is not None:
        found["NGROUPS"] = n_groups
    # NINTS counts all integrations of the exposure, a segment holds only some.
    if header.get("EXSEGTOT", 1) == 1:
        found["NINTS"] = n_integrations
    else:
        found["INTEND"] = header.get("INTSTART", 1) - 1 + n_integrations
    for key, number in found.items():
        if header.get(key) != number:
            raise BadExposure(f"{key} of the {product} file is {header.get(key)}, but by its array it is {number}")


def check_steps(header: fits.Header, product: str) -> None:
    """Raise BadExposure unless the steps that the classification needs are COMPLETE in `header`.

    The step jump may be SKIPPED where the pipeline skips it, with NGROUPS of NO_JUMPS.
    """
    for keyword, step in REQUIRED_STEPS.items():
        if step == "ramp_fit" and product == "jump":
            continue  # ramp_fit runs after the jump file is written
        status = header.get(keyword, "missing")
        if step == "jump" and status == "SKIPPED" and header.get("NGROUPS") in NO_JUMPS:
            continue  # the tests of jumps abstain
        if status != "COMPLETE":
            raise BadExposure(f"step {step} of the {product} file is not COMPLETE: {keyword} is {status}")
